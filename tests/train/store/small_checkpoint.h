// A checkpoint of some hundred bytes whose every value follows from its step.
#pragma once

#include <filesystem>
#include <string>

#include "train/store/checkpoint_writer.h"

namespace penstock::tests {

enum class HasEma { kNo, kYes };

/// Weights of two layers, a momentum for each, and a state with something in every field.
train::CheckpointContent small_checkpoint(std::uint64_t step, HasEma has_ema = HasEma::kYes);

/// Says what of an opened checkpoint is not as small_checkpoint() of its step makes it; empty: nothing.
std::string difference_from_small(const train::CheckpointReader& checkpoint,
                                  HasEma has_ema = HasEma::kYes);

/// A disk in memory, where there is one: to wait for flushes would be most of these tests' time.
std::filesystem::path quick_disk();

}  // namespace penstock::tests
