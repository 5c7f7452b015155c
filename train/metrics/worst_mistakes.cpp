#include "train/metrics/worst_mistakes.h"

#include <algorithm>

namespace penstock::train {
namespace {

bool is_worse(const Mistake& a, const Mistake& b) {
  if (a.loss != b.loss) return a.loss > b.loss;
  return a.sample_id < b.sample_id;
}

}  // namespace

WorstMistakes::WorstMistakes(std::size_t capacity) : capacity_(capacity) {
  heap_.reserve(capacity);
}

void WorstMistakes::add(const Mistake& mistake) {
  if (heap_.size() < capacity_) {
    heap_.push_back(mistake);
    std::ranges::push_heap(heap_, is_worse);
    return;
  }
  if (heap_.empty() || !is_worse(mistake, heap_.front())) return;
  std::ranges::pop_heap(heap_, is_worse);
  heap_.back() = mistake;
  std::ranges::push_heap(heap_, is_worse);
}

void WorstMistakes::merge(const WorstMistakes& other) {
  for (const Mistake& mistake : other.heap_) add(mistake);
}

std::vector<Mistake> WorstMistakes::list() const {
  std::vector<Mistake> sorted = heap_;
  std::ranges::sort(sorted, is_worse);
  return sorted;
}

}  // namespace penstock::train
