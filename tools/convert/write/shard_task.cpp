#include "tools/convert/write/shard_task.h"

#include <fmt/core.h>

#include <cerrno>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/shard/shard_writer.h"
#include "tools/convert/source/source_fault.h"
#include "tools/convert/write/ordered_work.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

void check_stop(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: conversion: on request");
}

[[noreturn]] void refuse_changed(const std::string& where) {
  throw Error(
      ErrorCode::kIo,
      fmt::format("source: {}: expected the picture as it was when it was checked, found it "
                  "changed",
                  where),
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

ShardTask::Worker::Worker(const ShardTaskConfig& config)
    : checker(config.max_px, CheckDepth::kDecode, config.several_scans),
      stored_checker(config.max_px) {}

ShardTask::ShardTask(ShardTaskConfig config) : config_(std::move(config)) {
  for (unsigned i = 0; i < config_.num_jobs; ++i) workers_.emplace_back(config_);
}

void ShardTask::read(Worker& worker, const ListedPicture& picture) const {
  worker.picture.codec.reset();
  config_.source->read(picture, worker.picture);
}

ImageVerdict ShardTask::judge(Worker& worker, std::string_view name,
                              const std::stop_token& stop) const {
  // A stored JPEG is judged as a file where it may have to be written anew.
  const bool is_kept = worker.picture.codec && (*worker.picture.codec != Codec::kJpeg ||
                                                config_.several_scans == SeveralScans::kKept);
  return is_kept ? worker.stored_checker.check(worker.picture, stop)
                 : worker.checker.check(worker.picture, name, stop);
}

CheckedPicture ShardTask::check(Worker& worker, std::uint32_t picture_idx,
                                const std::stop_token& stop) {
  check_stop(stop);
  const ListedPicture picture = (*config_.pictures)[picture_idx];
  CheckedPicture checked{.picture_idx = picture_idx, .verdict = {}};
  try {
    read(worker, picture);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kCorruptData) {
      checked.verdict.reason = ReasonCode::kDamaged;
      checked.verdict.detail = error.what();
      return checked;
    }
    if (error.os_error() == EFBIG) {
      checked.verdict.reason = ReasonCode::kFileTooLarge;
      return checked;
    }
    if (!concerns_one_file(error)) throw_source_fault(error);
    checked.verdict.reason = ReasonCode::kUnreadable;
    checked.verdict.detail = error.what();
    return checked;
  }
  checked.source_xxh3 = xxh3_64(worker.picture.bytes);
  checked.verdict = judge(worker, picture.name, stop);
  checked.stored_xxh3 =
      is_made_anew(checked.verdict.fate) ? xxh3_64(checked.verdict.reencoded) : checked.source_xxh3;
  return checked;
}

std::vector<CheckedPicture> ShardTask::check_pictures(
    const ShardPlan& plan, const std::function<void(const CheckedPicture&)>& on_picture,
    const std::stop_token& stop) {
  std::vector<CheckedPicture> all;
  all.reserve(plan.pictures.size());
  std::uint64_t spooled_bytes = 0;
  OrderedWork<CheckedPicture> work(work_config(plan.pictures.size(), config_.num_jobs),
                                   [&](unsigned thread_idx, std::size_t i) {
                                     return check(workers_[thread_idx], plan.pictures[i], stop);
                                   });
  work.run([&](std::size_t, CheckedPicture checked) {
    std::vector<std::byte>& reencoded = checked.verdict.reencoded;
    if (spooled_bytes + reencoded.size() > config_.spool_bytes) {
      reencoded = {};
    } else {
      spooled_bytes += reencoded.size();
    }
    on_picture(checked);
    all.push_back(std::move(checked));
  });
  return all;
}

std::vector<std::byte> ShardTask::stored_bytes(Worker& worker, CheckedPicture& checked,
                                               const std::stop_token& stop) {
  check_stop(stop);
  if (!checked.verdict.reencoded.empty()) return std::move(checked.verdict.reencoded);
  const ListedPicture picture = (*config_.pictures)[checked.picture_idx];
  read(worker, picture);
  if (xxh3_64(worker.picture.bytes) != checked.source_xxh3) {
    refuse_changed(config_.source->where(picture));
  }
  if (checked.verdict.fate == FileFate::kKept) return std::move(worker.picture.bytes);
  std::vector<std::byte> bytes = judge(worker, picture.name, stop).reencoded;
  check_internal(xxh3_64(bytes) == checked.stored_xxh3, "re-encoding gives the same bytes twice");
  return bytes;
}

ManifestShard ShardTask::write(const ShardPlan& plan, std::vector<CheckedPicture>& checked,
                               const std::filesystem::path& folder, const std::stop_token& stop) {
  std::vector<CheckedPicture*> stored;
  ShardWriterConfig config{.split = std::string(split_name(plan.split)),
                           .class_names = config_.class_names,
                           .num_samples = 0,
                           .payload_bytes = 0,
                           .store_names = config_.store_names};
  for (CheckedPicture& one : checked) {
    if (!one.is_stored()) continue;
    stored.push_back(&one);
    ++config.num_samples;
    config.payload_bytes += one.verdict.record.length_bytes;
  }
  ShardWriter writer(folder / plan.file_name(), std::move(config));
  OrderedWork<std::vector<std::byte>> work(
      work_config(stored.size(), config_.num_jobs), [&](unsigned thread_idx, std::size_t i) {
        return stored_bytes(workers_[thread_idx], *stored[i], stop);
      });
  work.run([&](std::size_t i, std::vector<std::byte> bytes) {
    const ListedPicture picture = (*config_.pictures)[stored[i]->picture_idx];
    IndexRecord record = stored[i]->verdict.record;
    record.class_idx = picture.class_idx;
    writer.add({.encoded = bytes, .record = record, .name = std::string(picture.name)});
  });
  return writer.finish();
}

}  // namespace penstock::convert
