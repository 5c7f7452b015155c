#include "tools/convert/duplicate/copy_search.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <exception>
#include <mutex>
#include <thread>

#include "streamer/core/error.h"
#include "tools/convert/duplicate/print_runs.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/image/picture_reasons.h"
#include "tools/convert/source/source_fault.h"

namespace penstock::convert {
namespace {

// Taken by a thread at once.
constexpr std::size_t kStride = 64;
constexpr std::uint64_t kLargeBytes = 4u << 20;

bool is_of_one_file(const Error& error) {
  const bool is_refusal = error.code() == ErrorCode::kIo || error.code() == ErrorCode::kNotFound;
  return is_refusal && (error.os_error() == 0 || error.os_error() == EFBIG ||
                        concerns_one_path(error.os_error()));
}

class CopySearch {
 public:
  CopySearch(const CopySearchConfig& config, const std::stop_token& stop)
      : config_(config), stop_(stop), prints_(config.folder, kSearchPrintsName, 0) {}

  ~CopySearch() {
    std::error_code ignored;  // a destructor has nobody to tell
    std::filesystem::remove(prints_.path(), ignored);
  }

  DroppedCopies run() {
    {
      std::vector<std::jthread> threads;
      for (unsigned i = 0; i < config_.num_jobs; ++i) threads.emplace_back([this] { work(); });
    }
    if (error_) std::rethrow_exception(error_);
    runs_.push_back(prints_.end_run());
    std::vector<DroppedCopies::Copy> copies;
    visit_groups(prints_, runs_, config_.folder, {}, [&](std::vector<std::uint32_t>& group) {
      resolve_copies(group, *config_.pictures, config_.policies, [&](const CopyFinding& finding) {
        const bool is_the_cause =
            finding.is_dropped && config_.policies[finding.reason] == Policy::kQuarantine;
        if (!is_the_cause || (!copies.empty() && copies.back().picture_idx == finding.picture_idx))
          return;
        copies.push_back({.picture_idx = finding.picture_idx,
                          .other_idx = finding.other_idx,
                          .reason = finding.reason});
      });
    });
    return DroppedCopies(std::move(copies));
  }

 private:
  void work() {
    try {
      while (!is_halted_) {
        const std::size_t begin = next_.fetch_add(kStride);
        if (begin >= config_.pictures->size()) return;
        look_at(begin, std::min(begin + kStride, config_.pictures->size()));
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      is_halted_ = true;
    }
  }

  void look_at(std::size_t begin, std::size_t end) {
    std::vector<ContentPrint> found;
    SourcePicture picture;
    for (std::size_t i = begin; i < end; ++i) {
      if (stop_.stop_requested()) {
        throw Error(ErrorCode::kStopped, "stopped: conversion: on request");
      }
      const auto idx = static_cast<std::uint32_t>(i);
      if (is_quarantined_by_name(idx)) continue;
      const std::uint64_t size_bytes = (*config_.pictures)[i].size_bytes;
      if (size_bytes > std::min(kMaxFileBytes, config_.one_picture_bytes)) continue;
      std::unique_lock<std::mutex> alone(large_, std::defer_lock);
      if (size_bytes > kLargeBytes) alone.lock();
      if (read(idx, picture) && may_be_stored(idx, picture)) {
        found.push_back({.digest = content_digest(picture), .picture_idx = idx});
      }
      if (alone) std::vector<std::byte>().swap(picture.bytes);
    }
    const std::lock_guard lock(mutex_);
    for (const ContentPrint& print : found) prints_.add(print);
    if (prints_.num_open() >= config_.prints_in_run) runs_.push_back(prints_.end_run());
  }

  bool read(std::uint32_t idx, SourcePicture& picture) const {
    try {
      picture.raw.reset();
      config_.source->read((*config_.pictures)[idx], picture);
      return true;
    } catch (const Error& error) {
      if (!is_of_one_file(error)) throw;
      return false;
    }
  }

  bool is_quarantined_by_name(std::uint32_t idx) const {
    const ReasonSet reasons = config_.names->of(idx, config_.pictures->name(idx));
    return config_.policies.first_with(Policy::kQuarantine, reasons).has_value();
  }

  bool may_be_stored(std::uint32_t idx, const SourcePicture& picture) const {
    if (picture.raw) return true;
    const ImageFormat format = detect_format(picture.bytes);
    if (format != ImageFormat::kJpeg && !is_foreign_format(format)) return false;
    return config_.policies[ReasonCode::kWrongExtension] != Policy::kQuarantine ||
           !has_wrong_extension(config_.pictures->name(idx), format);
  }

  const CopySearchConfig& config_;
  const std::stop_token& stop_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> is_halted_ = false;
  std::mutex large_;  // held by whoever reads a large file
  std::mutex mutex_;
  PrintFile prints_;            // guarded by mutex_
  std::vector<PrintRun> runs_;  // guarded by mutex_
  std::exception_ptr error_;    // guarded by mutex_
};

}  // namespace

DroppedCopies::DroppedCopies(std::vector<Copy> copies) : copies_(std::move(copies)) {
  std::ranges::sort(copies_, {}, &Copy::picture_idx);
}

const DroppedCopies::Copy* DroppedCopies::find(std::uint32_t picture_idx) const noexcept {
  const auto found = std::ranges::lower_bound(copies_, picture_idx, {}, &Copy::picture_idx);
  return found != copies_.end() && found->picture_idx == picture_idx ? &*found : nullptr;
}

bool drops_copies(const ReasonPolicies& policies) {
  return policies.first_with(Policy::kQuarantine, copy_reasons()).has_value();
}

DroppedCopies find_dropped_copies(const CopySearchConfig& config, const std::stop_token& stop) {
  return CopySearch(config, stop).run();
}

}  // namespace penstock::convert
