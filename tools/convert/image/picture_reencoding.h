// A picture that is not stored as it is: because it cannot be, or because something else was asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>

#include "tools/convert/image/check_settings.h"
#include "tools/convert/image/decoded_pixels.h"
#include "tools/convert/image/jpeg_reader.h"
#include "tools/convert/image/stored_picture_check.h"

namespace penstock::convert {

/// What a picture is before it is stored.
enum class PictureKind : std::uint8_t {
  kJpeg,
  kFile,  // of another format
  kBarePixels,
  kPngSample,  // of a dataset
};

/// As what a picture of such sides, target_sides() of its own, is stored.
Codec stored_codec(PictureKind kind, SidesPx sides, const EncodeSettings& encode);

/// Whether a JPEG of one or three components is encoded anew for what was asked: sides, colours, codec,
/// or a quality below its own. Of the last, what its quantisation says counts: one that is as coarse or
/// coarser than that of the quality asked for is stored as it is.
bool asks_for_encoding(std::span<const std::byte> jpeg, SidesPx sides, std::uint32_t components,
                       const EncodeSettings& encode);

/// Whether what was asked for gives a picture other pixels than it has: sides, colours, or that it be
/// turned upright.
bool changes_pixels(SidesPx sides, std::uint32_t channels, std::uint8_t orientation,
                    const CheckSettings& settings);

/// Whether it would be stored as a JPEG with a side that no JPEG has.
bool is_too_long_for_jpeg(PictureKind kind, SidesPx sides, const EncodeSettings& encode);

/// Encodes pixels: resized, gray, in the codec and quality asked for, and no more of them than allowed.
/// Turned upright where the policy of kExifOrientation says so; else `orientation` goes into the index,
/// and what was asked for writes it into a JPEG or PNG too. The statistics are those of what is stored.
/// Throws Stopped, Internal.
ImageVerdict reencode(const DecodedPixels& pixels, PictureKind kind, std::uint8_t orientation,
                      const CheckSettings& settings, StoredPictureCheck& check,
                      const std::stop_token& stop);

/// The same of a JPEG, of which only rows are held: decoded at one of libjpeg's coarser scales where it
/// becomes much smaller, in its own luma and chroma where it stays a JPEG, its chroma sampled as it was.
/// Where nothing was asked for, chroma is not subsampled. Of its segments, what was asked for keeps a
/// colour profile that is wider than sRGB. Quarantined where libjpeg gives no pixels.
ImageVerdict reencode_jpeg(std::span<const std::byte> jpeg, const JpegReading& reading,
                           const CheckSettings& settings, StoredPictureCheck& check,
                           const std::stop_token& stop);

/// Bytes that either takes beside the file and the pixels that it was given.
std::uint64_t encoding_bytes(PictureKind kind, SidesPx sides, std::uint32_t channels,
                             const CheckSettings& settings);

}  // namespace penstock::convert
