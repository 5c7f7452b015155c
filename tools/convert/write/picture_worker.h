// One thread's part of a conversion: reads pictures, and finds out what becomes of each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include "tools/convert/duplicate/copy_search.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/reason/name_reasons.h"
#include "tools/convert/source/picture_source.h"
#include "tools/convert/write/turn_budget.h"

namespace penstock::convert {

/// What was found out about one picture.
struct CheckedPicture {
  std::uint32_t picture_idx = 0;  // in the list
  ImageVerdict verdict;
  std::vector<std::byte> bytes;  // to be stored; empty when it is not
  Digest128 content{};           // content_digest() of what was read

  bool is_stored() const noexcept { return convert::is_stored(verdict.fate); }
  /// Whether duplicates.csv may be about it.
  bool counts_as_copy = false;
  std::optional<std::uint64_t> look;  // look_hash() of what is stored, where looks are taken
  std::uint64_t needed_bytes = 0;     // file and check; 0 where that is more than one picture has
};

/// Some of a chunk's pictures, in order.
struct CheckedBatch {
  std::vector<CheckedPicture> pictures;
  std::uint64_t held_bytes = 0;  // of the budget: given back once the bytes are gone
};

struct PictureWorkerConfig {
  const PictureList* pictures = nullptr;   // outlives the worker
  const PictureSource* source = nullptr;   // outlives the worker
  const NameReasons* names = nullptr;      // outlives the worker
  const DroppedCopies* dropped = nullptr;  // outlives the worker
  CheckSettings check{};
  /// What one picture may take, file included; a larger one is quarantined.
  std::uint64_t one_picture_bytes = UINT64_MAX;
  /// Pictures of a chunk that together take more are checked one after another, each with its own
  /// memory.
  std::uint64_t together_bytes = 8u << 20;
};

/// Threads  one worker per thread: it keeps its decoder's buffers
class PictureWorker {
 public:
  using Emit = std::function<void(CheckedBatch batch)>;

  PictureWorker(const PictureWorkerConfig& config, TurnBudget& budget);

  /// Reads and checks the pictures at `picture_idxs`; `turn` is the chunk's place among all.
  ///
  /// Errors  what would meet every picture: a source that fails, a picture that is not as it was
  ///         listed, Stopped
  void check(std::span<const std::uint32_t> picture_idxs, std::size_t turn, const Emit& emit,
             const std::stop_token& stop);

 private:
  struct ReadPicture {
    SourcePicture picture;
    std::optional<ImageVerdict> refusal;  // when there is nothing to check
    std::uint64_t price_bytes = 0;        // that checking it takes beside its bytes
    std::uint64_t needed_bytes = 0;       // as CheckedPicture says
  };

  ReadPicture read(std::uint32_t picture_idx, const std::stop_token& stop);
  void price(ReadPicture& one);
  CheckedPicture check_one(std::uint32_t picture_idx, ReadPicture& one,
                           const std::stop_token& stop);
  void leave_out_copy(CheckedPicture& checked) const;
  void check_large(std::uint32_t picture_idx, std::size_t turn, const Emit& emit,
                   const std::stop_token& stop);
  void check_one_by_one(std::span<const std::uint32_t> picture_idxs, std::vector<ReadPicture>& all,
                        const Emit& emit, const std::stop_token& stop);

  const PictureWorkerConfig config_;
  TurnBudget& budget_;
  ImageChecker checker_;
};

}  // namespace penstock::convert
