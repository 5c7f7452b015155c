#include "tools/convert/write/shard_task.h"

#include <fmt/core.h>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/shard/shard_writer.h"
#include "tools/convert/write/ordered_work.h"
#include "tools/convert/source/source_fault.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

void check_stop(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: conversion: on request");
}

// Reads a whole file of at most kMaxFileBytes.
std::vector<std::byte> read_whole(const UniqueFd& file, std::uint64_t size_bytes,
                                  const std::filesystem::path& path) {
  std::vector<std::byte> bytes(size_bytes);
  bytes.resize(read_at(file, 0, bytes, path));
  return bytes;
}

[[noreturn]] void refuse_changed(const std::filesystem::path& path) {
  throw Error(ErrorCode::kIo,
              fmt::format("source: {}: expected the file as it was when it was checked, found it "
                          "changed",
                          tools::printable(path.string())),
              "convert again when nothing writes into SOURCE");
}

// A file that is no regular one has no errno value.
bool concerns_one_file(const Error& error) {
  const bool is_refusal = error.code() == ErrorCode::kIo || error.code() == ErrorCode::kNotFound;
  return is_refusal && (error.os_error() == 0 || concerns_one_path(error.os_error()));
}

[[noreturn]] void throw_source_fault(const Error& error) {
  throw Error(error.code(), error.what(), error.hint().empty() ? kSourceFaultHint : error.hint(),
              error.os_error());
}

OrderedWorkConfig work_config(std::size_t num_items, unsigned num_jobs) {
  return {.num_items = num_items, .num_threads = num_jobs, .window = 4 * std::size_t{num_jobs}};
}

}  // namespace

ShardTask::ShardTask(ShardTaskConfig config) : config_(std::move(config)) {
  for (unsigned i = 0; i < config_.num_jobs; ++i) {
    checkers_.emplace_back(config_.max_px, CheckDepth::kDecode, config_.several_scans);
  }
}

const std::string& ShardTask::relative_path(const PlacedFile& placed) const {
  return config_.scan->files[placed.file_idx].path;
}

std::filesystem::path ShardTask::full_path(const PlacedFile& placed) const {
  return config_.source / relative_path(placed);
}

CheckedFile ShardTask::check_file(unsigned thread_idx, const PlacedFile& placed,
                                  const std::stop_token& stop) {
  check_stop(stop);
  CheckedFile file{.placed = placed, .verdict = {}};
  std::vector<std::byte> bytes;
  try {
    const std::filesystem::path path = full_path(placed);
    const UniqueFd fd = open_for_reading(path);
    file.size_bytes = file_size_bytes(fd, path);
    if (file.size_bytes > kMaxFileBytes) {
      file.verdict.reason = ReasonCode::kFileTooLarge;
      return file;
    }
    bytes = read_whole(fd, file.size_bytes, path);
  } catch (const Error& error) {
    if (!concerns_one_file(error)) throw_source_fault(error);
    file.verdict.reason = ReasonCode::kUnreadable;
    file.verdict.detail = error.what();
    return file;
  }
  file.source_xxh3 = xxh3_64(bytes);
  file.verdict = checkers_[thread_idx].check(bytes, relative_path(placed), stop);
  file.stored_xxh3 =
      is_made_anew(file.verdict.fate) ? xxh3_64(file.verdict.reencoded) : file.source_xxh3;
  return file;
}

std::vector<CheckedFile> ShardTask::check_files(
    const ShardPlan& plan, const std::function<void(const CheckedFile&)>& on_file,
    const std::stop_token& stop) {
  std::vector<CheckedFile> files;
  files.reserve(plan.files.size());
  std::uint64_t spooled_bytes = 0;
  OrderedWork<CheckedFile> work(work_config(plan.files.size(), config_.num_jobs),
                                [&](unsigned thread_idx, std::size_t i) {
                                  return check_file(thread_idx, plan.files[i], stop);
                                });
  work.run([&](std::size_t, CheckedFile file) {
    std::vector<std::byte>& reencoded = file.verdict.reencoded;
    if (spooled_bytes + reencoded.size() > config_.spool_bytes) {
      reencoded = {};
    } else {
      spooled_bytes += reencoded.size();
    }
    on_file(file);
    files.push_back(std::move(file));
  });
  return files;
}

std::vector<std::byte> ShardTask::stored_bytes(unsigned thread_idx, CheckedFile& file,
                                               const std::stop_token& stop) {
  check_stop(stop);
  if (!file.verdict.reencoded.empty()) return std::move(file.verdict.reencoded);
  const std::filesystem::path path = full_path(file.placed);
  std::vector<std::byte> bytes = read_whole(open_for_reading(path), file.size_bytes, path);
  if (bytes.size() != file.size_bytes || xxh3_64(bytes) != file.source_xxh3) refuse_changed(path);
  if (file.verdict.fate == FileFate::kKept) return bytes;
  bytes = checkers_[thread_idx].check(bytes, relative_path(file.placed), stop).reencoded;
  check_internal(xxh3_64(bytes) == file.stored_xxh3, "re-encoding gives the same bytes twice");
  return bytes;
}

ManifestShard ShardTask::write(const ShardPlan& plan, std::vector<CheckedFile>& files,
                               const std::filesystem::path& folder, const std::stop_token& stop) {
  std::vector<CheckedFile*> stored;
  ShardWriterConfig config{.split = std::string(split_name(plan.split)),
                           .class_names = config_.class_names,
                           .num_samples = 0,
                           .payload_bytes = 0,
                           .store_names = config_.store_names};
  for (CheckedFile& file : files) {
    if (!file.is_stored()) continue;
    stored.push_back(&file);
    ++config.num_samples;
    config.payload_bytes += file.verdict.record.length_bytes;
  }
  ShardWriter writer(folder / plan.file_name(), std::move(config));
  OrderedWork<std::vector<std::byte>> work(work_config(stored.size(), config_.num_jobs),
                                           [&](unsigned thread_idx, std::size_t i) {
                                             return stored_bytes(thread_idx, *stored[i], stop);
                                           });
  work.run([&](std::size_t i, std::vector<std::byte> bytes) {
    IndexRecord record = stored[i]->verdict.record;
    record.class_idx = stored[i]->placed.class_idx;
    writer.add({.encoded = bytes, .record = record, .name = relative_path(stored[i]->placed)});
  });
  return writer.finish();
}

}  // namespace penstock::convert
