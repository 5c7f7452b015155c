#include "tools/convert/source/source_fault.h"

#include "streamer/core/error.h"
#include "tools/terminal.h"

namespace penstock::convert {

void throw_gone(const std::string& where) {
  throw Error(ErrorCode::kIo,
              "source: " + where + ": expected it as it was listed, found it gone or closed",
              kSourceFaultHint, EBUSY);  // no matter of one path: it ends the conversion
}

UniqueFd open_listed(const std::filesystem::path& path) {
  try {
    return open_for_reading(path);
  } catch (const Error& error) {
    if (error.os_error() != 0 && !concerns_one_path(error.os_error())) throw;
    throw_gone(tools::printable_path(path));
  }
}

}  // namespace penstock::convert
