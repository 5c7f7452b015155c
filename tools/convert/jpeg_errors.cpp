#include "tools/convert/jpeg_errors.h"

#include "streamer/read/jpeg_warning.h"

namespace penstock::convert {
namespace {

void leave_libjpeg(j_common_ptr cinfo) {
  auto* errors = reinterpret_cast<JpegErrors*>(cinfo->err);
  cinfo->err->format_message(cinfo, errors->text.data());
  std::longjmp(errors->on_error, 1);
}

void leave_on_warning(j_common_ptr cinfo, int level) {
  if (level < 0 && !costs_no_pixel(cinfo->err->msg_code)) leave_libjpeg(cinfo);
}

}  // namespace

jpeg_error_mgr* prepare(JpegErrors& errors) {
  jpeg_std_error(&errors.base);
  errors.base.error_exit = leave_libjpeg;
  errors.base.emit_message = leave_on_warning;
  return &errors.base;
}

}  // namespace penstock::convert
