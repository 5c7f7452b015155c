// Maps from output pixels to source pixels, and the small function of each geometric operation.
// Pixel centres lie at whole numbers: pixel 0 covers -0.5 to 0.5.
// Knows no settings, no draws and no pixels.
#pragma once

#include <cstdint>

namespace penstock::augment {

/// A position or an offset in pixels.
struct PointPx {
  double x = 0;
  double y = 0;
};

/// Sides of a picture in pixels.
struct SizePx {
  std::uint32_t width = 1;
  std::uint32_t height = 1;

  friend bool operator==(const SizePx&, const SizePx&) = default;
};

/// Factors along the two axes.
struct ScaleXy {
  double x = 1;
  double y = 1;
};

/// The 2 x 3 map (x, y) -> (xx x + xy y + x0, yx x + yy y + y0). The identity by default.
struct AffineMap {
  double xx = 1;
  double xy = 0;
  double x0 = 0;
  double yx = 0;
  double yy = 1;
  double y0 = 0;

  PointPx operator()(PointPx p) const noexcept {
    return {xx * p.x + xy * p.y + x0, yx * p.x + yy * p.y + y0};
  }
  /// Tells whether source columns depend on output columns only, and rows on rows.
  bool is_separable() const noexcept { return xy == 0 && yx == 0; }
  /// Tells whether source columns depend on output rows only, and rows on columns.
  bool is_quarter_turn() const noexcept { return xx == 0 && yy == 0; }
  /// Tells whether source columns, or rows, depend on both: rotated or sheared.
  bool is_turned() const noexcept { return !is_separable() && !is_quarter_turn(); }
};

/// Returns the map that applies `first`, then `second`.
AffineMap compose(const AffineMap& first, const AffineMap& second) noexcept;

/// Lengths of the half axes of the ellipse that the map makes of the unit circle.
struct SingularValues {
  double largest = 1;
  double smallest = 1;
};
SingularValues singular_values(const AffineMap& map) noexcept;

/// Mirrors left and right; top and bottom.
AffineMap flip_horizontal_map(SizePx size) noexcept;
AffineMap flip_vertical_map(SizePx size) noexcept;

/// Turns about the centre (n - 1) / 2, in Keras' direction: row' = cos row - sin column,
/// column' = sin row + cos column.
AffineMap rotation_map(double angle_rad, SizePx size) noexcept;

/// Shears about the centre (n - 1) / 2, as Keras does: row' = row - sin column, column' = cos column.
AffineMap shear_map(double angle_rad, SizePx size) noexcept;

/// Samples `offset` further right and down, which moves the picture left and up (Keras' sign).
AffineMap shift_map(PointPx offset) noexcept;

/// Zooms about the centre (n - 1) / 2; a factor above 1 shows more of the scene.
AffineMap zoom_map(ScaleXy factor, SizePx size) noexcept;

/// Stretches a picture of `source` sides to `output` sides, edges on edges: half-pixel centres,
/// x_source = (x + 0.5) * source / output - 0.5.
struct Resize {
  SizePx output;
  SizePx source;
};
AffineMap resize_map(Resize resize) noexcept;

/// Sides of a picture after its EXIF orientation is applied.
SizePx upright_size(SizePx stored, std::uint8_t orientation) noexcept;

/// Maps pixels of the upright picture to pixels of the stored one (stored_axes.h).
AffineMap orientation_map(SizePx stored, std::uint8_t orientation) noexcept;

/// Maps pixels of a picture to pixels of the same picture decoded at 1 / `scale`: pixel i of the
/// small one averages pixels i * scale to (i + 1) * scale - 1, so its centre is
/// (i + 0.5) * scale - 0.5.
AffineMap decode_scale_map(std::uint32_t scale) noexcept;

/// Sides of a picture decoded at 1 / `scale`, rounded up as libjpeg does.
SizePx decoded_size(SizePx full, std::uint32_t scale) noexcept;

}  // namespace penstock::augment
