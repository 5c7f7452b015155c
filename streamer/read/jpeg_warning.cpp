#include "streamer/read/jpeg_warning.h"

#include <cstdio>  // jpeglib.h needs FILE

#include <jpeglib.h>

#include <jerror.h>

namespace penstock {

bool costs_no_pixel(int warning) noexcept {
  switch (warning) {
    case JWRN_EXTRANEOUS_DATA:  // bytes between segments
    case JWRN_JFIF_MAJOR:       // JFIF 2.x, read as 1.x
    case JWRN_ADOBE_XFORM:      // an Adobe colour code of no meaning, read as YCbCr
    case JWRN_NOT_SEQUENTIAL:   // a spectral selection where there is nothing to select
      return true;
    default:
      return false;
  }
}

}  // namespace penstock
