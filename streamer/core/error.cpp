#include "streamer/core/error.h"

#include <cerrno>
#include <system_error>

namespace penstock {

std::string_view error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "InvalidArgument";
    case ErrorCode::kNotFound:
      return "NotFound";
    case ErrorCode::kAlreadyExists:
      return "AlreadyExists";
    case ErrorCode::kCorruptData:
      return "CorruptData";
    case ErrorCode::kTooManyBad:
      return "TooManyBad";
    case ErrorCode::kIo:
      return "Io";
    case ErrorCode::kUnsupported:
      return "Unsupported";
    case ErrorCode::kOutOfMemory:
      return "OutOfMemory";
    case ErrorCode::kStopped:
      return "Stopped";
    case ErrorCode::kInternal:
      return "Internal";
  }
  return "Unknown";
}

void throw_io_error(int error_number, std::string_view what, std::string_view where) {
  const ErrorCode code = error_number == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
  throw Error(code,
              std::string(what) + ": " + std::string(where) + ": " +
                  std::generic_category().message(error_number),
              {}, error_number);
}

void check_internal(bool condition, const char* what, const char* file, int line) {
  if (condition) return;
  throw Error(ErrorCode::kInternal,
              std::string("internal error: ") + file + ":" + std::to_string(line) + ": " + what);
}

}  // namespace penstock
