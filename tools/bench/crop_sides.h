// What --optimize-crops gains: random crops of photographs as they were found, and as conversion would
// store them, by the loader's decoder, from memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "streamer/core/sample_decoder.h"
#include "tools/bench/rounds.h"

namespace penstock::tools::bench {

inline constexpr const char* kFoundCropsName = "crops, as found";
inline constexpr const char* kOptimizedCropsName = "crops, optimized";
inline constexpr const char* kFoundWholeName = "whole, as found";
inline constexpr const char* kOptimizedWholeName = "whole, optimized";

/// A JPEG, as it was found and as --optimize-crops rewrites it.
struct CropPicture {
  std::vector<std::byte> found;
  std::vector<std::byte> optimized;
  StoredInfo found_info;
  StoredInfo optimized_info;
  RectPx crop;  // drawn from the picture's place in the list: a random resized crop
};

/// At most 1,000 of `files` and 256 MiB, in order; others than JPEG of one or three components, and what
/// cannot be rewritten, are left out. Throws Io.
std::vector<CropPicture> read_crop_pictures(std::span<const std::filesystem::path> files);

/// Area of 8 to 100 % and ratio of 3/4 to 4/3, as `augment` draws by default; the whole picture where ten
/// draws do not fit into it.
/// Source  Szegedy et al. 2015, arXiv:1409.4842, section 6
RectPx draw_crop(std::uint32_t width_px, std::uint32_t height_px, std::uint64_t seed);

/// The four sides, on `num_threads` threads; `pictures` outlives them.
std::vector<Side> crop_sides(const std::vector<CropPicture>& pictures, std::uint32_t num_threads);

}  // namespace penstock::tools::bench
