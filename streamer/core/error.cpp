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

namespace {

// For what the reader of a dataset can do something about that the system's own words do not say.
const char* io_hint(int error_number) {
  switch (error_number) {
    case EIO:
      return "the disk or its connection fails: look into the system's log (dmesg), restore the "
             "file from a copy on a sound disk";
    case ESTALE:
      return "the file was replaced or removed on its server: leave it alone while it is read, and "
             "start again";
    default:
      return "";
  }
}

}  // namespace

void throw_io_error(int error_number, std::string_view what, std::string_view where) {
  const ErrorCode code = error_number == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
  throw Error(code,
              std::string(what) + ": " + std::string(where) + ": " +
                  std::generic_category().message(error_number),
              io_hint(error_number), error_number);
}

void check_internal(bool condition, const char* what, const char* file, int line) {
  if (condition) return;
  throw Error(ErrorCode::kInternal,
              std::string("internal error: ") + file + ":" + std::to_string(line) + ": " + what);
}

}  // namespace penstock
