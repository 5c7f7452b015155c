// `penstock predict`: what a stored model sees in picture files. What is wrong with one of them is
// said of that one, and the others are answered.
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/number_text.h"
#include "streamer/core/shell_quoted.h"
#include "tools/command.h"
#include "tools/convert/convert_job.h"
#include "tools/exit_code.h"
#include "tools/inference_flags.h"
#include "tools/picture_file.h"
#include "tools/run_report.h"
#include "tools/run_screen.h"
#include "tools/size_option.h"
#include "tools/terminal.h"
#include "train/run/predictor.h"

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

/// Pictures above this are refused: the limit that the model's dataset was converted with.
std::uint64_t max_picture_px(const train::ModelRecord& record) {
  const auto stored = record.conversion.find("max_pixels");
  if (stored == record.conversion.end()) return convert::ConvertConfig{}.max_px;
  const auto value = parse_digits<std::uint64_t>(stored->second);
  if (value && *value > 0) return *value;
  throw Error(ErrorCode::kCorruptData,
              "model: conversion: max_pixels: expected a whole number, found '" +
                  printable(stored->second) + "'",
              "use the penstock that trained it");
}

/// What the dataset's pictures had gone through before they were stored, so that these do too.
convert::EncodeSettings encode_settings(const train::ModelRecord& record) {
  try {
    return convert::encode_settings_of(record.conversion);
  } catch (const Error& error) {
    throw Error(ErrorCode::kCorruptData, std::string("model: ") + error.what(),
                "use the penstock that trained it");
  }
}

PictureAnswer faulty(const std::string& path, const Error& error) {
  PictureAnswer answer{.path = path,
                       .fault = error.what(),
                       .hint = error.hint(),
                       .is_damaged = exit_code_of(error.code()) == kExitDataDamaged,
                       .top = {}};
  if (error.code() == ErrorCode::kNotFound) {
    answer.fault = "picture: " + path + ": expected a file, found none";
  } else if (error.code() == ErrorCode::kOutOfMemory) {
    answer.fault = "picture: " + path + ": " + error.what();
    answer.hint = "raise --memory, or make the picture smaller";
  }
  if (answer.hint.empty()) answer.hint = "check the path: ls -l " + shell_quoted(path);
  return answer;
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

/// Reads a picture into the predictor's batch, and lets go of its file. Throws when there is none.
void add_picture(const std::string& path, PictureFiles& files, train::Predictor& predictor) {
  const BudgetedPicture read = files.read(path);
  const SampleFault fault = predictor.add(read.picture);
  if (fault.status != SampleStatus::kOk) files.refuse_undecodable(path, fault);
}

/// Answers for the pictures of one batch, whatever is wrong with some.
std::vector<PictureAnswer> answer_batch(std::span<const std::string> paths, PictureFiles& files,
                                        train::Predictor& predictor, std::uint64_t top) {
  std::vector<PictureAnswer> answers;
  std::vector<std::size_t> answer_of;  // by picture that was added
  for (const std::string& path : paths) {
    answers.push_back({.path = path, .fault = {}, .hint = {}, .top = {}});
    try {
      add_picture(path, files, predictor);
      answer_of.push_back(answers.size() - 1);
    } catch (const Error& error) {
      answers.back() = faulty(path, error);
    }
  }
  const std::vector<train::PictureScores> scores = predictor.score();
  for (std::size_t i = 0; i < scores.size(); ++i) {
    answers[answer_of[i]].top = rank(scores[i], predictor.record().class_names, top);
  }
  return answers;
}

int run_predict(const PredictOptions& options) {
  train::Predictor predictor(options.run, options.inference.config());
  PictureFiles files(max_picture_px(predictor.record()), encode_settings(predictor.record()),
                     predictor.budget());
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
    for (PictureAnswer& answer : answer_batch(paths, files, predictor, options.top)) {
      if (!answer.fault.empty()) print_error(answer.fault, answer.hint);
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
  CLI::App& command = add_command(program, "predict", "Says what a trained model sees in pictures");
  add_argument(command, "RUN", options->run, "Folder made by penstock train");
  add_arguments(command, "IMAGE", options->images, "Picture files");
  add_count_option(command, "--top", options->top, {.min = 1, .max = 1000},
                   "Classes named per picture, best first (3)");
  add_inference_flags(command, options->inference);
  add_switch(command, "--quiet", options->is_quiet, "Show no progress");
  add_switch(command, "--json", options->is_json, "Print the answers as JSON");
  end_help(command, example("penstock predict runs/first photo.jpg --top 1"));
  choose_when_given(command, choice, [options] { return run_predict(*options); });
}

}  // namespace penstock::tools
