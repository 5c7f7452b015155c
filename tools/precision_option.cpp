#include "tools/precision_option.h"

#include "streamer/core/error.h"
#include "tools/command.h"
#include "tools/terminal.h"

namespace penstock::tools {

void add_precision_option(CLI::App& command, std::optional<train::ComputeType>& choice,
                          const std::string& otherwise) {
  add_value(command,
            {"--precision", "TYPE",
             "float32 or bfloat16, on a GPU also tf32 or float16 (" + otherwise + ")"},
            [&choice](const std::string& text) {
              choice = train::compute_type_of(text);
              if (choice) return;
              throw Error(ErrorCode::kInvalidArgument,
                          "--precision: expected float32, bfloat16, tf32 or float16, found '" +
                              printable(text) + "'",
                          "--precision float32");
            });
}

}  // namespace penstock::tools
