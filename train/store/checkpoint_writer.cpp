#include "train/store/checkpoint_writer.h"

#include <span>
#include <system_error>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/file.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

bool make_folder(const fs::path& folder) {
  std::error_code failure;
  const bool is_made = fs::create_directory(folder, failure);
  if (failure) throw_io_error(failure.value(), "create folder", folder.native());
  return is_made;
}

/// The folder that a checkpoint is written in; removed unless it is published.
class UnpublishedFolder {
 public:
  explicit UnpublishedFolder(fs::path path) : path_(std::move(path)) {
    check_internal(make_folder(path_), "a serial of its own");
  }
  UnpublishedFolder(const UnpublishedFolder&) = delete;
  UnpublishedFolder& operator=(const UnpublishedFolder&) = delete;
  ~UnpublishedFolder() {
    std::error_code ignored;  // the next writer tries again
    if (!is_published_) fs::remove_all(path_, ignored);
  }

  const fs::path& path() const noexcept { return path_; }
  void publish_as(const fs::path& target) {
    sync_folder(path_);
    rename_to_new(path_, target);
    is_published_ = true;
    sync_folder(target.parent_path());
  }

 private:
  fs::path path_;
  bool is_published_ = false;
};

void write_state(const fs::path& path, const SealedState& sealed) {
  const std::string text = format_checkpoint_state(sealed);
  const UniqueFd file = create_new_file(path);
  write_at(file, 0, std::as_bytes(std::span(text)), path);
  sync_file(file, path);
}

}  // namespace

CheckpointEntry write_checkpoint(const fs::path& folder, CheckpointContent content) {
  const std::uint64_t serial = next_checkpoint_serial(folder);
  remove_checkpoint_leftovers(folder);
  if (make_folder(folder)) sync_folder(folder.parent_path());

  CheckpointEntry entry{.numbers = {.serial = serial, .step = content.state.step}};
  entry.path = folder / checkpoint_name(entry.numbers);
  SealedState sealed{.state = std::move(content.state)};
  if (sealed.state.best && sealed.state.best->checkpoint.empty()) {
    sealed.state.best->checkpoint = entry.name();
  }
  sealed.state.validate();  // before gigabytes are written

  UnpublishedFolder unpublished(unpublished_checkpoint(entry.path));
  const auto write = [&](TensorGroup group, const TensorSource& source) {
    sealed.seals[group] = write_tensors(unpublished.path() / tensor_file_name(group), source);
  };
  write(TensorGroup::kModel, content.model);
  write(TensorGroup::kOptimizer, content.optimizer);
  if (content.ema) write(TensorGroup::kEma, *content.ema);
  write_state(unpublished.path() / kCheckpointStateName, sealed);
  unpublished.publish_as(entry.path);
  return entry;
}

}  // namespace penstock::train
