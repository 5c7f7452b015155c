// penstock model: the layer table of a model, before any data is touched.
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "tools/command.h"
#include "tools/exit_code.h"
#include "tools/run_flags.h"
#include "tools/size_option.h"
#include "tools/terminal.h"
#include "train/graph/model_summary.h"
#include "train/run/network/run_model.h"
#include "train/run/settings/run_file.h"

namespace penstock::tools {
namespace {

using Json = nlohmann::ordered_json;

struct ModelOptions {
  std::string model;
  std::string image_size = "224";
  std::uint64_t num_classes = 1000;
  std::vector<RunOverride> overrides = {};  // the colour mode
  bool is_json = false;
  bool is_quiet = false;
};

train::ModelSummary summary_of(const ModelOptions& options) {
  train::RunConfig run;
  train::set_run_value(run, "model", options.model, "penstock model");
  train::set_run_value(run, "image_size", options.image_size, "--image-size");
  apply_overrides(run, options.overrides);
  train::inline_model_file(run);
  return train::summarize(train::build_run_model(run, train::num_channels(run.color_mode),
                                                 static_cast<std::uint32_t>(options.num_classes)));
}

Json layer_json(const train::LayerSummary& layer) {
  return {{"name", layer.name},
          {"operation", layer.operation},
          {"channels", layer.output.channels},
          {"height", layer.output.height},
          {"width", layer.output.width},
          {"num_params", layer.num_params},
          {"num_statistics", layer.num_statistics},
          {"activation_bytes", layer.activation_bytes},
          {"forward_flops", layer.forward_flops}};
}

std::string summary_json(const train::ModelSummary& summary) {
  Json layers = Json::array();
  for (const train::LayerSummary& layer : summary.layers) layers.push_back(layer_json(layer));
  const train::LayerSummary& total = summary.total;
  const std::uint64_t parameter_bytes = train::parameter_bytes(summary);
  return Json{{"model", summary.model},
              {"num_params", total.num_params},
              {"num_statistics", total.num_statistics},
              {"parameter_bytes", parameter_bytes},
              {"gradient_bytes", parameter_bytes},
              {"sgd_momentum_state_bytes", parameter_bytes},
              {"adam_state_bytes", 2 * parameter_bytes},
              {"num_outputs", total.output.channels},
              {"activation_bytes", total.activation_bytes},
              {"forward_flops", total.forward_flops},
              {"layers", layers}}
      .dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string summary_text(const train::ModelSummary& summary) {
  std::string text = train::to_text(summary);
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

void add_model_command(CLI::App& program, CommandChoice& choice) {
  auto options = std::make_shared<ModelOptions>();
  CLI::App& command =
      add_command(program, "model", "Print a model's layers: shapes, parameters, bytes, FLOPs");
  add_argument(command, "NAME|FILE", options->model, "A model as penstock train --model takes it");
  add_value(command, {"--image-size", "PIXELS", "Network input, 96 or 160x224 (224)"},
            [options](const std::string& text) {
              check_run_flag({"--image-size", "image_size", text}, "96");
              options->image_size = text;
            });
  add_value(command, {"--classes", "N", "Outputs (1000)"}, [options](const std::string& text) {
    options->num_classes = parse_count(text, "--classes", {.min = 1, .max = 1u << 20});
  });
  add_run_flags(command, options->overrides, {"color_mode"});
  add_switch(command, "--json", options->is_json, "Print as JSON");
  add_switch(command, "--quiet", options->is_quiet,
             "Print errors only: the exit code says whether the model can be built");
  end_help(command, example("penstock model resnet18\n  penstock model mine.toml --image-size 64 "
                            "--classes 10"));
  choose_when_given(command, choice, [options] {
    const train::ModelSummary summary = summary_of(*options);
    if (options->is_json) {
      print_result(summary_json(summary));
    } else if (!options->is_quiet) {
      print_result(summary_text(summary));
    }
    return kExitDone;
  });
}

}  // namespace penstock::tools
