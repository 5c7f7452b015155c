#include "tools/layout_option.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <map>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "tools/command.h"
#include "tools/terminal.h"

namespace penstock::tools {

void add_layout_option(CLI::App& command, convert::LayoutChoice& choice) {
  using convert::LayoutChoice;
  add_value(command,
            {"--layout", "LAYOUT",
             "What the folders are: auto, class-folders, split-folders, flat (auto; "
             "flat needs --labels)"},
            [&choice](const std::string& text) {
              static const std::map<std::string, LayoutChoice> choices = {
                  {"auto", LayoutChoice::kAuto},
                  {"class-folders", LayoutChoice::kClassFolders},
                  {"split-folders", LayoutChoice::kSplitFolders},
                  {"flat", LayoutChoice::kFlat}};
              if (const auto found = choices.find(text); found != choices.end()) {
                choice = found->second;
                return;
              }
              std::vector<std::string> words;
              for (const auto& [word, value] : choices) words.push_back(word);
              throw Error(ErrorCode::kInvalidArgument,
                          fmt::format("--layout: expected {}, found '{}'", fmt::join(words, ", "),
                                      printable(text)),
                          "--layout " + words.front());
            });
}

}  // namespace penstock::tools
