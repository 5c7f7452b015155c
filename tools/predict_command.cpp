// `penstock predict`: what a stored model sees in picture files. They are treated as `convert` and
// the loader treat them, so that a file and its sample in a dataset give the same answer.
#include <fmt/core.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tools/command.h"
#include "tools/convert/convert_job.h"
#include "tools/convert/image_check.h"
#include "tools/exit_code.h"
#include "tools/inference_flags.h"
#include "tools/run_report.h"
#include "tools/run_screen.h"
#include "tools/size_option.h"
#include "tools/terminal.h"
#include "train/run/predictor.h"
#include "train/run/run_values.h"

namespace penstock::tools {
namespace {

struct PredictOptions {
  std::string run;
  std::vector<std::string> images;
  std::uint64_t top = 3;
  InferenceFlags inference;
  bool is_quiet = false;
  bool is_json = false;
};

/// Reads a file and makes of it what `convert` would store. Throws when that is nothing.
train::EncodedPicture read_picture(const std::string& path, convert::ImageChecker& checker) {
  const std::string file = read_text_file(path, convert::kMaxFileBytes);
  const auto bytes = std::as_bytes(std::span(file));
  convert::ImageVerdict verdict = checker.check(bytes, path, {});
  if (verdict.fate == convert::FileFate::kReencoded) {
    return {std::move(verdict.reencoded), verdict.record};
  }
  if (verdict.fate == convert::FileFate::kKept) {
    return {{bytes.begin(), bytes.end()}, verdict.record};
  }
  throw Error(ErrorCode::kCorruptData,
              "picture: " + path + ": expected a picture, found " +
                  (verdict.detail.empty() ? std::string("text") : verdict.detail),
              "file " + path);
}

/// Pictures above this are refused: the limit that the model's dataset was converted with.
std::uint64_t max_picture_px(const train::ModelRecord& record) {
  const auto stored = record.conversion.find("max_pixels");
  if (stored == record.conversion.end()) return convert::ConvertConfig{}.max_px;
  const auto value = train::parse_digits<std::uint64_t>(stored->second);
  if (value && *value > 0) return *value;
  throw Error(ErrorCode::kCorruptData,
              "model: conversion: max_pixels: expected a whole number, found '" +
                  printable(stored->second) + "'",
              "use the penstock that trained it");
}

PictureAnswer faulty(const std::string& path, const Error& error) {
  const bool is_missing = error.code() == ErrorCode::kNotFound;
  return {.path = path,
          .fault = is_missing ? "picture: " + path + ": expected a file, found none" : error.what(),
          .hint = error.hint().empty() ? "check the path: ls -l " + path : error.hint(),
          .is_damaged = exit_code_of(error.code()) == kExitDataDamaged,
          .top = {}};
}

int exit_code_of_all(std::span<const PictureAnswer> answers) {
  int exit_code = kExitDone;
  for (const PictureAnswer& answer : answers) {
    if (answer.fault.empty()) continue;
    if (answer.is_damaged) return kExitDataDamaged;
    exit_code = kExitFailed;
  }
  return exit_code;
}

std::vector<RankedClass> rank(const train::PictureScores& scores,
                              const std::vector<std::string>& names, std::uint64_t top) {
  std::vector<std::uint32_t> order(names.size());
  std::iota(order.begin(), order.end(), 0u);
  const std::vector<double>& p = scores.probabilities;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return p[a] > p[b]; });
  order.resize(std::min<std::uint64_t>(top, order.size()));
  std::vector<RankedClass> ranked;
  for (const std::uint32_t idx : order) ranked.push_back({names[idx], idx, p[idx]});
  return ranked;
}

void print_answer(const PictureAnswer& answer) {
  std::string text = printable(answer.path) + ": ";
  for (const RankedClass& ranked : answer.top) {
    text += fmt::format("{}{} {}", &ranked == answer.top.data() ? "" : ", ", printable(ranked.name),
                        percent_text(ranked.probability));
  }
  print_result(text);
}

/// Answers for the pictures of one batch; those that fail are named on stderr.
std::vector<PictureAnswer> answer_batch(std::span<const std::string> paths,
                                        train::Predictor& predictor, convert::ImageChecker& checker,
                                        std::uint64_t top) {
  std::vector<PictureAnswer> answers;
  std::vector<train::EncodedPicture> pictures;
  std::vector<std::size_t> answer_of;  // by picture
  for (const std::string& path : paths) {
    answers.push_back({.path = path, .fault = {}, .hint = {}, .top = {}});
    try {
      pictures.push_back(read_picture(path, checker));
      answer_of.push_back(answers.size() - 1);
    } catch (const Error& error) {
      answers.back() = faulty(path, error);
    }
  }
  const std::vector<train::PictureScores> scores = predictor.predict(pictures);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    PictureAnswer& answer = answers[answer_of[i]];
    if (scores[i].fault.status == SampleStatus::kOk) {
      answer.top = rank(scores[i], predictor.record().class_names, top);
    } else {
      answer.fault = "picture: " + answer.path + ": expected a picture that decodes, found: " +
                     std::string(scores[i].fault.detail());
      answer.hint = "file " + answer.path;
      answer.is_damaged = true;
    }
  }
  return answers;
}

int run_predict(const PredictOptions& options) {
  train::Predictor predictor(options.run, options.inference.config());
  convert::ImageChecker checker(max_picture_px(predictor.record()));
  const bool shows_progress = !options.is_quiet && !options.is_json;
  ProgressLine line(shows_progress ? Verbosity::kNormal : Verbosity::kQuiet);
  std::vector<PictureAnswer> answers;
  const std::size_t batch = predictor.record().batch_size;
  for (std::size_t first = 0; first < options.images.size(); first += batch) {
    if (line.is_due()) {
      line.update(fmt::format("predict {} of {} pictures", format_count(first),
                              format_count(options.images.size())));
    }
    const auto paths =
        std::span(options.images).subspan(first, std::min(batch, options.images.size() - first));
    for (PictureAnswer& answer : answer_batch(paths, predictor, checker, options.top)) {
      if (!answer.fault.empty()) print_error(printable(answer.fault), printable(answer.hint));
      if (answer.fault.empty() && !options.is_json) print_answer(answer);
      answers.push_back(std::move(answer));
    }
  }
  if (options.is_json) print_result(prediction_json(answers));
  return exit_code_of_all(answers);
}

}  // namespace

void add_predict_command(CLI::App& program, CommandChoice& choice) {
  auto options = std::make_shared<PredictOptions>();
  CLI::App* command =
      program.add_subcommand("predict", "Says what a trained model sees in pictures");
  command->add_option("RUN", options->run, "Folder made by penstock train")->required();
  command->add_option("IMAGE", options->images, "Picture files")->required();
  add_count_option(*command, "--top", options->top, {.min = 1, .max = 1000},
                   "Classes named per picture, best first (3)");
  add_inference_flags(*command, options->inference);
  command->add_flag("--quiet", options->is_quiet, "Show no progress");
  command->add_flag("--json", options->is_json, "Print the answers as JSON");
  command->footer(example("penstock predict runs/first photo.jpg --top 1"));
  choose_when_given(*command, choice, [options] { return run_predict(*options); });
}

}  // namespace penstock::tools
