// `penstock predict`: what a stored model sees in picture files. What is wrong with one of them is
// said of that one, and the others are answered. No answer outlives its batch.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/number_text.h"
#include "streamer/core/shell_quoted.h"
#include "tools/command.h"
#include "tools/convert/convert_job.h"
#include "tools/exit_code.h"
#include "tools/inference_flags.h"
#include "tools/left_out_files.h"
#include "tools/output_file.h"
#include "tools/picture_file.h"
#include "tools/picture_paths.h"
#include "tools/prediction_text.h"
#include "tools/result_stream.h"
#include "tools/size_option.h"
#include "tools/stop_signals.h"
#include "tools/terminal.h"
#include "train/run/inference/predictor.h"

namespace penstock::tools {
namespace {

struct PredictOptions {
  std::string run;
  std::vector<std::string> images;
  std::uint64_t top = 3;
  PredictionFormat format = PredictionFormat::kText;
  std::string out;
  InferenceFlags inference;
  bool is_forced = false;
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
                       .is_damaged = exit_code_of(error.code()) == kExitDataDamaged};
  if (error.code() == ErrorCode::kNotFound) {
    answer.fault = "picture: " + path + ": expected a file, found none";
  } else if (error.code() == ErrorCode::kOutOfMemory) {
    answer.fault = "picture: " + path + ": " + error.what();
    answer.hint = "raise --memory, or make the picture smaller";
  }
  if (answer.hint.empty()) answer.hint = "check the path: ls -l " + shell_quoted(path);
  return answer;
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

/// Takes pictures one by one and answers for them batch by batch.
class Prediction {
 public:
  Prediction(train::Predictor& predictor, std::uint64_t top, PredictionFormat format,
             ResultStream& out)
      : predictor_(predictor),
        files_(max_picture_px(predictor.record()), encode_settings(predictor.record()),
               predictor.budget()),
        top_(top),
        text_(format),
        out_(out) {
    out_.write(text_.begin());
  }

  std::uint64_t num_pictures() const { return num_pictures_; }
  const LeftOutFiles& left_out() const { return left_out_; }
  int exit_code() const { return exit_code_; }

  void add(const PicturePath& path) {
    if (!path.left_out.empty()) {
      left_out_.add(path.path, path.left_out);
      return;
    }
    PictureAnswer answer{.path = path.path};
    try {
      if (!path.fault.empty()) throw Error(ErrorCode::kIo, path.fault);
      read(path.path);
      answer_of_.push_back(answers_.size());
    } catch (const NoPicture& error) {
      if (path.is_found) {
        left_out_.add(path.path);
        return;
      }
      answer = faulty(path.path, error);
    } catch (const Error& error) {
      answer = faulty(path.path, error);
    }
    ++num_pictures_;
    answers_.push_back(std::move(answer));
    // Those with a fault count too: a list of nothing else must not gather.
    if (answers_.size() >= predictor_.record().batch_size) finish_batch();
  }

  void finish_batch() {
    const std::vector<train::PictureScores> scores = predictor_.score();
    for (std::size_t i = 0; i < scores.size(); ++i) {
      answers_[answer_of_[i]].top = rank(scores[i], predictor_.record().class_names, top_);
    }
    for (const PictureAnswer& answer : answers_) tell(answer);
    answers_.clear();
    answer_of_.clear();
  }

  void end() {
    finish_batch();
    out_.write(text_.end());
  }

 private:
  /// Reads a picture into the predictor's batch, and lets go of its file. Throws when there is none.
  void read(const std::string& path) {
    const BudgetedPicture picture = files_.read(path);
    const SampleFault fault = predictor_.add(picture.picture);
    if (fault.status != SampleStatus::kOk) files_.refuse_undecodable(path, fault);
  }

  void tell(const PictureAnswer& answer) {
    if (!answer.fault.empty()) {
      print_error(answer.fault, answer.hint);
      if (exit_code_ != kExitDataDamaged) {
        exit_code_ = answer.is_damaged ? kExitDataDamaged : kExitFailed;
      }
    }
    out_.write(text_.answer(answer));
  }

  train::Predictor& predictor_;
  PictureFiles files_;
  std::uint64_t top_;
  PredictionText text_;
  ResultStream& out_;
  std::vector<PictureAnswer> answers_;  // of the batch under way
  std::vector<std::size_t> answer_of_;  // by picture that was added to it
  std::uint64_t num_pictures_ = 0;
  LeftOutFiles left_out_;
  int exit_code_ = kExitDone;
};

void predict_all(PicturePaths& paths, Prediction& prediction, ProgressLine& line) {
  while (const auto path = paths.next()) {
    prediction.add(*path);
    if (line.is_due()) {
      line.update(fmt::format("predict {} pictures", format_count(prediction.num_pictures())));
    }
  }
  prediction.end();
}

void check_found(const Prediction& prediction) {
  if (prediction.num_pictures() > 0) return;
  throw Error(
      ErrorCode::kNotFound,
      fmt::format(
          "predict: expected pictures, found none{}",
          prediction.left_out().count() == 0 ? std::string() : ": " + prediction.left_out().text()),
      "name picture files or a folder of them, or write paths to a list: find FOLDER -type f "
      "| penstock predict RUN -");
}

int run_predict(const PredictOptions& options) {
  const StopSignals signals;  // before any other thread
  const auto format = options.is_json ? PredictionFormat::kJson : options.format;
  if (!options.out.empty()) {
    check_output_file(options.out,
                      options.is_forced ? ExistingFile::kReplace : ExistingFile::kRefuse);
  }
  train::Predictor predictor(options.run, options.inference.config());
  PicturePaths paths(options.images, STDIN_FILENO, predictor.budget(), signals.token());
  ResultStream out(options.out);
  Prediction prediction(predictor, options.top, format, out);
  {
    // Answers on the screen are progress enough, and are read by programs otherwise.
    const bool shows_progress =
        !options.is_quiet && (format == PredictionFormat::kText || !options.out.empty());
    ProgressLine line(shows_progress ? Verbosity::kNormal : Verbosity::kQuiet);
    predict_all(paths, prediction, line);
  }
  check_found(prediction);
  out.publish();
  if (prediction.left_out().count() > 0) {
    print_notice(options.is_quiet ? Verbosity::kQuiet : Verbosity::kNormal,
                 "left out  " + prediction.left_out().text());
  }
  return prediction.exit_code();
}

}  // namespace

void add_predict_command(CLI::App& program, CommandChoice& choice) {
  auto options = std::make_shared<PredictOptions>();
  CLI::App& command = add_command(program, "predict", "Says what a trained model sees in pictures");
  add_argument(command, "RUN", options->run, "Folder made by penstock train");
  add_arguments(
      command, "IMAGE", options->images,
      "Picture files, folders with all beneath them, - for paths on standard input, one a "
      "line");
  add_count_option(command, "--top", options->top, {.min = 1, .max = 1000},
                   "Classes named per picture, best first (3)");
  add_value(command, {"--format", "NAME", "text, csv or json (text)"},
            [options](const std::string& text) { options->format = prediction_format(text); });
  add_text(command, "-o,--out", options->out,
           "File for the answers, there whole or not at all (standard output)");
  add_switch(command, "--force", options->is_forced, "Replace the file of -o if it is there");
  add_inference_flags(command, options->inference);
  add_switch(command, "--quiet", options->is_quiet, "Show no progress");
  add_switch(command, "--json", options->is_json, "The same as --format json");
  end_help(command, example("penstock predict runs/first photo.jpg --top 1\n  penstock predict "
                            "runs/first photos/ --format csv -o answers.csv\n  find photos -newer "
                            "last | penstock predict runs/first -"));
  choose_when_given(command, choice, [options] { return run_predict(*options); });
}

}  // namespace penstock::tools
