#include "tools/convert/image/gif_structure.h"

#include "tools/convert/image/byte_reader.h"

namespace penstock::convert {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint64_t kExtension = '!';
constexpr std::uint64_t kFrame = ',';
constexpr std::uint64_t kTrailer = ';';

// Goes forward only; past the end once is past it for good.
class BlockReader {
 public:
  explicit BlockReader(Bytes gif) : gif_(gif) {}

  std::size_t at() const { return at_; }
  bool is_past_end() const { return is_past_end_; }

  std::uint64_t number(std::size_t num_bytes) {
    const auto value = read_number(gif_, at_, num_bytes, ByteOrder::kLittle);
    skip(num_bytes);
    return value.value_or(0);
  }
  void skip(std::size_t num_bytes) {
    is_past_end_ = is_past_end_ || gif_.size() - at_ < num_bytes;
    at_ = is_past_end_ ? gif_.size() : at_ + num_bytes;
  }
  // Sub-blocks to the empty one. Returns where the last begins, which may lie past the end.
  std::size_t skip_data() {
    while (true) {
      const std::size_t block_at = at_;
      const std::uint64_t length = number(1);
      skip(length);
      if (length == 0 || is_past_end_) return block_at;
    }
  }

 private:
  Bytes gif_;
  std::size_t at_ = 0;
  bool is_past_end_ = false;
};

// The size of a palette behind the flags that tell of it; 0: there is none.
unsigned skip_palette(BlockReader& reader, std::uint64_t flags) {
  if ((flags & 0x80) == 0) return 0;
  const auto num_bits = static_cast<unsigned>((flags & 7) + 1);
  reader.skip(std::size_t{3} << num_bits);
  return num_bits;
}

void read_first_frame(BlockReader& reader, unsigned file_palette_bits, GifStructure& found) {
  found.left_px = reader.number(2);
  found.top_px = reader.number(2);
  found.size.width_px = reader.number(2);
  found.size.height_px = reader.number(2);
  const std::uint64_t flags = reader.number(1);
  found.is_interlaced = (flags & 0x40) != 0;
  const unsigned own_bits = skip_palette(reader, flags);
  found.palette_bits = own_bits != 0 ? own_bits : file_palette_bits;
  found.has_frame = !reader.is_past_end();
  if (!found.has_frame) return;
  const std::size_t data_at = reader.at();
  reader.skip(1);  // bits of its codes
  found.cut_block_at = reader.skip_data();
  found.is_data_cut = reader.is_past_end();
  found.data_bytes = reader.at() - data_at;
}

}  // namespace

GifStructure read_gif_structure(Bytes gif) noexcept {
  GifStructure found;
  BlockReader reader(gif);
  constexpr std::size_t kBeforeFlags = 10;  // signature, sides
  reader.skip(kBeforeFlags);
  const std::uint64_t flags = reader.number(1);
  reader.skip(2);  // background, shape of the pixels
  const unsigned palette_bits = skip_palette(reader, flags);
  while (!found.is_animated) {
    const std::uint64_t block = reader.number(1);
    if (reader.is_past_end()) break;
    if (block == kExtension) {
      reader.skip(1);
      reader.skip_data();
    } else if (block == kFrame && !found.has_frame) {
      read_first_frame(reader, palette_bits, found);
    } else {
      found.is_animated = block == kFrame;
      found.has_end = block == kTrailer;
      break;
    }
  }
  found.ends_early = reader.is_past_end();
  return found;
}

std::vector<std::byte> ended_gif(Bytes gif, const GifStructure& cut) {
  std::vector<std::byte> ended(gif.begin(), gif.end());
  const std::size_t block_bytes = gif.size() - cut.cut_block_at;
  if (block_bytes > 1) ended[cut.cut_block_at] = static_cast<std::byte>(block_bytes - 1);
  if (block_bytes == 1) ended.pop_back();  // a length without a byte
  ended.push_back(std::byte{0});
  ended.push_back(static_cast<std::byte>(kTrailer));
  return ended;
}

}  // namespace penstock::convert
