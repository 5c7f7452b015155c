// The samples that a network got most wrong: where wrong labels and odd pictures are found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace penstock::train {

/// A sample whose highest score is not its label.
struct Mistake {
  std::uint64_t sample_id = 0;
  std::uint32_t label_idx = 0;
  std::uint32_t predicted_idx = 0;
  double predicted_probability = 0;
  /// -log of the label's probability.
  double loss = 0;
};

/// Keeps the mistakes of highest loss, at most `capacity`; of equal ones those of the lowest sample id,
/// so that the order of samples does not matter.
class WorstMistakes {
 public:
  explicit WorstMistakes(std::size_t capacity);

  static std::uint64_t bytes_for(std::size_t capacity) { return capacity * sizeof(Mistake); }

  void add(const Mistake& mistake);
  /// Keeps its own capacity.
  void merge(const WorstMistakes& other);

  /// Worst first.
  std::vector<Mistake> list() const;

 private:
  std::size_t capacity_;
  std::vector<Mistake> heap_;  // the least bad on top
};

}  // namespace penstock::train
