#include "tools/convert/quarantine.h"

#include <fmt/core.h>

#include "streamer/core/csv_field.h"
#include "streamer/core/error.h"
#include "tools/terminal.h"

namespace penstock::convert {

std::uint64_t num_pictures_of(std::span<const QuarantineEntry> entries) noexcept {
  std::uint64_t num_pictures = 0;
  for (const QuarantineEntry& entry : entries) num_pictures += entry.num_pictures;
  return num_pictures;
}

std::string and_behind(std::uint64_t num_rows, const std::string& why) {
  if (num_rows == 1) return why;
  return fmt::format("this and the {} behind it{}{}", num_rows - 1, why.empty() ? "" : ": ", why);
}

namespace {

[[noreturn]] void refuse_class(const QuarantineEntry& entry) {
  const std::string_view name = reason_code_name(entry.reason);
  const bool is_single = entry.reason == ReasonCode::kOneClass;
  throw Error(
      ErrorCode::kTooManyBad,
      fmt::format("classes: {}: expected {} (--on {}=stop), found {}", tools::printable(entry.path),
                  is_single ? "others beside it" : "pictures in it", name,
                  is_single ? "it alone" : "none"),
      fmt::format("add what is missing, or --on {}=keep", name));
}

}  // namespace

void refuse_reason(const QuarantineEntry& entry) {
  if (entry.reason == ReasonCode::kOneClass || entry.reason == ReasonCode::kEmptyClass) {
    refuse_class(entry);
  }
  const std::string_view name = reason_code_name(entry.reason);
  throw Error(ErrorCode::kTooManyBad,
              fmt::format("source: {}: expected nothing that is {} (--on {}=stop), found it{}{}",
                          tools::printable(entry.path), name, name,
                          entry.detail.empty() ? "" : ": ", entry.detail),
              "mend or move the file, or choose another policy: penstock convert --list-reasons");
}

std::string quarantine_row(const QuarantineEntry& entry) {
  return fmt::format("{},{},{},{}\n", csv_field(tools::printable(entry.path)),
                     reason_code_name(entry.reason), entry.size_bytes,
                     csv_field(tools::printable(entry.detail)));
}

}  // namespace penstock::convert
