// penstock info: what this program is and what it found on this machine.
#include <memory>
#include <string>

#include "tools/command.h"
#include "tools/exit_code.h"
#include "tools/system_report.h"
#include "tools/terminal.h"

namespace penstock::tools {

void add_info_command(CLI::App& program, CommandChoice& choice) {
  struct Options {
    bool json = false;
    bool is_quiet = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App& command = add_command(
      program, "info", "Say what this program is built of, and the CPU, GPU and memory it sees");
  add_switch(command, "--json", options->json, "Print as JSON");
  add_switch(command, "--quiet", options->is_quiet, "Print errors only");
  end_help(command, example("penstock info --json"));
  choose_when_given(command, choice, [options] {
    const ReportForm form = options->json ? ReportForm::kJson : ReportForm::kText;
    const std::string report = describe_system(form);
    if (!options->is_quiet) print_result(report);
    return kExitDone;
  });
}

}  // namespace penstock::tools
