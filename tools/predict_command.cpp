// `penstock predict`: what a stored model sees in picture files. They are treated as `convert` and
// the loader treat them, so that a file and its sample in a dataset give the same answer.
#include <fmt/core.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <memory>
#include <numeric>
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

namespace penstock::tools {
namespace {

struct PredictOptions {
  std::string run;
  std::vector<std::string> images;
  std::uint64_t top = 3;
  InferenceFlags inference;
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
                  (verdict.detail.empty() ? std::string("text") : verdict.detail));
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
    answers.push_back({.path = path, .fault = {}, .top = {}});
    try {
      pictures.push_back(read_picture(path, checker));
      answer_of.push_back(answers.size() - 1);
    } catch (const Error& error) {
      answers.back().fault = error.what();
    }
  }
  const std::vector<train::PictureScores> scores = predictor.predict(pictures);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    PictureAnswer& answer = answers[answer_of[i]];
    if (scores[i].fault.status == SampleStatus::kOk) {
      answer.top = rank(scores[i], predictor.record().class_names, top);
    } else {
      answer.fault = "picture: " + answer.path + ": " + std::string(scores[i].fault.detail());
    }
  }
  return answers;
}

int run_predict(const PredictOptions& options) {
  train::Predictor predictor(options.run, options.inference.config());
  convert::ImageChecker checker(convert::ConvertConfig{}.max_px);
  std::vector<PictureAnswer> answers;
  const std::size_t batch = predictor.record().batch_size;
  for (std::size_t first = 0; first < options.images.size(); first += batch) {
    const auto paths =
        std::span(options.images).subspan(first, std::min(batch, options.images.size() - first));
    for (PictureAnswer& answer : answer_batch(paths, predictor, checker, options.top)) {
      if (!answer.fault.empty()) print_error(printable(answer.fault), {});
      if (answer.fault.empty() && !options.is_json) print_answer(answer);
      answers.push_back(std::move(answer));
    }
  }
  if (options.is_json) print_result(prediction_json(answers));
  const bool all_good = std::all_of(answers.begin(), answers.end(),
                                    [](const PictureAnswer& a) { return a.fault.empty(); });
  return all_good ? kExitDone : kExitDataDamaged;
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
  command->add_flag("--json", options->is_json, "Print the answers as JSON");
  command->footer(example("penstock predict runs/first photo.jpg --top 1"));
  choose_when_given(*command, choice, [options] { return run_predict(*options); });
}

}  // namespace penstock::tools
