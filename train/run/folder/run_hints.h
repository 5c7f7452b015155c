// What to type where a folder is not the run that it was taken for, or lacks a part of it.
#pragma once

#include <filesystem>
#include <string>

#include "streamer/core/error.h"

namespace penstock::train {

/// Whether the weights in `folder` are those that their record vouches for.
/// Cost  reads them
bool has_whole_weights(const std::filesystem::path& folder);

/// For a `folder` that no run can be taken from: begins one there where nothing is in the way, and elsewhere
/// otherwise; from the weights in it, where they are whole.
std::string hint_without_run(const std::filesystem::path& folder);

/// For a `run` none of whose checkpoints is whole: another one, from its weights where they are.
std::string hint_without_checkpoint(const std::filesystem::path& run);

/// For an `error` of beginning to write into a `run` that goes on: a folder that cannot be written to, or something
/// of another kind in the place of a file. Empty for other errors.
std::string hint_in_the_way(const std::filesystem::path& run, const Error& error);

/// `error` of reading the model of `run`, with the line that brings it back from a checkpoint as its hint where
/// one is whole; else with its own hint, or the line that trains the model again.
/// Cost  reads a checkpoint
Error with_way_back(const Error& error, const std::filesystem::path& run);

}  // namespace penstock::train
