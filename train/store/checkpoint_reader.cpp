#include "train/store/checkpoint_reader.h"

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

}  // namespace

CheckpointReader CheckpointReader::open(const std::filesystem::path& path) {
  CheckpointReader reader;
  reader.path_ = path;
  const std::filesystem::path state_path = path / kCheckpointStateName;
  SealedState sealed =
      parse_checkpoint_state(read_text_file(state_path, kMaxStateBytes), state_path.native());
  check_step(state_path, sealed.state);
  reader.state_ = std::move(sealed.state);
  for (const auto& [group, seal] : sealed.seals) {
    reader.files_.emplace(group, SafetensorsReader::open(path / tensor_file_name(group), seal));
  }
  return reader;
}

const std::string& CheckpointReader::part(std::string_view name) const {
  const auto found = state_.parts.find(std::string(name));
  if (found != state_.parts.end()) return found->second;
  throw Error(ErrorCode::kCorruptData, "checkpoint: " + path_.native() + ": parts: expected \"" +
                                           std::string(name) + "\", found none");
}

}  // namespace penstock::train
