// How the converter leaves libjpeg: by longjmp, with libjpeg's own words.
#pragma once

#include <array>
#include <csetjmp>
#include <cstdio>  // jpeglib.h needs FILE

#include <jpeglib.h>

namespace penstock::convert {

/// Errors, and warnings that cost pixels, format their text and jump to `on_error`.
///
/// Lifetime  what the jump leaves behind runs no destructors: it belongs to the caller's caller
struct JpegErrors {
  jpeg_error_mgr base;  // first: libjpeg hands a pointer to it back
  std::jmp_buf on_error;
  std::array<char, JMSG_LENGTH_MAX> text;
};

/// Returns what goes into `cinfo.err`. setjmp(errors.on_error) comes before any call of libjpeg.
jpeg_error_mgr* prepare(JpegErrors& errors);

}  // namespace penstock::convert
