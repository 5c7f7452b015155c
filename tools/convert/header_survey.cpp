#include "tools/convert/header_survey.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "tools/convert/image/picture_reencoding.h"
#include "tools/convert/source/source_fault.h"
#include "tools/convert/write/ordered_work.h"

namespace penstock::convert {
namespace {

// Longer ones, with profiles and thumbnails before the sides, are read whole.
constexpr std::size_t kHeaderBytes = 64u << 10;

// All, or those of the lowest keys; in the order of the list.
std::vector<std::uint32_t> choose_pictures(const PictureList& pictures, std::uint64_t seed) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> keys;
  const SplitRule rule{.seed = seed};
  for (std::uint32_t i = 0; i < pictures.size(); ++i) {
    keys.emplace_back(rule.order_key(pictures.name(i)), i);
    // Room for twice as many as are needed, whatever the number of pictures.
    if (keys.size() < 2 * kMaxHeadersLookedAt) continue;
    std::ranges::nth_element(keys, keys.begin() + kMaxHeadersLookedAt);
    keys.resize(kMaxHeadersLookedAt);
  }
  if (keys.size() > kMaxHeadersLookedAt) {
    std::ranges::nth_element(keys, keys.begin() + kMaxHeadersLookedAt);
    keys.resize(kMaxHeadersLookedAt);
  }
  std::vector<std::uint32_t> chosen;
  for (const auto& [key, picture_idx] : keys) chosen.push_back(picture_idx);
  std::ranges::sort(chosen);
  return chosen;
}

// With a header that goes on beyond `most_bytes` a picture counts as good.
HeaderLook look(const SourceScan& scan, const ListedPicture& picture, std::uint64_t max_px,
                std::uint64_t most_bytes, JpegDecoder& decoder, SourcePicture& buffer) {
  try {
    scan.source->read_start(picture, kHeaderBytes, buffer);
    if (!buffer.raw) {
      const HeaderLook first =
          look_at_header(buffer.bytes, picture.size_bytes, picture.name, max_px, decoder);
      if (!first.is_cut) return first;
      if (picture.size_bytes > most_bytes) return {};
      scan.source->read(picture, buffer);
      const HeaderLook whole =
          look_at_header(buffer.bytes, buffer.bytes.size(), picture.name, max_px, decoder);
      if (buffer.bytes.capacity() > kHeaderBytes) std::vector<std::byte>().swap(buffer.bytes);
      return whole;
    }
    HeaderLook raw;
    raw.kind = PictureKind::kBarePixels;
    raw.channels = static_cast<std::uint32_t>(buffer.raw->channels);
    raw.size = {buffer.raw->width_px, buffer.raw->height_px};
    if (!buffer.failed_checksum.empty()) raw.reason = ReasonCode::kFailedChecksum;
    return raw;
  } catch (const Error& error) {
    if (error.os_error() != EFBIG && error.os_error() != 0 &&
        !concerns_one_path(error.os_error())) {
      throw;
    }
    HeaderLook refused;
    refused.reason = error.code() == ErrorCode::kCorruptData ? ReasonCode::kDamaged
                     : error.os_error() == EFBIG             ? ReasonCode::kFileTooLarge
                                                             : ReasonCode::kUnreadable;
    return refused;
  }
}

bool is_kept(const HeaderLook& look, SidesPx sides, SidesPx target, const ConvertConfig& config) {
  const EncodeSettings& encode = config.encode;
  if (target != sides || (encode.grayscale && look.channels != 1)) return false;
  const Codec codec = stored_codec(look.kind, target, encode);
  if (look.kind == PictureKind::kBarePixels) return codec == Codec::kRaw;
  return look.kind == PictureKind::kJpeg && codec == Codec::kJpeg;
}

}  // namespace

std::uint64_t HeaderSurvey::stored_bytes_of(std::uint64_t source_bytes) const noexcept {
  if (looked_bytes == 0) return source_bytes;
  if (looked_bytes == source_bytes) return stored_bytes;
  return static_cast<std::uint64_t>(static_cast<double>(stored_bytes) /
                                    static_cast<double>(looked_bytes) *
                                    static_cast<double>(source_bytes));
}

HeaderSurvey survey_headers(const ConvertConfig& config, const SourceScan& scan,
                            const ConvertMemory& memory,
                            const std::function<void(std::uint32_t, const HeaderLook&)>& each,
                            const std::stop_token& stop) {
  const std::vector<std::uint32_t> chosen = choose_pictures(scan.pictures, config.split.seed);
  std::vector<JpegDecoder> decoders(memory.num_jobs);
  std::vector<SourcePicture> buffers(memory.num_jobs);
  const std::uint64_t most_bytes = memory.pool_bytes / (2 * memory.num_jobs);
  OrderedWork<HeaderLook> work({.num_items = chosen.size(),
                                .num_threads = memory.num_jobs,
                                .window = 4 * std::size_t{memory.num_jobs}},
                               [&](unsigned thread_idx, std::size_t i, const auto& emit) {
                                 if (stop.stop_requested())
                                   throw Error(ErrorCode::kStopped, "stopped: headers: on request");
                                 emit(look(scan, scan.pictures[chosen[i]], config.max_px,
                                           most_bytes, decoders[thread_idx], buffers[thread_idx]));
                               });
  HeaderSurvey survey{.num_looked_at = chosen.size()};
  work.run([&](std::size_t i, const HeaderLook& found) {
    const std::uint64_t size_bytes = scan.pictures[chosen[i]].size_bytes;
    survey.looked_bytes += size_bytes;
    survey.stored_bytes += estimate_stored_bytes(found, size_bytes, config);
    each(chosen[i], found);
  });
  return survey;
}

std::uint64_t estimate_stored_bytes(const HeaderLook& look, std::uint64_t file_bytes,
                                    const ConvertConfig& config) {
  if (look.is_text) return 0;
  if (look.reason) {
    return config.policies[*look.reason] == Policy::kQuarantine ? 0 : file_bytes;
  }
  if (look.size.num_px() == 0) return file_bytes;
  const SidesPx sides{static_cast<std::uint32_t>(look.size.width_px),
                      static_cast<std::uint32_t>(look.size.height_px)};
  const SidesPx target = target_sides(sides, config.encode);
  if (is_kept(look, sides, target, config)) return file_bytes;
  const std::uint64_t channels = config.encode.grayscale ? 1 : look.channels;
  const std::uint64_t bare_bytes = target.num_px() * channels;
  if (stored_codec(look.kind, target, config.encode) == Codec::kRaw) return bare_bytes;
  const double scaled = static_cast<double>(file_bytes) * static_cast<double>(target.num_px()) /
                        static_cast<double>(sides.num_px());
  return std::min(static_cast<std::uint64_t>(scaled) + 1, bare_bytes);
}

}  // namespace penstock::convert
