// Decides about one file by decoding it: kept as it is, re-encoded, or not a sample and why. Knows
// bytes, not files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string_view>

#include "tools/convert/image/check_settings.h"
#include "tools/convert/image/image_verdict.h"
#include "tools/convert/image/stored_picture_check.h"
#include "tools/convert/source_picture.h"

namespace penstock::convert {

/// Adds the reasons that only sides and pixels tell to the verdict on what is stored.
void add_seen_reasons(ImageVerdict& verdict);

/// Largest file that is looked at: far above any photograph, far below a sample's 4 GiB.
inline constexpr std::uint64_t kMaxFileBytes = 1ull << 30;

/// Checks files. Decodes with the loader's own decoder, so what passes here is read there.
///
/// Threads  one per thread: it keeps its buffers
class ImageChecker {
 public:
  explicit ImageChecker(const CheckSettings& settings)
      : settings_(settings), stored_(settings.takes_luma_cells) {}

  /// See checking_price.h.
  std::uint64_t reencoding_bytes(std::span<const std::byte> file);
  std::uint64_t checking_bytes(const SourcePicture& picture);

  /// `path` only tells whether text was meant as a picture. With kHeader, a picture that is kept
  /// has no sums. `others` are reasons that its bytes do not tell; the policies are applied to all
  /// together. Throws Stopped, Internal.
  ImageVerdict check(std::span<const std::byte> file, std::string_view path,
                     const std::stop_token& stop, const ReasonSet& others = {});
  /// The same of what a source has read: bare pixels are kept as they are where nothing else was asked,
  /// or are too many; samples of a dataset that are PNG, or none, are check_sample()'s. Of a sample the
  /// index says the orientation, whatever its EXIF says.
  ImageVerdict check(const SourcePicture& picture, std::string_view path,
                     const std::stop_token& stop, const ReasonSet& others = {});

 private:
  ImageVerdict check_bare(const SourcePicture& picture, const std::stop_token& stop);
  ImageVerdict check_format(ImageFormat format, std::span<const std::byte> file,
                            std::string_view path, const std::stop_token& stop);

  ImageVerdict look_at(std::span<const std::byte> file, std::string_view path,
                       const std::stop_token& stop);
  ImageVerdict check_told_otherwise(const SourcePicture& picture, std::string_view path,
                                    const std::stop_token& stop, const ReasonSet& others);
  void finish(ImageVerdict& verdict, std::span<const std::byte> file,
              const ReasonSet& others) const;
  void strip(ImageVerdict& verdict, std::span<const std::byte> file) const;

  CheckSettings settings_;
  StoredPictureCheck stored_;
};

}  // namespace penstock::convert
