#include "streamer/shard/shard_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "streamer/core/batch.h"
#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/little_endian.h"
#include "streamer/core/memory_budget.h"
#include "streamer/core/range_check.h"
#include "streamer/shard/hdf5_layout.h"
#include "streamer/shard/index_page.h"
#include "streamer/shard/shard_header.h"

namespace penstock {
namespace {

constexpr const char* kOwner = "shard writer";
constexpr std::uint64_t kMaxSamples = std::uint64_t{1} << 40;
constexpr std::uint64_t kMaxPayloadBytes = std::uint64_t{1} << 60;
// An estimate that was too small is extended by an eighth, within these bounds.
constexpr std::uint64_t kMinReserveStepBytes = 64u << 10;
constexpr std::uint64_t kMaxReserveStepBytes = 16u << 20;

[[noreturn]] void throw_invalid(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::kInvalidArgument, std::string(kOwner) + ": " + where + ": " + what);
}

// Reserves the bytes up to `size_bytes`, so that a full disk shows now.
void reserve_space(const UniqueFd& file, std::uint64_t size_bytes,
                   const std::filesystem::path& path) {
  int failure = 0;
  do {
    failure = ::posix_fallocate(file.get(), 0, static_cast<off_t>(size_bytes));
  } while (failure == EINTR);
  if (failure == 0) return;
  throw Error(ErrorCode::kIo,
              "shard: " + path.native() + ": expected room for " + format_bytes(size_bytes) +
                  ", found " + std::generic_category().message(failure),
              failure == EFBIG ? "a limit of the size of files: ulimit -f unlimited, or a smaller "
                                 "--shard-size"
                               : "free some disk space, or write to another disk");
}

void cut_file(const UniqueFd& file, std::uint64_t size_bytes, const std::filesystem::path& path) {
  int result = 0;
  do {
    result = ::ftruncate(file.get(), static_cast<off_t>(size_bytes));
  } while (result != 0 && errno == EINTR);
  if (result != 0) throw_io_error(errno, "cut", path.native());
}

std::vector<std::byte> as_little_endian(std::span<const std::uint64_t> values) {
  std::vector<std::byte> bytes(values.size() * sizeof(std::uint64_t));
  for (std::size_t i = 0; i < values.size(); ++i) store_le(values[i], &bytes[i * 8]);
  return bytes;
}

std::uint32_t widest(const std::vector<std::string>& names) {
  std::size_t width = 0;
  for (const std::string& name : names) width = std::max(width, name.size());
  return static_cast<std::uint32_t>(width);
}

std::vector<std::byte> padded(const std::vector<std::string>& names, std::size_t width) {
  std::vector<std::byte> bytes(names.size() * width);
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::memcpy(&bytes[i * width], names[i].data(), names[i].size());
  }
  return bytes;
}

void hash_number(StreamHasher& hasher, std::uint64_t value) {
  std::byte bytes[8];
  store_le(value, bytes);
  hasher.update(bytes);
}

}  // namespace

void ShardWriterConfig::validate() const {
  check_range({kOwner, "split: length in bytes", split.size(), 1, kMaxSplitNameBytes});
  if (split.find('\0') != std::string::npos) throw_invalid("split", "expected no zero byte");
  check_range({kOwner, "class_names: count", class_names.size(), 1, kMaxClasses});
  for (const std::string& name : class_names) {
    check_range({kOwner, "class_names: length in bytes", name.size(), 1, kMaxClassNameBytes});
    if (name.find('\0') != std::string::npos) throw_invalid("class_names", "expected no zero byte");
  }
  check_range({kOwner, "num_samples", num_samples, 1, kMaxSamples});
  check_range({kOwner, "payload_bytes", payload_bytes, num_samples, kMaxPayloadBytes});
}

struct ShardWriter::Impl {
  Impl(std::filesystem::path target, ShardWriterConfig settings)
      : path(std::move(target)), config(std::move(settings)) {
    config.validate();
    if (std::filesystem::exists(std::filesystem::symlink_status(path))) {
      throw Error(ErrorCode::kAlreadyExists,
                  "shard: " + path.native() + ": expected no such file, found one");
    }
    class_name_bytes = widest(config.class_names);
    layout = lay_out_hdf5(shape());
    reserved_payload_bytes = config.payload_bytes;
    temporary = path;
    temporary += ".tmp";
    ::unlink(temporary.c_str());  // left behind by a process that died
    file = create_new_file(temporary);
    try {
      reserve_space(file, layout.file_size_bytes, temporary);
    } catch (...) {
      ::unlink(temporary.c_str());
      throw;
    }
  }

  ~Impl() {
    if (!is_published) ::unlink(temporary.c_str());
  }

  Hdf5Shape shape() const {
    return {.split = config.split,
            .uuid = hex(uuid),
            .num_samples = config.num_samples,
            .payload_bytes = config.payload_bytes,
            .num_classes = static_cast<std::uint32_t>(config.class_names.size()),
            .class_name_bytes = class_name_bytes,
            .names_bytes = names.size()};
  }

  void add(const NewSample& sample) {
    const RecordPlace place{.shard = path, .sample_idx = num_added};
    check_sample(sample, place);
    IndexRecord record = sample.record;
    record.offset_bytes = layout.images_offset_bytes + payload_done_bytes;
    record.xxh3 = xxh3_64(sample.encoded);
    record.length_bytes = static_cast<std::uint32_t>(sample.encoded.size());
    check_index_record(record,
                       {.images_offset_bytes = layout.images_offset_bytes,
                        .images_length_bytes = payload_done_bytes + record.length_bytes,
                        .num_classes = static_cast<std::uint32_t>(config.class_names.size())},
                       place, RecordUse::kWrite);

    make_room(sample.encoded.size());
    write_at(file, record.offset_bytes, sample.encoded, temporary);
    payload_hasher.update(sample.encoded);
    payload_done_bytes += sample.encoded.size();
    std::byte bytes[sizeof(IndexRecord)];
    store_index_record(record, bytes);
    index.insert(index.end(), std::begin(bytes), std::end(bytes));
    if (config.store_names) {
      name_offsets.push_back(names.size());
      names += sample.name;
      names += '\0';
    }
    ++num_added;
  }

  void make_room(std::uint64_t sample_bytes) {
    const std::uint64_t needed_bytes = payload_done_bytes + sample_bytes;
    if (needed_bytes <= reserved_payload_bytes) return;
    const std::uint64_t step_bytes =
        std::clamp(reserved_payload_bytes / 8, kMinReserveStepBytes, kMaxReserveStepBytes);
    reserved_payload_bytes = std::max(needed_bytes, reserved_payload_bytes + step_bytes);
    reserve_space(file, layout.images_offset_bytes + reserved_payload_bytes, temporary);
  }

  void check_sample(const NewSample& sample, const RecordPlace& place) const {
    const bool is_exact = config.sizes == ShardSizes::kExact;
    if (is_exact && num_added == config.num_samples) {
      throw_invalid(place.text(),
                    "expected " + std::to_string(config.num_samples) + " samples, found one more");
    }
    if (sample.encoded.empty() || sample.encoded.size() > UINT32_MAX) {
      throw_invalid(place.text(), "expected 1 to 4294967295 bytes, found " +
                                      std::to_string(sample.encoded.size()));
    }
    if (is_exact && sample.encoded.size() > config.payload_bytes - payload_done_bytes) {
      throw_invalid(place.text(), "expected at most " +
                                      std::to_string(config.payload_bytes - payload_done_bytes) +
                                      " bytes more, found " +
                                      std::to_string(sample.encoded.size()));
    }
    if (sample.name.find('\0') != std::string::npos) {
      throw_invalid(place.text(), "expected a name without a zero byte");
    }
  }

  ManifestShard finish() {
    if (config.sizes == ShardSizes::kEstimate && num_added > 0) {
      config.num_samples = num_added;
      config.payload_bytes = payload_done_bytes;
    }
    if (num_added != config.num_samples || payload_done_bytes != config.payload_bytes) {
      throw_invalid(path.native(), "expected " + std::to_string(config.num_samples) +
                                       " samples of " + std::to_string(config.payload_bytes) +
                                       " bytes, found " + std::to_string(num_added) + " of " +
                                       std::to_string(payload_done_bytes));
    }
    if (config.store_names) name_offsets.push_back(names.size());
    const std::vector<std::byte> class_names = padded(config.class_names, class_name_bytes);
    uuid = content_uuid(class_names);

    // The same layout as before, now with the uuid and with room for the names.
    const std::uint64_t images_offset_bytes = layout.images_offset_bytes;
    layout = lay_out_hdf5(shape());
    check_internal(layout.images_offset_bytes == images_offset_bytes, "the layout moved");
    reserve_space(file, layout.file_size_bytes, temporary);
    // Metadata and sections are written behind the last sample; an estimate may reach further.
    if (config.sizes == ShardSizes::kEstimate) cut_file(file, layout.file_size_bytes, temporary);
    for (const MetadataPiece& piece : layout.metadata) {
      write_at(file, piece.offset_bytes, piece.bytes, temporary);
    }
    write_sections(class_names);
    sync_file(file, temporary);
    rename_file(temporary, path);
    try {
      sync_folder(path.parent_path());
    } catch (...) {
      ::unlink(path.c_str());  // it might not last: what has its own name must
      throw;
    }
    is_published = true;
    return {.file = path.filename().native(),
            .num_samples = config.num_samples,
            .size_bytes = layout.file_size_bytes,
            .uuid = hex(uuid),
            .header_xxh3 = hex(header_xxh3)};
  }

  // FORMAT.md, section 7.
  Digest128 content_uuid(std::span<const std::byte> class_names) const {
    StreamHasher hasher;
    hash_number(hasher, kShardFormatVersion);
    hash_number(hasher, config.split.size());
    hasher.update(config.split);
    hash_number(hasher, config.class_names.size());
    hasher.update(class_names);
    const Digest128 payload = payload_hasher.digest_128();
    hasher.update(std::as_bytes(std::span(payload)));
    hasher.update(index);
    hasher.update(names);
    return hasher.digest_128();
  }

  void write_sections(std::span<const std::byte> class_names) {
    ShardHeader header{.file_size_bytes = layout.file_size_bytes,
                       .num_samples = config.num_samples,
                       .uuid = uuid,
                       .num_classes = static_cast<std::uint32_t>(config.class_names.size()),
                       .split = config.split,
                       .sections = {}};
    const auto write_section = [&](const char* name, std::uint64_t offset_bytes,
                                   std::span<const std::byte> bytes, bool is_required) {
      write_at(file, offset_bytes, bytes, temporary);
      header.sections.push_back({name, offset_bytes, bytes.size(), xxh3_64(bytes), is_required});
    };
    header.sections.push_back({"images", layout.images_offset_bytes, config.payload_bytes,
                               payload_hasher.digest_64(), true});
    write_section("index", layout.index_offset_bytes, index, true);
    write_section("index_page_xxh3", layout.index_page_xxh3_offset_bytes,
                  as_little_endian(index_page_checksums(index)), true);
    write_section("class_names", layout.class_names_offset_bytes, class_names, true);
    if (config.store_names) {
      write_section("name_offsets", layout.name_offsets_offset_bytes,
                    as_little_endian(name_offsets), false);
      write_section("names", layout.names_offset_bytes, std::as_bytes(std::span(names)), false);
    }
    const ShardHeaderBytes bytes = serialise_shard_header(header);
    header_xxh3 = xxh3_64(bytes);
    write_at(file, 0, bytes, temporary);
  }

  std::filesystem::path path;
  std::filesystem::path temporary;
  ShardWriterConfig config;
  std::uint32_t class_name_bytes = 0;
  Digest128 uuid{};               // zero until finish()
  std::uint64_t header_xxh3 = 0;  // the same
  Hdf5Layout layout;
  UniqueFd file;
  std::vector<std::byte> index;
  std::vector<std::uint64_t> name_offsets;
  std::string names;  // each followed by a zero byte
  StreamHasher payload_hasher;
  std::uint64_t num_added = 0;
  std::uint64_t payload_done_bytes = 0;
  std::uint64_t reserved_payload_bytes = 0;
  bool is_published = false;
};

ShardWriter::ShardWriter(std::filesystem::path path, ShardWriterConfig config)
    : impl_(std::make_unique<Impl>(std::move(path), std::move(config))) {}
ShardWriter::ShardWriter(ShardWriter&&) noexcept = default;
ShardWriter::~ShardWriter() = default;

void ShardWriter::add(const NewSample& sample) {
  impl_->add(sample);
}

std::uint64_t ShardWriter::num_added() const noexcept {
  return impl_->num_added;
}

ManifestShard ShardWriter::finish() {
  return impl_->finish();
}

}  // namespace penstock
