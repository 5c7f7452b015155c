#include "train/run/folder/run_place.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <string>
#include <system_error>

#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"
#include "train/loop/checkpoint_tensors.h"
#include "train/run/folder/occupied_place.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHint = "choose another folder with -o";

/// The nearest one at or above `path` that is there, whatever it is.
fs::path nearest_existing(fs::path path) {
  std::error_code ignored;
  while (!fs::exists(path, ignored) && path.has_relative_path()) path = path.parent_path();
  return path;
}

/// A dataset is rewritten, copied and removed as one folder.
void check_outside_of_datasets(const fs::path& out) {
  std::error_code failure;
  fs::path place = fs::weakly_canonical(fs::absolute(out), failure);
  if (failure) place = fs::absolute(out);
  while (place.has_relative_path()) {
    place = place.parent_path();
    if (!is_dataset(place)) continue;
    throw Error(ErrorCode::kInvalidArgument,
                "run: " + out.native() + ": expected a place outside of the dataset " +
                    place.native() + ", found one inside",
                kHint);
  }
}

std::uint64_t bytes_of(const TensorSource& source) {
  std::uint64_t bytes = 0;
  for (const TensorSpec& tensor : source.tensors) {
    bytes += num_values(tensor) * sizeof(float);
  }
  return bytes;
}

/// Checkpoints that steps and epochs ask for, in the whole run, and the one at its end.
std::uint64_t num_foreseen(const RunSetup& setup) {
  const CheckpointTimes& times = setup.config.checkpoint;
  const std::uint64_t num_steps = setup.steps_per_epoch() * setup.config.epochs;
  return 1 + (times.every_epoch ? setup.config.epochs : 0) +
         (times.every_steps > 0 ? num_steps / times.every_steps : 0);
}

std::uint64_t bytes_in(const fs::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code failure;
  for (fs::recursive_directory_iterator file(folder, failure), end; !failure && file != end;
       file.increment(failure)) {
    std::error_code ignored;
    if (file->is_regular_file(ignored)) bytes += file->file_size(ignored);
  }
  return bytes;
}

}  // namespace

void check_run_place(const fs::path& out) {
  check_outside_of_datasets(out);
  const fs::path above = nearest_existing(fs::absolute(out).parent_path());
  std::error_code ignored;
  if (!fs::is_directory(above, ignored)) {
    throw Error(ErrorCode::kInvalidArgument,
                "run: " + out.native() + ": expected a folder at " + above.native() +
                    ", found something else",
                kHint);
  }
  std::string probe = (above / ".penstock-XXXXXX").native();
  if (::mkdtemp(probe.data()) == nullptr) {
    const int failure = errno;
    throw Error(ErrorCode::kIo,
                "run: " + out.native() + ": expected to make a folder in " + above.native() +
                    ", found " + std::generic_category().message(failure),
                kHint, failure);
  }
  ::rmdir(probe.c_str());
}

std::uint64_t planned_run_bytes(const RunSetup& setup) {
  Program& program = setup.programs->any_program();
  const std::uint64_t weights = bytes_of(tensor_source(program, TensorGroup::kModel));
  const std::uint64_t states = bytes_of(tensor_source(program, TensorGroup::kOptimizer));
  const std::uint64_t ema =
      keeps_ema(program) ? bytes_of(tensor_source(program, TensorGroup::kEma)) : 0;
  const std::uint64_t num_at_once = setup.config.num_checkpoints_kept + 2;  // the best, a new one
  // The weights twice: new ones are whole before they take the place of those before.
  return 2 * weights + std::min(num_foreseen(setup), num_at_once) * (weights + states + ema);
}

void check_run_room(const fs::path& out, std::uint64_t needed_bytes) {
  const fs::path place = nearest_existing(fs::absolute(out));
  struct statvfs disk {};
  // A file system that does not say how large it is cannot be asked.
  if (::statvfs(place.c_str(), &disk) != 0 || disk.f_blocks == 0) return;
  const std::uint64_t free_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize + bytes_in(out);
  if (free_bytes >= needed_bytes) return;
  const SizeTexts sizes = format_bytes_apart(needed_bytes, free_bytes);
  throw Error(ErrorCode::kIo,
              "run: " + out.native() + ": expected room for weights and checkpoints of " +
                  sizes.needed + ", found " + sizes.there,
              "free some space, another folder with -o, or fewer with --checkpoint.keep", ENOSPC);
}

}  // namespace penstock::train
