// Names by 128-bit hashes, 16 bytes each however long they are: for lists, where a name is only asked for.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "streamer/core/checksum.h"

namespace penstock::care {

class NameDigests {
 public:
  void add(std::string_view name) { digests_.push_back(digest_of(name)); }
  /// Once, before names are asked for.
  void seal() { std::ranges::sort(digests_); }
  bool contains(std::string_view name) const {
    return std::ranges::binary_search(digests_, digest_of(name));
  }
  bool empty() const noexcept { return digests_.empty(); }

  static Digest128 digest_of(std::string_view name) noexcept {
    return xxh3_128(std::as_bytes(std::span(name)));
  }

 private:
  std::vector<Digest128> digests_;
};

}  // namespace penstock::care
