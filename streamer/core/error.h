// What ends an operation: one exception type with a code, a message and a hint.
// What data can do to a single sample is not an error but a Result (result.h).
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace penstock {

enum class ErrorCode {
  kInvalidArgument,  // a setting or an argument out of its range
  kNotFound,         // a file, folder, split or class that is not there
  kAlreadyExists,    // a target that must not be overwritten
  kCorruptData,      // bytes that fail a checksum or contradict a format
  kTooManyBad,       // a stated limit of bad data was passed
  kIo,               // the operating system refused a read, a write, a rename
  kUnsupported,      // well-formed, but not in this build or this version
  kOutOfMemory,      // does not fit the stated limit
  kStopped,          // stopped on request
  kInternal,         // our own mistake
};

std::string_view error_code_name(ErrorCode code);

/// Carries what ended an operation.
///
/// `what()` follows the grammar `what: where: expected X, found Y`; `hint()` is the next thing to
/// type or try, without the word "hint", or empty.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message, std::string hint = {}, int os_error = 0)
      : std::runtime_error(message), code_(code), hint_(std::move(hint)), os_error_(os_error) {}

  ErrorCode code() const noexcept { return code_; }
  const std::string& hint() const noexcept { return hint_; }
  /// The errno value behind it, 0 when the operating system gave none.
  int os_error() const noexcept { return os_error_; }

 private:
  ErrorCode code_;
  std::string hint_;
  int os_error_;
};

/// Throws kIo with the text of `error_number` (an errno value): `what: where: No such file...`;
/// kNotFound for ENOENT.
[[noreturn]] void throw_io_error(int error_number, std::string_view what, std::string_view where);

/// Throws kInternal naming the place in our code when `condition` does not hold.
void check_internal(bool condition, const char* what, const char* file = __builtin_FILE(),
                    int line = __builtin_LINE());

}  // namespace penstock
