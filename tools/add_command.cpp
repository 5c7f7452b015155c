// penstock add: new pictures into a dataset.
#include <memory>
#include <optional>
#include <string>

#include "tools/care/add_job.h"
#include "tools/care/change_report.h"
#include "tools/command.h"
#include "tools/convert_watch.h"
#include "tools/exit_code.h"
#include "tools/layout_option.h"
#include "tools/size_option.h"
#include "tools/terminal.h"
#include "train/run/memory/system_memory.h"

namespace penstock::tools {
namespace {

struct AddOptions {
  std::string dataset;
  std::string source;
  std::optional<double> validation_split;
  std::optional<double> test_split;
  std::optional<std::uint64_t> seed;
  convert::LayoutChoice layout = convert::LayoutChoice::kAuto;
  std::string labels;
  std::string class_names;
  std::uint64_t jobs = 0;
  std::uint64_t memory_bytes = 0;
  bool appends_classes = false;
  bool json = false;
  bool quiet = false;
};

care::AddConfig config_of(const AddOptions& options) {
  const std::uint64_t memory_bytes = options.memory_bytes > 0
                                         ? options.memory_bytes
                                         : train::read_system_memory().default_limit_bytes();
  return {
      .dataset = options.dataset,
      .source = options.source,
      .layout = options.layout,
      .labels = options.labels,
      .class_names_file = options.class_names,
      .validation_fraction = options.validation_split,
      .test_fraction = options.test_split,
      .seed = options.seed,
      .new_classes =
          options.appends_classes ? care::NewClasses::kAppended : care::NewClasses::kRefused,
      .limits = {.num_jobs = static_cast<unsigned>(options.jobs), .memory_bytes = memory_bytes}};
}

care::AddSummary add_and_watch(const AddOptions& options) {
  return watch_conversion(options.quiet ? Verbosity::kQuiet : Verbosity::kNormal,
                          [&](convert::ConvertObserver& observer, const std::stop_token& stop) {
                            return care::add_to_dataset(config_of(options), observer, stop);
                          });
}

int run_add(const AddOptions& options) {
  const care::AddSummary summary = add_and_watch(options);
  if (options.json) {
    print_result(care::add_json(summary, options.dataset));
  } else if (!options.quiet) {
    print_result(care::add_text(summary, options.dataset));
  }
  return kExitDone;
}

}  // namespace

void add_add_command(CLI::App& program, CommandChoice& choice) {
  auto options = std::make_shared<AddOptions>();
  CLI::App& command =
      add_command(program, "add", "Add new pictures to a dataset; what is there stays as it is");
  add_argument(command, "DATASET", options->dataset, "The dataset's folder");
  add_argument(
      command, "SOURCE", options->source,
      "One source, as convert takes them; pictures whose names are in the dataset are left "
      "out, all others are treated as its conversion treated them");
  add_layout_option(command, options->layout);
  add_value(
      command,
      {.name = "--labels",
       .type = "FILE",
       .description = "Table of the pictures in SOURCE: CSV, JSON lines, or a list with labels"},
      [options](const std::string& text) { options->labels = text; });
  add_value(
      command,
      {.name = "--class-names",
       .type = "FILE",
       .description = "Other names for classes of SOURCE: lines of key,name or number,name, or "
                      "a name a line"},
      [options](const std::string& text) { options->class_names = text; });
  add_switch(command, "--new-classes", options->appends_classes,
             "Append classes that the dataset does not have, instead of refusing them");
  add_fraction_option(command, "--validation-split", options->validation_split,
                      "Part for validation (as the dataset was converted)");
  add_fraction_option(command, "--test-split", options->test_split,
                      "Part for testing (as the dataset was converted)");
  add_value(command, {"--seed", "N", "Decides split and order (as the dataset was converted)"},
            [options](const std::string& text) {
              options->seed = parse_count(text, "--seed", {.min = 0});
            });
  add_count_option(command, "--jobs", options->jobs, {.min = 1, .max = 1024},
                   "Threads (one per core); the result is the same for any number");
  add_byte_size_option(command, "--memory", options->memory_bytes,
                       "Limit of what the conversion holds, at least 69M (0.8 of what is "
                       "available)");
  add_switch(command, "--quiet", options->quiet, "Print errors only");
  add_switch(command, "--json", options->json, "Print what was done as JSON");
  end_help(command, example("penstock add photos.ds more_photos/"));
  choose_when_given(
      command, choice, [options] { return run_add(*options); },
      [options] { config_of(*options).validate(); });
}

}  // namespace penstock::tools
