// penstock inspect: what a dataset or a shard holds.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "tools/command.h"
#include "tools/dataset_report.h"
#include "tools/exit_code.h"
#include "tools/terminal.h"

namespace penstock::tools {

void add_inspect_command(CLI::App& program, CommandChoice& choice) {
  struct Options {
    std::string path;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "inspect", "Say what a dataset or a shard holds: counts, classes, sizes, statistics");
  command->add_option("PATH", options->path, "A dataset's folder, or a shard file")->required();
  command->add_flag("--json", options->json, "Print as JSON");
  command->footer(example("penstock inspect photos.ds"));
  choose_when_given(*command, choice, [options] {
    const ReportForm form = options->json ? ReportForm::kJson : ReportForm::kText;
    print_result(describe_dataset_or_shard(options->path, form));
    return kExitDone;
  });
}

}  // namespace penstock::tools
