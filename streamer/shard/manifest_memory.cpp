#include "streamer/shard/manifest_memory.h"

#include <algorithm>
#include <string>

namespace penstock {
namespace {

// A piece of malloc's: 8 bytes more, in steps of 16.
constexpr std::uint64_t allocated_bytes(std::uint64_t size_bytes) noexcept {
  return std::max<std::uint64_t>((size_bytes + 8 + 15) / 16 * 16, 32);
}

// What a text of this length takes beside the std::string itself.
constexpr std::uint64_t text_bytes(std::uint64_t length) noexcept {
  constexpr std::uint64_t kLengthWithin = 15;
  return length <= kLengthWithin ? 0 : allocated_bytes(length + 1);
}

// A value in an array of the JSON document, of 16 bytes. The arrays double when they are full; one
// after the other, names or counts of a split, is twice there when it does, and when it is destroyed.
constexpr std::uint64_t kJsonValueBytes = 4 * 16;
constexpr std::uint64_t kJsonTextBytes = kJsonValueBytes + allocated_bytes(sizeof(std::string));
// Indentation, quotes, comma and end of line, of a name and of a count.
constexpr std::uint64_t kNameFrameBytes = 4 + 2 + 2;
constexpr std::uint64_t kCountTextBytes = 8 + 20 + 2;

std::uint64_t escaped_length(const std::string& name) noexcept {
  std::uint64_t length = name.size();
  for (const char c : name) {
    if (c == '"' || c == '\\') length += 1;
    if (static_cast<unsigned char>(c) < 0x20) length += 5;  // \u0001
  }
  return length;
}

}  // namespace

std::uint64_t classes_bytes(const Manifest& manifest) noexcept {
  const std::uint64_t num_classes = manifest.class_names.size();
  std::uint64_t held = 0;  // from then on
  std::uint64_t json = 0;
  std::uint64_t text = 0;
  std::uint64_t longest = 0;
  for (const std::string& name : manifest.class_names) {
    held += sizeof(std::string) + text_bytes(name.size());
    json += kJsonTextBytes + text_bytes(2 * name.size());  // with the reader's spare capacity
    text += kNameFrameBytes + escaped_length(name);
    longest = std::max<std::uint64_t>(longest, name.size());
  }
  const std::uint64_t names = held;
  const std::uint64_t num_counts = num_classes * manifest.splits.size();
  held += num_counts * sizeof(std::uint64_t);
  json += num_counts * kJsonValueBytes;
  text += num_counts * kCountTextBytes;
  const std::uint64_t stored_names = num_classes * longest;  // of equal width, in a shard
  return held + std::max(json + text, names + stored_names);
}

}  // namespace penstock
