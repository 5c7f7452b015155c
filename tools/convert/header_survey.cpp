#include "tools/convert/header_survey.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "tools/convert/disk_estimate.h"
#include "tools/convert/image/picture_reasons.h"
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

// What depends on what was asked for, too.
HeaderLook look_at(const SourcePicture& picture, std::uint64_t file_bytes, std::string_view name,
                   const ConvertConfig& config, JpegDecoder& decoder) {
  HeaderLook look = look_at_header(picture.bytes, file_bytes, name, config.max_px, decoder);
  if (picture.codec == Codec::kPng) look.kind = PictureKind::kPngSample;
  look.reasons.add_if(look.coefficient_bytes > config.max_coefficient_bytes,
                      ReasonCode::kLargeCoefficients);
  if (look.kind == PictureKind::kJpeg && !look.reason && config.encode.quality) {
    const SidesPx sides{static_cast<std::uint32_t>(look.size.width_px),
                        static_cast<std::uint32_t>(look.size.height_px)};
    look.is_coded_finer = asks_for_encoding(picture.bytes, sides, look.channels, config.encode);
  }
  return look;
}

HeaderLook look_at_bare(const SourcePicture& picture) {
  HeaderLook look;
  look.kind = PictureKind::kBarePixels;
  look.channels = picture.raw->channels;
  look.size = {picture.raw->width_px, picture.raw->height_px};
  look.reasons.add(reasons_of_shape(look.size.width_px, look.size.height_px));
  look.reasons.add_if(look.channels == 1, ReasonCode::kGrayscale);
  if (!picture.failed_checksum.empty()) look.reason = ReasonCode::kFailedChecksum;
  return look;
}

// With a header that goes on beyond `most_bytes` a picture counts as good.
HeaderLook look(const SourceScan& scan, const ListedPicture& picture, const ConvertConfig& config,
                std::uint64_t most_bytes, JpegDecoder& decoder, SourcePicture& buffer) {
  try {
    scan.source->read_start(picture, kHeaderBytes, buffer);
    if (buffer.raw) return look_at_bare(buffer);
    HeaderLook first = look_at(buffer, picture.size_bytes, picture.name, config, decoder);
    if (!first.is_cut) return first;
    if (picture.size_bytes > most_bytes) return {};
    scan.source->read(picture, buffer);
    HeaderLook whole = look_at(buffer, buffer.bytes.size(), picture.name, config, decoder);
    if (buffer.bytes.capacity() > kHeaderBytes) std::vector<std::byte>().swap(buffer.bytes);
    return whole;
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

}  // namespace

double HeaderSurvey::stored_share() const noexcept {
  if (looked_bytes == 0) return 1.0;
  return static_cast<double>(stored_bytes) / static_cast<double>(looked_bytes);
}

std::uint64_t HeaderSurvey::stored_bytes_of(std::uint64_t source_bytes) const noexcept {
  if (looked_bytes == 0) return source_bytes;
  if (looked_bytes == source_bytes) return stored_bytes;
  return static_cast<std::uint64_t>(stored_share() * static_cast<double>(source_bytes));
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
                                 emit(look(scan, scan.pictures[chosen[i]], config, most_bytes,
                                           decoders[thread_idx], buffers[thread_idx]));
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

}  // namespace penstock::convert
