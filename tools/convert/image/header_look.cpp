#include "tools/convert/image/header_look.h"

#include <algorithm>

#include "tools/convert/image/foreign_facts.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/image/jpeg_fault.h"
#include "tools/convert/image/jpeg_structure.h"
#include "tools/convert/image/picture_reasons.h"

namespace penstock::convert {
namespace {

HeaderLook refused(ReasonCode reason) {
  HeaderLook look;
  look.reason = reason;
  return look;
}

HeaderLook of_size(const DeclaredSize& size, std::uint64_t max_px) {
  if (size.num_px() == 0) return refused(ReasonCode::kZeroSides);
  const bool is_too_large =
      size.num_px() > max_px || std::max(size.width_px, size.height_px) > kMaxJpegSidePx;
  if (is_too_large) return refused(ReasonCode::kTooManyPixels);
  HeaderLook look;
  look.size = size;
  return look;
}

// In the order of check_jpeg().
HeaderLook look_at_jpeg(std::span<const std::byte> start, std::uint64_t file_bytes,
                        std::uint64_t max_px, JpegDecoder& decoder) {
  const JpegStructure structure = read_jpeg_structure(start, JpegExtent::kHeader);
  if (structure.has_frame() && (structure.width_px == 0 || structure.height_px == 0)) {
    return refused(ReasonCode::kZeroSides);
  }
  const Result<JpegHeader> header = decoder.read_header(start);
  if (header.ok()) {
    HeaderLook look = of_size({header.value().width_px, header.value().height_px}, max_px);
    if (!look.reason && is_jpeg_bomb(structure, file_bytes)) {
      return refused(ReasonCode::kDecompressionBomb);
    }
    look.kind = PictureKind::kJpeg;
    look.channels = header.value().components == 1 ? 1 : 3;
    look.reasons.add(reasons_of_jpeg(structure, file_bytes));
    look.reasons.add(reasons_of_shape(structure.width_px, structure.height_px));
    if (header.value().has_several_scans) {
      look.coefficient_bytes = jpeg_scratch_bytes(record_of_jpeg(header.value(), 1, file_bytes));
    }
    return look;
  }
  HeaderLook look = refused(reason_of_jpeg_fault(header.fault()));
  look.is_cut = start.size() < file_bytes;
  return look;
}

// Of the start of a file the sides alone; what else read_foreign_facts() finds needs all of it.
HeaderLook look_at_foreign(ImageFormat format, std::span<const std::byte> start, bool is_whole,
                           std::uint64_t max_px) {
  const std::optional<DeclaredSize> size = read_declared_size(format, start);
  if (!size) {
    HeaderLook look = refused(ReasonCode::kDamaged);
    look.is_cut = !is_whole;
    return look;
  }
  HeaderLook look = of_size(*size, max_px);
  look.reasons.add(ReasonCode::kOtherFormat);
  look.reasons.add(reasons_of_shape(size->width_px, size->height_px));
  if (look.reason || !is_whole) return look;
  const ForeignFacts facts = read_foreign_facts(format, start);
  look.reasons.add(facts.reasons);
  look.reasons.add_if(facts.orientation != 1, ReasonCode::kExifOrientation);
  // With a wrong checksum it may be stored all the same.
  const bool is_lost = facts.fault && *facts.fault != ReasonCode::kBadCrc;
  return is_lost ? refused(*facts.fault) : look;
}

}  // namespace

std::optional<Codec> HeaderLook::codec() const noexcept {
  switch (kind) {
    case PictureKind::kJpeg:
      return Codec::kJpeg;
    case PictureKind::kBarePixels:
      return Codec::kRaw;
    case PictureKind::kPngSample:
      return Codec::kPng;
    case PictureKind::kFile:
      break;
  }
  return format == ImageFormat::kPng ? std::optional(Codec::kPng) : std::nullopt;
}

HeaderLook look_at_header(std::span<const std::byte> start, std::uint64_t file_bytes,
                          std::string_view path, std::uint64_t max_px, JpegDecoder& decoder) {
  if (start.empty()) return refused(ReasonCode::kEmptyFile);
  if (file_bytes > kMaxFileBytes) return refused(ReasonCode::kFileTooLarge);
  const bool is_whole = start.size() >= file_bytes;
  const ImageFormat format = detect_format(start);
  if (format == ImageFormat::kJpeg || is_foreign_format(format)) {
    HeaderLook look = format == ImageFormat::kJpeg
                          ? look_at_jpeg(start, file_bytes, max_px, decoder)
                          : look_at_foreign(format, start, is_whole, max_px);
    look.format = format;
    look.reasons.add_if(has_wrong_extension(path, format), ReasonCode::kWrongExtension);
    return look;
  }
  if (format == ImageFormat::kText && !has_picture_extension(path)) {
    HeaderLook look;
    look.is_text = true;
    return look;
  }
  const bool is_unknown = format == ImageFormat::kUnknown || format == ImageFormat::kZip ||
                          format == ImageFormat::kText;
  return refused(is_unknown ? ReasonCode::kNotAPicture : ReasonCode::kUnsupportedFormat);
}

}  // namespace penstock::convert
