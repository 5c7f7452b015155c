#include "tools/convert/image/tiff_file.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string_view>

namespace penstock::convert {

struct TiffFile::Callbacks {
  static TiffFile& self(void* handle) { return *static_cast<TiffFile*>(handle); }

  static tmsize_t read(thandle_t handle, void* to, tmsize_t num_bytes) {
    TiffFile& file = self(handle);
    const std::uint64_t left =
        file.bytes_.size() - std::min<std::uint64_t>(file.at_, file.bytes_.size());
    const std::uint64_t taken =
        std::min<std::uint64_t>(static_cast<std::uint64_t>(num_bytes), left);
    if (taken > 0) std::memcpy(to, file.bytes_.data() + file.at_, taken);
    file.at_ += taken;
    return static_cast<tmsize_t>(taken);
  }
  static tmsize_t write(thandle_t, void*, tmsize_t) { return 0; }
  static toff_t seek(thandle_t handle, toff_t offset, int whence) {
    TiffFile& file = self(handle);
    if (whence == SEEK_SET) file.at_ = offset;
    if (whence == SEEK_CUR) file.at_ += offset;
    if (whence == SEEK_END) file.at_ = file.bytes_.size() + offset;
    return file.at_;
  }
  static int close(thandle_t) { return 0; }
  static toff_t size(thandle_t handle) { return self(handle).bytes_.size(); }
  // The file is memory already. Libtiff does not write into what it maps to read.
  static int map(thandle_t handle, void** base, toff_t* num_bytes) {
    TiffFile& file = self(handle);
    *base = const_cast<std::byte*>(file.bytes_.data());
    *num_bytes = file.bytes_.size();
    return 1;
  }
  static void unmap(thandle_t, void*, toff_t) {}

  static int error(TIFF*, void* user, const char* module, const char* format, std::va_list values) {
    self(user).keep(module, format, values);
    return 1;  // nobody else hears of it
  }
  static int warning(TIFF*, void* user, const char* module, const char* format,
                     std::va_list values) {
    // Others are about tags that nobody needs. These are about pixels.
    if (module != nullptr && std::string_view(module) == "JPEGLib") {
      self(user).keep(module, format, values);
    }
    return 1;
  }
};

TiffFile::TiffFile(std::span<const std::byte> tiff, std::uint64_t most_bytes_at_once)
    : bytes_(tiff), most_bytes_at_once_(most_bytes_at_once) {
  struct FreeOptions {
    void operator()(TIFFOpenOptions* options) const noexcept { TIFFOpenOptionsFree(options); }
  };
  const std::unique_ptr<TIFFOpenOptions, FreeOptions> options(TIFFOpenOptionsAlloc());
  if (!options) return;
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<tmsize_t>::max());
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(),
                                      static_cast<tmsize_t>(std::min(most_bytes_at_once, kMost)));
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), Callbacks::error, this);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), Callbacks::warning, this);
  tiff_.reset(TIFFClientOpenExt("TIFF", "r", this, Callbacks::read, Callbacks::write,
                                Callbacks::seek, Callbacks::close, Callbacks::size, Callbacks::map,
                                Callbacks::unmap, options.get()));
  // A directory that could be read will do, whatever is wrong with tags that nobody needs.
  if (tiff_) complaint_.fill('\0');
}

std::uint16_t TiffFile::short_tag(std::uint32_t tag, std::uint16_t otherwise) const {
  std::uint16_t value = 0;
  return TIFFGetFieldDefaulted(get(), tag, &value) == 1 ? value : otherwise;
}

std::uint32_t TiffFile::long_tag(std::uint32_t tag, std::uint32_t otherwise) const {
  std::uint32_t value = 0;
  return TIFFGetFieldDefaulted(get(), tag, &value) == 1 ? value : otherwise;
}

void TiffFile::keep(const char* module, const char* format, std::va_list values) noexcept {
  if (has_complaint()) return;
  std::array<char, 120> text{};
  std::vsnprintf(text.data(), text.size(), format, values);
  std::snprintf(complaint_.data(), complaint_.size(), "libtiff: %s%s%s",
                module != nullptr ? module : "", module != nullptr ? ": " : "", text.data());
  // A line of a report.
  std::replace_if(
      complaint_.begin(), complaint_.begin() + std::strlen(complaint_.data()),
      [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
}

}  // namespace penstock::convert
