#include "tools/convert/image/foreign_image.h"

#include <optional>
#include <string>

#include "tools/convert/image/bmp_picture.h"
#include "tools/convert/image/gif_picture.h"
#include "tools/convert/image/image_format.h"
#include "tools/convert/image/netpbm_picture.h"
#include "tools/convert/image/png_picture.h"
#include "tools/convert/image/tiff_picture.h"
#include "tools/convert/image/webp_picture.h"

namespace penstock::convert {

DecodeOutcome decode_foreign_image(std::span<const std::byte> encoded,
                                   const RgbColour& background) {
  const ImageFormat format = detect_format(encoded);
  const std::optional<DeclaredSize> declared = read_declared_size(format, encoded);
  if (!declared || declared->num_px() == 0) return std::string("a header without sides");
  switch (format) {
    case ImageFormat::kPng:
      return decode_png_picture(encoded, *declared, background);
    case ImageFormat::kBmp:
      return decode_bmp_picture(encoded, *declared, background);
    case ImageFormat::kTiff:
      return decode_tiff_picture(encoded, *declared, background);
    case ImageFormat::kWebp:
      return decode_webp_picture(encoded, *declared, background);
    case ImageFormat::kNetpbm:
      return decode_netpbm_picture(encoded, *declared);
    case ImageFormat::kGif:
      return decode_gif_picture(encoded, *declared, background);
    default:
      return std::string("a picture with no decoder");
  }
}

}  // namespace penstock::convert
