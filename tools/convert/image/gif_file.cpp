#include "tools/convert/image/gif_file.h"

#include <algorithm>
#include <cstring>

namespace penstock::convert {

int GifFile::read(GifFileType* gif, GifByteType* to, int num_bytes) {
  GifFile& file = *static_cast<GifFile*>(gif->UserData);
  const std::size_t taken =
      std::min(static_cast<std::size_t>(num_bytes), file.bytes_.size() - file.at_);
  if (taken > 0) std::memcpy(to, file.bytes_.data() + file.at_, taken);
  file.at_ += taken;
  return static_cast<int>(taken);
}

GifFile::GifFile(std::span<const std::byte> gif)
    : bytes_(gif), gif_(DGifOpen(this, &GifFile::read, &error_)) {}

std::string GifFile::complaint() const {
  const int error = gif_ != nullptr ? gif_->Error : error_;
  const char* const words = GifErrorString(error);
  return std::string("giflib: ") + (words != nullptr ? words : "the file is damaged");
}

const ColorMapObject* GifFile::palette() const noexcept {
  return gif_->Image.ColorMap != nullptr ? gif_->Image.ColorMap : gif_->SColorMap;
}

// A graphic control extension is about the picture or text that follows it (section 23).
bool GifFile::read_extension() {
  int kind = 0;
  GifByteType* block = nullptr;  // its length, then its bytes
  if (DGifGetExtension(gif_.get(), &kind, &block) == GIF_ERROR) return false;
  if (kind == PLAINTEXT_EXT_FUNC_CODE) transparent_index_.reset();
  GraphicsControlBlock control{};
  if (kind == GRAPHICS_EXT_FUNC_CODE && block != nullptr &&
      DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK) {
    transparent_index_.reset();
    if (control.TransparentColor != NO_TRANSPARENT_COLOR) {
      transparent_index_ = static_cast<std::uint8_t>(control.TransparentColor);
    }
  }
  while (block != nullptr) {
    if (DGifGetExtensionNext(gif_.get(), &block) == GIF_ERROR) return false;
  }
  return true;
}

std::optional<std::string> GifFile::find_frame() {
  while (true) {
    GifRecordType record = UNDEFINED_RECORD_TYPE;
    if (DGifGetRecordType(gif_.get(), &record) == GIF_ERROR) return complaint();
    if (record == TERMINATE_RECORD_TYPE) return "GIF without a picture";
    if (record == IMAGE_DESC_RECORD_TYPE) break;
    if (!read_extension()) return complaint();
  }
  if (DGifGetImageDesc(gif_.get()) == GIF_ERROR) return complaint();
  // The bits of an index are the last byte that giflib reads here, and refuses above 8; it tells
  // them nowhere.
  num_indices_ = 1 << std::to_integer<int>(bytes_[at_ - 1]);
  return std::nullopt;
}

}  // namespace penstock::convert
