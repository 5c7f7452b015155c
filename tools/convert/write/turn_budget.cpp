#include "tools/convert/write/turn_budget.h"

#include "streamer/core/error.h"

namespace penstock::convert {

void TurnBudget::check_halted() const {
  if (is_halted_) throw Error(ErrorCode::kStopped, "stopped: conversion: on request");
}

void TurnBudget::await(std::size_t turn) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return is_halted_ || turn_ == turn; });
  check_halted();
}

void TurnBudget::draw(std::uint64_t bytes) {
  check_internal(bytes <= limit_bytes_, "what is drawn fits the budget when it is alone");
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return is_halted_ || used_bytes_ + bytes <= limit_bytes_; });
  check_halted();
  used_bytes_ += bytes;
}

void TurnBudget::pass() {
  {
    const std::lock_guard lock(mutex_);
    ++turn_;
  }
  changed_.notify_all();
}

void TurnBudget::give_back(std::uint64_t bytes) noexcept {
  if (bytes == 0) return;
  {
    const std::lock_guard lock(mutex_);
    used_bytes_ -= bytes;
  }
  changed_.notify_all();
}

void TurnBudget::halt() noexcept {
  {
    const std::lock_guard lock(mutex_);
    is_halted_ = true;
  }
  changed_.notify_all();
}

}  // namespace penstock::convert
