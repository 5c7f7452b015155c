// Somebody's HDF5 file, looked at in a child process: the library (1.10.8 divides by zero on some bent
// files, and keeps others open for good) may end there, by a signal or by time, and that is damage of the
// file. What it finds comes back through a pipe.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "streamer/core/file.h"

namespace penstock {

/// Threads  one per child; several children at once
class Hdf5Child {
 public:
  using Tell = std::function<void(std::string_view bytes)>;
  /// Runs in the child alone, within an Hdf5Session, with `tell` to be called for each thing found: at most
  /// kMaxToldBytes. What it throws, the parent's next() throws; an Internal, the library's own words, as
  /// CorruptData.
  using Work = std::function<void(const Tell& tell)>;
  static constexpr std::size_t kMaxToldBytes = std::size_t{64} << 20;

  /// Starts `work`. `where` and `hint` are for the error about damage: "shard: a.h5".
  /// Throws Io when no process can be started.
  Hdf5Child(std::string where, std::string hint, const Work& work);
  Hdf5Child(const Hdf5Child&) = delete;
  Hdf5Child& operator=(const Hdf5Child&) = delete;
  /// Ends the child if it still works.
  ~Hdf5Child();

  /// What is looked at from now on, for the error about damage; at first, `where` of the constructor.
  void look_at(std::string where) { where_ = std::move(where); }

  /// Waits for the next thing told; nothing when all has been. Errors: those of `work`; CorruptData when
  /// the child ends before, or takes more than a minute for one thing.
  std::optional<std::string> next();

  /// All that is told.
  std::vector<std::string> all();

 private:
  [[noreturn]] void throw_broken() const;
  bool read_whole(char* bytes, std::size_t num_bytes) const;

  std::string where_;
  std::string hint_;
  UniqueFd from_;
  pid_t child_ = -1;
};

}  // namespace penstock
