#include "tools/convert/image/picture_reencoding.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "streamer/core/error.h"
#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/jpeg_fault.h"
#include "tools/convert/image/upright.h"

namespace penstock::convert {

ImageVerdict reencode(const DecodedPixels& pixels, std::uint8_t orientation,
                      const CheckSettings& settings, StoredPictureCheck& check,
                      const std::stop_token& stop) {
  const bool is_turned = orientation != 1 && settings.is_fixed(ReasonCode::kExifOrientation);
  std::vector<std::byte> jpeg = is_turned ? encode_jpeg(turned_upright(pixels, orientation).view())
                                          : encode_jpeg(pixels.view());
  const Result<JpegHeader> header = check.read_header(jpeg);
  check_internal(header.ok(), "a re-encoded picture has a header");
  // The statistics are those of the pixels that training will see.
  ImageVerdict verdict = check.check_jpeg(jpeg, header.value(), {.depth = settings.depth}, stop);
  check_internal(verdict.fate == FileFate::kKept, "a re-encoded picture decodes");
  verdict.fate = FileFate::kReencoded;
  verdict.reencoded = std::move(jpeg);
  verdict.record.orientation = is_turned ? 1 : orientation;
  if (is_turned) verdict.mended.add(ReasonCode::kExifOrientation);
  return verdict;
}

ImageVerdict reencode_jpeg(std::span<const std::byte> jpeg, const JpegReading& reading,
                           const CheckSettings& settings, StoredPictureCheck& check,
                           const std::stop_token& stop) {
  DecodeOutcome outcome = read_jpeg(jpeg, reading, stop);
  if (const auto* const why = std::get_if<std::string>(&outcome)) {
    check_decode_stop(stop);
    return quarantined(reason_of_jpeg_text(*why), *why);
  }
  return reencode(std::get<DecodedPixels>(outcome), read_exif_orientation(jpeg), settings, check,
                  stop);
}

}  // namespace penstock::convert
