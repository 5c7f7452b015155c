// penstock inspect: what a dataset or a shard holds.
#include <memory>
#include <string>

#include "tools/command.h"
#include "tools/dataset_report.h"
#include "tools/exit_code.h"
#include "tools/terminal.h"

namespace penstock::tools {

void add_inspect_command(CLI::App& program, CommandChoice& choice) {
  struct Options {
    std::string path;
    bool json = false;
    bool is_quiet = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App& command =
      add_command(program, "inspect",
                  "Say what a dataset or a shard holds: counts, classes, sizes, statistics");
  add_argument(command, "PATH", options->path, "A dataset's folder, or a shard file");
  add_switch(command, "--json", options->json, "Print as JSON");
  add_switch(command, "--quiet", options->is_quiet,
             "Print errors only: the exit code says whether it can be read");
  end_help(command, example("penstock inspect photos.ds"));
  choose_when_given(command, choice, [options] {
    const ReportForm form = options->json ? ReportForm::kJson : ReportForm::kText;
    const std::string report = describe_dataset_or_shard(options->path, form);
    if (!options->is_quiet) print_result(report);
    return kExitDone;
  });
}

}  // namespace penstock::tools
