#include "streamer/order/windowed_order.h"

#include <algorithm>

namespace penstock {
namespace {

__extension__ using Wide = unsigned __int128;

// value * numerator / denominator, rounded down, without overflow.
std::uint64_t scaled(std::uint64_t value, std::uint64_t numerator, std::uint64_t denominator) {
  return static_cast<std::uint64_t>(Wide{value} * numerator / denominator);
}

std::uint64_t num_pieces(const ShardExtent& shard, std::uint64_t piece_bytes) noexcept {
  const std::uint64_t by_bytes =
      shard.size_bytes / piece_bytes + (shard.size_bytes % piece_bytes != 0 ? 1 : 0);
  return std::clamp<std::uint64_t>(by_bytes, 1, shard.num_samples);
}

struct Totals {
  std::uint64_t num_samples = 0;
  std::uint64_t num_pieces = 0;
  std::uint64_t bytes = 0;
};

Totals totals_of(std::span<const ShardExtent> shards, std::uint64_t piece_bytes) noexcept {
  Totals totals;
  for (const ShardExtent& shard : shards) {
    totals.num_samples += shard.num_samples;
    totals.num_pieces += num_pieces(shard, piece_bytes);
    totals.bytes += shard.size_bytes;
  }
  return totals;
}

// The first window and the last may be short.
std::uint64_t most_windows(const Totals& totals, std::uint64_t window_bytes) noexcept {
  return std::min(totals.bytes / window_bytes + 2, totals.num_samples);
}

// Which samples and bytes the pieces hold, by their number in the order of sample indices.
class PieceList {
 public:
  struct Piece {
    std::uint64_t first_sample_id = 0;
    std::uint64_t num_samples = 0;
    std::uint64_t size_bytes = 0;
  };

  PieceList(std::span<const ShardExtent> shards, std::uint64_t piece_bytes) : shards_(shards) {
    first_pieces_.reserve(shards.size());
    first_ids_.reserve(shards.size());
    std::uint64_t next_id = 0;
    for (const ShardExtent& shard : shards) {
      first_pieces_.push_back(size_);
      first_ids_.push_back(next_id);
      size_ += num_pieces(shard, piece_bytes);
      next_id += shard.num_samples;
    }
  }

  std::uint64_t size() const noexcept { return size_; }

  Piece piece(std::uint64_t piece_idx) const {
    const auto after = std::ranges::upper_bound(first_pieces_, piece_idx);
    const auto shard_idx = static_cast<std::size_t>(after - first_pieces_.begin()) - 1;
    const ShardExtent& shard = shards_[shard_idx];
    const std::uint64_t nr = piece_idx - first_pieces_[shard_idx];
    const std::uint64_t count =
        (after == first_pieces_.end() ? size_ : *after) - first_pieces_[shard_idx];
    const std::uint64_t begin = scaled(shard.num_samples, nr, count);
    return {.first_sample_id = first_ids_[shard_idx] + begin,
            .num_samples = scaled(shard.num_samples, nr + 1, count) - begin,
            .size_bytes =
                scaled(shard.size_bytes, nr + 1, count) - scaled(shard.size_bytes, nr, count)};
  }

 private:
  std::span<const ShardExtent> shards_;
  std::vector<std::uint64_t> first_pieces_;  // by shard
  std::vector<std::uint64_t> first_ids_;     // by shard
  std::uint64_t size_ = 0;
};

// Looks for a stop once in a few thousand steps, which take less than a millisecond.
class StopLook {
 public:
  explicit StopLook(const std::stop_token& stop) : stop_(stop) {}

  bool sees_stop() noexcept { return num_steps_++ % kStepsALook == 0 && stop_.stop_requested(); }

 private:
  static constexpr std::uint64_t kStepsALook = 4096;
  const std::stop_token& stop_;
  std::uint64_t num_steps_ = 0;
};

// The length of the first window, 1 to window_bytes.
std::uint64_t first_window_bytes(const WindowedOrder::Config& config) noexcept {
  const Feistel feistel(
      {.seed = config.seed, .epoch = config.epoch, .stream = Feistel::Stream::kWindows});
  return 1 + feistel.permute(0, {.size = config.window_bytes});
}

// The last entry of `begins` that is not above `position`. Without branches on what is found: at
// random places they would be mispredicted half the time.
std::size_t part_at(const std::vector<std::uint64_t>& begins, std::uint64_t position) noexcept {
  const std::uint64_t* first = begins.data();
  for (std::size_t size = begins.size(); size > 1;) {
    const std::size_t half = size / 2;
    first += first[half] <= position ? half : 0;
    size -= half;
  }
  return static_cast<std::size_t>(first - begins.data());
}

}  // namespace

WindowedOrder::WindowedOrder(std::span<const ShardExtent> shards, const Config& config)
    : WindowedOrder(config) {
  lay_out(shards, config, {});
}

std::optional<WindowedOrder> WindowedOrder::make(std::span<const ShardExtent> shards,
                                                 const Config& config,
                                                 const std::stop_token& stop) {
  WindowedOrder order(config);
  if (!order.lay_out(shards, config, stop)) return std::nullopt;
  return order;
}

bool WindowedOrder::lay_out(std::span<const ShardExtent> shards, const Config& config,
                            const std::stop_token& stop) {
  const Totals totals = totals_of(shards, config.piece_bytes);
  const PieceList pieces(shards, config.piece_bytes);
  const Feistel of_pieces(
      {.seed = config.seed, .epoch = config.epoch, .stream = Feistel::Stream::kPieces});
  piece_begins_.reserve(totals.num_pieces + 1);
  piece_begins_.push_back(0);
  first_sample_ids_.reserve(totals.num_pieces);
  window_begins_.reserve(most_windows(totals, config.window_bytes) + 1);
  window_begins_.push_back(0);

  // A window as large as all is one window, however short the first one would be.
  const bool is_cut = config.window_bytes < totals.bytes;
  std::uint64_t cut_bytes = is_cut ? first_window_bytes(config) : totals.bytes;
  std::uint64_t row_bytes = 0;
  StopLook look(stop);
  for (std::uint64_t i = 0; i < totals.num_pieces; ++i) {
    if (look.sees_stop()) return false;
    const auto piece = pieces.piece(of_pieces.permute(i, {.size = totals.num_pieces}));
    const std::uint64_t begin = piece_begins_.back();
    for (; cut_bytes < row_bytes + piece.size_bytes; cut_bytes += config.window_bytes) {
      if (look.sees_stop()) return false;  // a piece may be a whole shard of many windows
      const std::uint64_t cut =
          begin + scaled(piece.num_samples, cut_bytes - row_bytes, piece.size_bytes);
      if (cut > window_begins_.back()) window_begins_.push_back(cut);
    }
    first_sample_ids_.push_back(piece.first_sample_id);
    piece_begins_.push_back(begin + piece.num_samples);
    row_bytes += piece.size_bytes;
  }
  window_begins_.push_back(totals.num_samples);
  return true;
}

std::uint64_t WindowedOrder::price_bytes(std::span<const ShardExtent> shards,
                                         const Config& config) noexcept {
  const Totals totals = totals_of(shards, config.piece_bytes);
  const std::uint64_t num_numbers =
      2 * totals.num_pieces + 1 + 2 * shards.size() + most_windows(totals, config.window_bytes) + 1;
  return num_numbers * sizeof(std::uint64_t);
}

std::uint64_t WindowedOrder::sample_at(std::uint64_t position) const noexcept {
  const std::size_t window = part_at(window_begins_, position);
  const std::uint64_t begin = window_begins_[window];
  const std::uint64_t size = window_begins_[window + 1] - begin;
  const std::uint64_t place =
      begin + feistel_.permute(position - begin, {.size = size, .tweak = window + 1});
  const std::size_t piece = part_at(piece_begins_, place);
  return first_sample_ids_[piece] + place - piece_begins_[piece];
}

}  // namespace penstock
