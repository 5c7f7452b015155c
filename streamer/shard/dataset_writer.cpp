#include "streamer/shard/dataset_writer.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <set>
#include <system_error>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/range_check.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/core/utf8.h"
#include "streamer/shard/index_page.h"
#include "streamer/shard/manifest_tally.h"
#include "streamer/shard/shard_header.h"
#include "streamer/shard/shard_writer.h"

namespace penstock {
namespace {

namespace fs = std::filesystem;

// The writer holds a shard in memory before it writes it.
constexpr std::uint64_t kMaxShardBytes = std::uint64_t{1} << 36;

[[noreturn]] void throw_invalid(const std::string& what, std::string hint = {}) {
  throw Error(ErrorCode::kInvalidArgument, "dataset writer: " + what, std::move(hint));
}

// A split's name is part of its shards' file names.
void check_split_name(const std::string& split) {
  const bool is_file_name = !split.empty() && split.size() <= kMaxSplitNameBytes &&
                            split.front() != '.' && split.find('/') == std::string::npos &&
                            split.find('\0') == std::string::npos && is_utf8(split);
  if (!is_file_name) {
    throw_invalid("split: expected 1 to " + std::to_string(kMaxSplitNameBytes) +
                  " bytes that can be part of a file name, found \"" + split + "\"");
  }
}

[[noreturn]] void throw_exists(const fs::path& path, const std::string& hint) {
  throw Error(ErrorCode::kAlreadyExists,
              "dataset writer: " + path.native() + ": expected nothing there yet, found something",
              hint);
}

void make_folder(const fs::path& path) {
  if (::mkdir(path.c_str(), 0777) == 0) return;
  if (errno == EEXIST) {
    throw_exists(path,
                 "another writer is at work, or one was cut short; in the second case: rm -r " +
                     shell_quoted(path.native()));
  }
  if (errno == ENOENT) {
    throw Error(
        ErrorCode::kNotFound,
        "dataset writer: " + path.native() + ": expected the folder it shall lie in, found nothing",
        "mkdir -p " + shell_quoted(path.parent_path().native()));
  }
  throw_io_error(errno, "make folder", path.native());
}

// A sample that waits for its shard; its bytes lie in SplitBuffer::payload.
struct WaitingSample {
  IndexRecord record;
  std::string name;
};

struct SplitBuffer {
  std::string name;
  std::vector<std::byte> payload;
  std::vector<WaitingSample> samples;
  std::uint32_t num_shards = 0;
};

std::string shard_name(const SplitBuffer& split) {
  char number[16];
  std::snprintf(number, sizeof number, "-%05u", split.num_shards);
  return split.name + number + ".h5";
}

}  // namespace

void DatasetWriterConfig::validate() const {
  if (class_names.empty()) throw_invalid("class_names: expected at least one, found none");
  std::set<std::string> names;
  for (const std::string& name : class_names) {
    if (name.empty() || !is_utf8(name) || !names.insert(name).second) {
      throw_invalid("class_names: expected different, non-empty UTF-8 texts, found \"" + name +
                    "\"");
    }
  }
  // The limits of a shard, before there is one.
  ShardWriterConfig{
      .split = "train", .class_names = class_names, .num_samples = 1, .payload_bytes = 1}
      .validate();
  check_range({"dataset writer", "shard_bytes", shard_bytes, 1, kMaxShardBytes});
}

struct DatasetWriter::Impl {
  Impl(const fs::path& target, DatasetWriterConfig settings)
      : folder(target.has_filename() ? target : target.parent_path()),
        config(std::move(settings)),
        tally(config.class_names) {
    config.validate();
    partial = folder;
    partial += ".partial";
    if (fs::exists(fs::symlink_status(folder))) throw_exists(folder, "name another folder");
    make_folder(partial);
  }

  ~Impl() {
    if (is_finished) return;
    std::error_code ignored;  // a destructor has nobody to tell
    fs::remove_all(partial, ignored);
  }

  void check_open() const {
    if (is_finished) throw_invalid("expected no call after finish(), found one");
  }

  // What the shard writer would refuse once the shard is full is refused here.
  void check_sample(const std::string& split, const NewSample& sample,
                    std::uint64_t sample_idx) const {
    const fs::path path = folder / split;
    const RecordPlace place{.shard = path, .sample_idx = sample_idx};
    if (sample.encoded.empty() || sample.encoded.size() > UINT32_MAX) {
      throw_invalid(place.text() + ": expected 1 to 4294967295 bytes, found " +
                    std::to_string(sample.encoded.size()));
    }
    if (sample.name.find('\0') != std::string::npos) {
      throw_invalid(place.text() + ": expected a name without a zero byte");
    }
    IndexRecord record = sample.record;
    record.offset_bytes = 0;
    record.length_bytes = static_cast<std::uint32_t>(sample.encoded.size());
    check_index_record(record,
                       {.images_length_bytes = record.length_bytes,
                        .num_classes = static_cast<std::uint32_t>(config.class_names.size())},
                       place, RecordUse::kWrite);
  }

  std::size_t split_idx(const std::string& name) {
    const auto found = std::ranges::find(splits, name, &SplitBuffer::name);
    if (found != splits.end()) return static_cast<std::size_t>(found - splits.begin());
    check_split_name(name);
    return splits.size();
  }

  void add(const std::string& split_name, const NewSample& sample) {
    check_open();
    const std::size_t idx = split_idx(split_name);
    const bool is_new = idx == splits.size();
    check_sample(split_name, sample, is_new ? 0 : num_by_split[idx]);
    if (is_new) {
      splits.push_back({.name = split_name, .payload = {}, .samples = {}});
      num_by_split.push_back(0);
      tally.add_split(split_name);
    }
    SplitBuffer& split = splits[idx];
    if (split.payload.size() + sample.encoded.size() > config.shard_bytes) write_shard(idx);
    if (sample.encoded.size() > config.shard_bytes) {
      write_single(idx, sample);
    } else {
      if (split.samples.empty()) split.payload.reserve(config.shard_bytes);
      split.payload.insert(split.payload.end(), sample.encoded.begin(), sample.encoded.end());
      split.samples.push_back({.record = sample.record, .name = sample.name});
      split.samples.back().record.length_bytes = static_cast<std::uint32_t>(sample.encoded.size());
    }
    IndexRecord record = sample.record;
    record.length_bytes = static_cast<std::uint32_t>(sample.encoded.size());
    tally.add_sample(idx, record, sample.decode_scratch_bytes);
    ++num_by_split[idx];
  }

  ShardWriter make_writer(const SplitBuffer& split, std::uint64_t num_samples,
                          std::uint64_t payload_bytes) const {
    return {partial / shard_name(split), ShardWriterConfig{.split = split.name,
                                                           .class_names = config.class_names,
                                                           .num_samples = num_samples,
                                                           .payload_bytes = payload_bytes,
                                                           .store_names = config.store_names}};
  }

  void write_single(std::size_t idx, const NewSample& sample) {
    ShardWriter writer = make_writer(splits[idx], 1, sample.encoded.size());
    writer.add(sample);
    tally.add_shard(idx, writer.finish());
    ++splits[idx].num_shards;
  }

  // Empties the buffer once the shard is there, so that a failure leaves it for another try.
  void write_shard(std::size_t idx) {
    SplitBuffer& split = splits[idx];
    if (split.samples.empty()) return;
    ShardWriter writer = make_writer(split, split.samples.size(), split.payload.size());
    std::size_t at = 0;
    for (const WaitingSample& sample : split.samples) {
      writer.add({.encoded = std::span(split.payload).subspan(at, sample.record.length_bytes),
                  .record = sample.record,
                  .name = sample.name});
      at += sample.record.length_bytes;
    }
    tally.add_shard(idx, writer.finish());
    ++split.num_shards;
    split.payload.clear();
    split.samples.clear();
  }

  Manifest finish() {
    check_open();
    if (tally.num_samples() == 0) throw_invalid("expected at least one sample, found none");
    for (std::size_t idx = 0; idx < splits.size(); ++idx) write_shard(idx);
    Manifest manifest = tally.build();
    manifest.id = manifest_id(manifest);
    write_manifest(partial, manifest);
    sync_folder(partial);
    rename_to_new(partial, folder);
    is_finished = true;
    sync_folder(folder.parent_path());
    return manifest;
  }

  fs::path folder;
  fs::path partial;
  DatasetWriterConfig config;
  ManifestTally tally;
  std::vector<SplitBuffer> splits;
  std::vector<std::uint64_t> num_by_split;  // samples added, for messages
  bool is_finished = false;
};

DatasetWriter::DatasetWriter(const fs::path& folder, DatasetWriterConfig config)
    : impl_(std::make_unique<Impl>(folder, std::move(config))) {}
DatasetWriter::DatasetWriter(DatasetWriter&&) noexcept = default;
DatasetWriter::~DatasetWriter() = default;

void DatasetWriter::add(const std::string& split, const NewSample& sample) {
  impl_->add(split, sample);
}

Manifest DatasetWriter::finish() {
  return impl_->finish();
}

}  // namespace penstock
