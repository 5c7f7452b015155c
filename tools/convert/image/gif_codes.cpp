#include "tools/convert/image/gif_codes.h"

#include <array>
#include <cstdint>

namespace penstock::convert {
namespace {

// How many pixels each code stands for. A code is made of the one before it and a pixel more; the next
// may already be used where it is made.
class CodeLengths {
 public:
  explicit CodeLengths(int clear_code) : clear_code_(clear_code) { clear(); }

  void clear() {
    num_codes_ = clear_code_ + 2;  // behind it stands the end
    last_px_ = 0;
  }

  // 0: the code stands for nothing.
  std::uint32_t take(int code) {
    const bool makes_one = last_px_ > 0 && num_codes_ < kMaxCodes;
    if (makes_one) lengths_px_[num_codes_++] = static_cast<std::uint16_t>(last_px_ + 1);
    if (code >= num_codes_) return 0;
    last_px_ = code < clear_code_ ? 1 : lengths_px_[code];
    return last_px_;
  }

 private:
  static constexpr int kMaxCodes = 4096;  // of 12 bits

  int clear_code_;
  int num_codes_ = 0;
  std::uint32_t last_px_ = 0;
  std::array<std::uint16_t, kMaxCodes> lengths_px_{};
};

}  // namespace

std::optional<std::string> fault_of_gif_codes(GifFile& file) {
  const GifImageDesc& frame = file.get()->Image;
  auto left_px = static_cast<std::uint64_t>(frame.Width) * static_cast<std::uint64_t>(frame.Height);
  CodeLengths lengths(file.num_indices());
  while (left_px > 0) {
    int code = 0;
    if (DGifGetLZCodes(file.get(), &code) == GIF_ERROR) return file.complaint();
    constexpr int kEnd = -1;  // giflib's
    if (code == kEnd) return "GIF whose data end before its pixels do";
    if (code == file.num_indices()) {
      lengths.clear();
      continue;
    }
    const std::uint32_t num_px = lengths.take(code);
    if (num_px == 0) return "GIF with a code that stands for nothing";
    left_px -= num_px < left_px ? num_px : left_px;
  }
  return std::nullopt;
}

}  // namespace penstock::convert
