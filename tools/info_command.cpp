// penstock info: what this program is and what it found on this machine.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "tools/command.h"
#include "tools/exit_code.h"
#include "tools/system_report.h"
#include "tools/terminal.h"

namespace penstock::tools {

void add_info_command(CLI::App& program, CommandChoice& choice) {
  auto form = std::make_shared<ReportForm>(ReportForm::kText);
  CLI::App* command = program.add_subcommand(
      "info", "Say what this program is built of, and the CPU, GPU and memory it sees");
  command->add_flag_callback(
      "--json", [form] { *form = ReportForm::kJson; }, "Print as JSON");
  command->footer(example("penstock info --json"));
  choose_when_given(*command, choice, [form] {
    print_result(describe_system(*form));
    return kExitDone;
  });
}

}  // namespace penstock::tools
