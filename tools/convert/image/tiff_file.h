// A TIFF in memory, open in libtiff: the only file that knows how libtiff reads, maps and complains.
#pragma once

#include <tiffio.h>

#include <array>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace penstock::convert {

/// The first picture of a TIFF. Nothing is written to stderr; what libtiff calls an error is kept, and
/// so is what libjpeg says of damaged data inside, which libtiff calls a warning.
///
/// Threads  one at a time; several of them are independent
/// Source   TIFFClientOpenExt(3tiff), TIFFOpenOptions(3tiff): libtiff 4.5
class TiffFile {
 public:
  /// `tiff` must stay. Not open when libtiff refuses it, or no memory is left.
  ///
  /// Units  no allocation of libtiff's is above `most_bytes_at_once`
  TiffFile(std::span<const std::byte> tiff, std::uint64_t most_bytes_at_once);

  bool is_open() const noexcept { return tiff_ != nullptr; }
  TIFF* get() const noexcept { return tiff_.get(); }

  std::uint64_t most_bytes_at_once() const noexcept { return most_bytes_at_once_; }

  bool has_complaint() const noexcept { return complaint_[0] != '\0'; }
  /// The first one, else `otherwise`.
  std::string complaint(const char* otherwise) const {
    return has_complaint() ? complaint_.data() : otherwise;
  }

  /// The value of a tag of 16 bits, or its default of TIFF 6.0, or else `otherwise`.
  std::uint16_t short_tag(std::uint32_t tag, std::uint16_t otherwise) const;
  std::uint32_t long_tag(std::uint32_t tag, std::uint32_t otherwise) const;

 private:
  // What libtiff's functions find by the pointer that it keeps; they have to be members to do so.
  struct Callbacks;
  struct Close {
    void operator()(TIFF* tiff) const noexcept { TIFFClose(tiff); }
  };

  void keep(const char* module, const char* format, std::va_list values) noexcept;

  std::span<const std::byte> bytes_;
  std::uint64_t at_ = 0;
  std::uint64_t most_bytes_at_once_ = 0;
  std::array<char, 160> complaint_{};
  std::unique_ptr<TIFF, Close> tiff_;  // last: it uses what stands above while it is closed
};

}  // namespace penstock::convert
