// `penstock export`: a stored model as a file that other programs run.
#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "streamer/core/error.h"
#include "tools/build_facts.h"
#include "tools/command.h"
#include "tools/exit_code.h"
#include "tools/output_file.h"
#include "tools/size_option.h"
#include "tools/terminal.h"
#include "train/export/onnx_export.h"
#include "train/run/inference/stored_network.h"
#include "train/run/network/run_model.h"

namespace penstock::tools {
namespace {

using Json = nlohmann::ordered_json;

struct ExportOptions {
  std::string run;
  std::string onnx;
  bool has_preprocessing = false;
  bool keeps_norms = false;
  bool is_forced = false;
  bool is_quiet = false;
  bool is_json = false;
};

void check_options(const ExportOptions& options) {
  if (!options.onnx.empty()) return;
  throw Error(ErrorCode::kInvalidArgument, "export: expected --onnx FILE, found nothing to write",
              "penstock export RUN --onnx model.onnx");
}

std::vector<train::ExpectedTensor> tensors_of(const train::ModelGraph& graph) {
  std::vector<train::ExpectedTensor> expected;
  for (const train::Parameter& parameter : graph.parameters()) {
    expected.push_back({parameter.name, {parameter.shape.begin(), parameter.shape.end()}});
  }
  return expected;
}

std::string input_text(const train::ModelRecord& record, bool has_preprocessing) {
  if (has_preprocessing) {
    return fmt::format("uint8 [batch, {}, {}, {}], 0 to 255", record.height_px, record.width_px,
                       record.channels);
  }
  return fmt::format("float32 [batch, {}, {}, {}], normalised by mean and std of the metadata",
                     record.channels, record.height_px, record.width_px);
}

void print_report(const ExportOptions& options, const train::ModelRecord& record,
                  const train::OnnxReport& report) {
  print_result(fmt::format(
      "{}: {}, {} nodes, {} batch norms folded, {}\n  images  {}\n  logits  float32 [batch, {}]",
      printable(options.onnx), printable(record.model_name), format_count(report.num_nodes),
      format_count(report.num_folded_norms), format_bytes(report.num_bytes),
      input_text(record, options.has_preprocessing), record.class_names.size()));
}

std::string report_json(const ExportOptions& options, const train::ModelRecord& record,
                        const train::OnnxReport& report) {
  return Json{{"run", options.run},
              {"onnx", options.onnx},
              {"model", record.model_name},
              {"height_px", record.height_px},
              {"width_px", record.width_px},
              {"channels", record.channels},
              {"num_classes", record.class_names.size()},
              {"has_preprocessing", options.has_preprocessing},
              {"num_nodes", report.num_nodes},
              {"num_folded_norms", report.num_folded_norms},
              {"size_bytes", report.num_bytes}}
      .dump(2, ' ', false, Json::error_handler_t::replace);
}

int run_export(const ExportOptions& options) {
  check_output_file(options.onnx,
                    options.is_forced ? ExistingFile::kReplace : ExistingFile::kRefuse);
  train::StoredModel stored = train::load_stored_model(options.run);
  const train::ModelGraph graph = train::rebuild_model(stored.record, options.run);
  const train::OnnxReport report = train::write_onnx(
      options.onnx,
      {.graph = graph,
       .record = stored.record,
       .weights = train::match_tensors(tensors_of(graph), std::move(stored.weights.tensors),
                                       std::filesystem::path(options.run) / train::kWeightsName),
       .producer_version = kVersion},
      {.folds_batch_norms = !options.keeps_norms, .has_preprocessing = options.has_preprocessing});
  if (options.is_json) {
    print_result(report_json(options, stored.record, report));
  } else if (!options.is_quiet) {
    print_report(options, stored.record, report);
  }
  return kExitDone;
}

}  // namespace

void add_export_command(CLI::App& program, CommandChoice& choice) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App& command =
      add_command(program, "export", "Writes a trained model as a file that other programs run");
  add_argument(command, "RUN", options->run, "Folder made by penstock train");
  add_text(command, "--onnx", options->onnx, "ONNX file to write: IR 8, opset 17, float32");
  add_switch(
      command, "--preprocessing", options->has_preprocessing,
      "Let the file take pictures of 0 to 255, [batch, height, width, channels], and normalise "
      "them itself");
  add_switch(command, "--no-fold", options->keeps_norms,
             "Keep batch norms as nodes instead of folding them into the weights before them");
  add_switch(command, "--force", options->is_forced, "Replace the file if it is there");
  add_switch(command, "--quiet", options->is_quiet, "Print errors only");
  add_switch(command, "--json", options->is_json, "Print what was written as JSON");
  end_help(command, example("penstock export runs/first --onnx first.onnx --preprocessing"));
  choose_when_given(
      command, choice, [options] { return run_export(*options); },
      [options] { check_options(*options); });
}

}  // namespace penstock::tools
