// A GIF in memory, open in giflib: the only file that knows how giflib reads and complains.
#pragma once

#include <gif_lib.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace penstock::convert {

/// What giflib 5.2 takes for a file and its first frame: state of 25 KB, two palettes, a copy of one.
inline constexpr std::uint64_t kGiflibBytes = 32u << 10;

/// The head of a GIF, then its first frame. Giflib keeps nothing of other frames and of extensions.
///
/// Memory   kGiflibBytes
/// Threads  one at a time; several of them are independent
/// Source   gif_lib.h 5.2
class GifFile {
 public:
  /// `gif` must stay. Not open when giflib refuses the head, or no memory is left.
  explicit GifFile(std::span<const std::byte> gif);
  GifFile(const GifFile&) = delete;
  GifFile& operator=(const GifFile&) = delete;

  bool is_open() const noexcept { return gif_ != nullptr; }
  GifFileType* get() const noexcept { return gif_.get(); }

  /// Goes to the data of the first frame; once. Returns why there is none.
  std::optional<std::string> find_frame();

  // Of the frame that was found.
  /// Nothing: no index is transparent.
  std::optional<std::uint8_t> transparent_index() const noexcept { return transparent_index_; }
  /// The number of indices that its codes can name, which is its clear code too: 1 to 256.
  int num_indices() const noexcept { return num_indices_; }
  /// Its own palette, else that of the file. Null: there is none.
  const ColorMapObject* palette() const noexcept;

  /// Giflib's words on what failed last.
  std::string complaint() const;

 private:
  struct Close {
    void operator()(GifFileType* gif) const noexcept { DGifCloseFile(gif, nullptr); }
  };
  static int read(GifFileType* gif, GifByteType* to, int num_bytes);
  bool read_extension();

  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  int error_ = D_GIF_SUCCEEDED;
  std::optional<std::uint8_t> transparent_index_;
  int num_indices_ = 0;
  std::unique_ptr<GifFileType, Close> gif_;
};

}  // namespace penstock::convert
