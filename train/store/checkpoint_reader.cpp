#include "train/store/checkpoint_reader.h"

#include <system_error>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "train/store/checkpoint_name.h"

namespace penstock::train {
namespace {

/// A checkpoint under another's name would be taken for newer or older than it is.
void check_step(const std::filesystem::path& state_path, const CheckpointState& state) {
  const auto numbers = parse_checkpoint_name(state_path.parent_path().filename().native());
  if (!numbers || numbers->step == state.step) return;
  throw Error(ErrorCode::kCorruptData, "checkpoint: " + state_path.native() + ": expected step " +
                                           std::to_string(numbers->step) + ", found " +
                                           std::to_string(state.step));
}

/// What stands in the place of a file is damage of this checkpoint; read as a file, it would count as a failure
/// of the system, which ends the search.
void check_is_file(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto found = std::filesystem::status(path, ignored);
  if (!std::filesystem::exists(found) || std::filesystem::is_regular_file(found)) return;
  throw Error(ErrorCode::kCorruptData,
              "checkpoint: " + path.native() + ": expected a file, found " +
                  (std::filesystem::is_directory(found) ? "a folder" : "something else"));
}

SealedState read_sealed_state(const std::filesystem::path& path) {
  const std::filesystem::path state_path = path / kCheckpointStateName;
  check_is_file(state_path);
  SealedState sealed =
      parse_checkpoint_state(read_text_file(state_path, kMaxStateBytes), state_path.native());
  check_step(state_path, sealed.state);
  return sealed;
}

}  // namespace

CheckpointReader CheckpointReader::open(const std::filesystem::path& path) {
  CheckpointReader reader;
  reader.path_ = path;
  SealedState sealed = read_sealed_state(path);
  reader.state_ = std::move(sealed.state);
  for (const auto& [group, seal] : sealed.seals) {
    const std::filesystem::path file = path / tensor_file_name(group);
    check_is_file(file);
    reader.files_.emplace(group, SafetensorsReader::open(file, seal));
  }
  return reader;
}

CheckpointState CheckpointReader::read_state(const std::filesystem::path& path) {
  return read_sealed_state(path).state;
}

const std::string& CheckpointReader::part(std::string_view name) const {
  const auto found = state_.parts.find(std::string(name));
  if (found != state_.parts.end()) return found->second;
  throw Error(ErrorCode::kCorruptData, "checkpoint: " + path_.native() + ": parts: expected \"" +
                                           std::string(name) + "\", found none");
}

}  // namespace penstock::train
