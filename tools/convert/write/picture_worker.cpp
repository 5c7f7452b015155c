#include "tools/convert/write/picture_worker.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"
#include "tools/convert/duplicate/content_print.h"
#include "tools/convert/duplicate/look_hash.h"
#include "tools/convert/source/source_fault.h"
#include "tools/convert/write/picture_chunks.h"

namespace penstock::convert {
namespace {

void check_stop(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: conversion: on request");
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

ImageVerdict above_memory(std::uint64_t needed_bytes, std::uint64_t there_bytes) {
  const SizeTexts sizes = format_bytes_apart(needed_bytes, there_bytes);
  // Half of the limit is what one picture has, whatever the number of threads.
  const std::uint64_t limit_mib = ((2 * needed_bytes - 1) >> 20) + 1;
  return quarantined(ReasonCode::kAboveMemory,
                     fmt::format("takes {}, one picture has {}: --memory {}M is enough",
                                 sizes.needed, sizes.there, limit_mib));
}

}  // namespace

PictureWorker::PictureWorker(const PictureWorkerConfig& config, TurnBudget& budget)
    : config_(config), budget_(budget), checker_(config.check) {}

PictureWorker::ReadPicture PictureWorker::read(std::uint32_t picture_idx,
                                               const std::stop_token& stop) {
  check_stop(stop);
  ReadPicture one;
  try {
    config_.source->read((*config_.pictures)[picture_idx], one.picture);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kCorruptData) {
      one.refusal = quarantined(ReasonCode::kDamaged, error.what());
    } else if (error.os_error() == EFBIG) {
      one.refusal = quarantined(ReasonCode::kFileTooLarge, "");
    } else if (concerns_one_file(error)) {
      one.refusal = quarantined(ReasonCode::kUnreadable, error.what());
    } else {
      throw_source_fault(error);
    }
    std::vector<std::byte>().swap(one.picture.bytes);
  }
  return one;
}

void PictureWorker::price(ReadPicture& one) {
  if (one.refusal) return;
  one.price_bytes = checker_.checking_bytes(one.picture);
  const std::uint64_t needed_bytes = one.picture.bytes.size() + one.price_bytes;
  if (needed_bytes <= config_.one_picture_bytes) {
    one.needed_bytes = needed_bytes;
    return;
  }
  one.refusal = above_memory(needed_bytes, config_.one_picture_bytes);
  one.price_bytes = 0;
}

CheckedPicture PictureWorker::check_one(std::uint32_t picture_idx, ReadPicture& one,
                                        const std::stop_token& stop) {
  CheckedPicture checked{.picture_idx = picture_idx,
                         .verdict = {},
                         .bytes = {},
                         .look = {},
                         .needed_bytes = one.needed_bytes};
  if (one.refusal) {
    checked.verdict = std::move(*one.refusal);
  } else {
    const std::string_view name = config_.pictures->name(picture_idx);
    const bool is_sample = one.picture.codec.has_value();
    ReasonSet others = config_.names->of(picture_idx, name);
    // In a dataset somebody has chosen to keep it without one.
    const bool lacks_label =
        !is_sample && (*config_.pictures)[picture_idx].class_idx == kUnlabelled;
    others.add_if(lacks_label, ReasonCode::kRowWithoutLabel);
    const std::string_view failed = one.picture.failed_checksum;
    others.add_if(!failed.empty(), ReasonCode::kFailedChecksum);
    checked.verdict = checker_.check(one.picture, name, stop, others);
    if (checked.verdict.fate == FileFate::kQuarantined &&
        checked.verdict.reason == ReasonCode::kFailedChecksum) {
      checked.verdict.detail = failed;
    }
    checked.counts_as_copy = checked.is_stored();
    if (checked.counts_as_copy) {
      checked.content = content_digest(one.picture);
      leave_out_copy(checked);
    }
    if (config_.check.takes_luma_cells && checked.is_stored()) {
      checked.look = look_hash(checked.verdict.luma_cells, checked.verdict.record.orientation);
    }
    LumaCells().swap(checked.verdict.luma_cells);
  }
  // Of some pictures alone they would be no statistics.
  if (config_.check.depth == CheckDepth::kHeader) checked.verdict.sums = {};
  if (is_made_anew(checked.verdict.fate)) {
    checked.bytes = std::move(checked.verdict.reencoded);
  } else if (checked.is_stored()) {
    checked.bytes = std::move(one.picture.bytes);
  }
  one = {};
  return checked;
}

void PictureWorker::leave_out_copy(CheckedPicture& checked) const {
  const DroppedCopies::Copy* const copy = config_.dropped->find(checked.picture_idx);
  if (copy == nullptr) return;
  checked.verdict = quarantined(
      copy->reason, "the same bytes as " + std::string(config_.pictures->name(copy->other_idx)));
}

// Drawn before it is read. One picture: nobody after it waits for its result.
void PictureWorker::check_large(std::uint32_t picture_idx, std::size_t turn, const Emit& emit,
                                const std::stop_token& stop) {
  const std::uint64_t size_bytes = (*config_.pictures)[picture_idx].size_bytes;
  budget_.await(turn);
  ReadPicture one;
  std::uint64_t drawn_bytes = 0;
  if (size_bytes > kMaxFileBytes) {
    one.refusal = quarantined(ReasonCode::kFileTooLarge, "");
  } else if (size_bytes > config_.one_picture_bytes) {
    one.refusal = above_memory(size_bytes, config_.one_picture_bytes);
  } else {
    budget_.draw(size_bytes);
    one = read(picture_idx, stop);
    price(one);
    // A smaller limit would not have it read, whatever came of that.
    one.needed_bytes = std::max(one.needed_bytes, size_bytes);
    budget_.draw(one.price_bytes);
    drawn_bytes = size_bytes + one.price_bytes;
  }
  budget_.pass();
  CheckedBatch batch;
  batch.pictures.push_back(check_one(picture_idx, one, stop));
  batch.held_bytes = std::min(drawn_bytes, std::uint64_t{batch.pictures[0].bytes.capacity()});
  budget_.give_back(drawn_bytes - batch.held_bytes);
  emit(std::move(batch));
}

void PictureWorker::check(std::span<const std::uint32_t> picture_idxs, std::size_t turn,
                          const Emit& emit, const std::stop_token& stop) {
  if (picture_idxs.size() == 1 && (*config_.pictures)[picture_idxs[0]].size_bytes > kChunkBytes) {
    return check_large(picture_idxs[0], turn, emit, stop);
  }
  std::vector<ReadPicture> all;
  all.reserve(picture_idxs.size());
  std::uint64_t file_bytes = 0;
  std::uint64_t price_bytes = 0;
  for (const std::uint32_t picture_idx : picture_idxs) {
    all.push_back(read(picture_idx, stop));
    price(all.back());
    file_bytes += all.back().picture.bytes.size();
    price_bytes += all.back().price_bytes;
  }
  budget_.await(turn);
  if (all.size() > 1 && file_bytes + price_bytes > config_.together_bytes) {
    return check_one_by_one(picture_idxs, all, emit, stop);
  }
  budget_.draw(file_bytes + price_bytes);
  budget_.pass();
  CheckedBatch batch;
  batch.pictures.reserve(all.size());
  std::uint64_t result_bytes = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    batch.pictures.push_back(check_one(picture_idxs[i], all[i], stop));
    result_bytes += batch.pictures.back().bytes.capacity();
  }
  batch.held_bytes = std::min(result_bytes, file_bytes + price_bytes);
  budget_.give_back(file_bytes + price_bytes - batch.held_bytes);
  emit(std::move(batch));
}

// Keeps its turn, so that each picture finds the memory that those before it have given back.
void PictureWorker::check_one_by_one(std::span<const std::uint32_t> picture_idxs,
                                     std::vector<ReadPicture>& all, const Emit& emit,
                                     const std::stop_token& stop) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::uint64_t drawn_bytes = all[i].picture.bytes.size() + all[i].price_bytes;
    budget_.draw(drawn_bytes);
    if (i + 1 == all.size()) budget_.pass();
    CheckedBatch batch;
    batch.pictures.push_back(check_one(picture_idxs[i], all[i], stop));
    batch.held_bytes = std::min(drawn_bytes, std::uint64_t{batch.pictures[0].bytes.capacity()});
    budget_.give_back(drawn_bytes - batch.held_bytes);
    emit(std::move(batch));
  }
}

}  // namespace penstock::convert
