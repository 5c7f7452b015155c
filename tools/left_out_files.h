// What `penstock predict` passed over in folders: counted, and a few of them named.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::tools {

/// Memory of a few names, however many files there are.
class LeftOutFiles {
 public:
  /// Names that are said.
  static constexpr std::size_t kMaxNamed = 3;

  /// `why` is what it is instead of a picture: "link"; empty for a file of other content.
  void add(const std::string& path, const std::string& why = {});

  std::uint64_t count() const noexcept { return count_; }
  /// "2 files that are no pictures: a.jpg (link), notes.txt". Those that are called as pictures are come
  /// first. Printable.
  std::string text() const;

 private:
  std::uint64_t count_ = 0;
  std::vector<std::string> like_pictures_;  // the first kMaxNamed
  std::vector<std::string> others_;
};

}  // namespace penstock::tools
