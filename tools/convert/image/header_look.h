// What the first bytes of a file say of it: far less than decoding, but at once. For dry runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "streamer/read/jpeg_decoder.h"
#include "tools/convert/image/image_format.h"
#include "tools/convert/image/picture_reencoding.h"
#include "tools/convert/quarantine.h"
#include "tools/convert/reason/reason_set.h"

namespace penstock::convert {

struct HeaderLook {
  /// Why it would be quarantined, as far as a header tells. Nothing: it seems to be a picture, or
  /// text that is left out.
  std::optional<ReasonCode> reason;
  bool is_text = false;
  /// The header ends beyond the bytes that were given: look again with more.
  bool is_cut = false;
  DeclaredSize size;  // when it seems to be a picture
  PictureKind kind = PictureKind::kFile;
  ImageFormat format = ImageFormat::kUnknown;
  std::uint32_t channels = 3;  // as decoded; 3 where the header was not asked
  /// What else its header tells of it, for which it is kept or fixed by default.
  ReasonSet reasons{};
  /// Of a JPEG in several scans, what its coefficients take to decode.
  std::uint64_t coefficient_bytes = 0;
  /// A JPEG of a finer quality than is asked for; look_at_header() knows none.
  bool is_coded_finer = false;

  bool has_four_inks() const {
    return reasons.has(ReasonCode::kCmyk) || reasons.has(ReasonCode::kYcck);
  }
  bool is_lossy() const noexcept {
    return kind == PictureKind::kJpeg || format == ImageFormat::kWebp;
  }
  /// As what it would be stored if it stayed as it is; nothing: it cannot.
  std::optional<Codec> codec() const noexcept;
};

/// Looks at `start`, the first bytes of a file called `path` of `file_bytes`.
///
/// Threads  one decoder per thread
HeaderLook look_at_header(std::span<const std::byte> start, std::uint64_t file_bytes,
                          std::string_view path, std::uint64_t max_px, JpegDecoder& decoder);

}  // namespace penstock::convert
