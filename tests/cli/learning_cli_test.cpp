// What `penstock train` shows of a run's learning, as text and as events: figures of a validation, a verdict, a
// rate that is lowered, an end before the last epoch, and which weights stay.
#include <fmt/core.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "streamer/core/file.h"
#include "tests/cli/json_events.h"
#include "tests/cli/run_command.h"
#include "tests/cli/trained_shapes.h"
#include "tests/contains.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Words = std::vector<std::string>;

/// No class is learnt at such a rate: the verdict on it is due after three epochs. ln(10) is 2.303.
const Words kStill = {"--epochs", "4", "--schedule", "constant", "--learning-rate", "1e-12"};
const std::string kNotLearning = "not learning: the lowest training loss of ";
const std::string kAdvice =
    ", guessing gives 2.303; try a learning rate ten times lower, then ten times higher; a few "
    "pictures alone until their loss is near 0; and a look at whether labels belong to their "
    "pictures";

/// No epoch is an improvement by a billion.
const Words kStopping = {"--epochs",
                         "3",
                         "--learning-rate",
                         "0.001",
                         "--early-stopping.patience",
                         "1",
                         "--early-stopping.min-delta",
                         "1e9"};

/// No loss falls by 99 %, so every epoch but the first lowers the rate.
const Words kReducing = {"--epochs",
                         "3",
                         "--schedule",
                         "constant",
                         "--learning-rate",
                         "0.001",
                         "--reduce-on-plateau.factor",
                         "0.5",
                         "--reduce-on-plateau.patience",
                         "0",
                         "--reduce-on-plateau.min-delta",
                         "0.99"};

struct LearningFixture : ShapesRun {
  CommandResult train(Words settings, const Words& more = {}) const {
    settings.insert(settings.end(), {"--batch-size", "16", "--seed", "3"});
    CommandResult result = ShapesRun::train(shapes.dataset(), settings, more);
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    return result;
  }
  std::vector<Json> events(const Words& settings) const {
    return events_of(train(settings, {"--json", "--quiet"}).out);
  }
};

/// The only line of `text` that begins so.
std::string line_with(const std::string& text, const std::string& beginning) {
  Words found;
  for (const std::string& line : lines_of(text)) {
    if (line.starts_with(beginning)) found.push_back(line);
  }
  BOOST_REQUIRE_MESSAGE(found.size() == 1, beginning << ": " << found.size() << " of " << text);
  return found.front();
}

/// What a line says of a validation, from the fields of its event.
std::string validation_text(const Json& event) {
  const auto share = [&](const char* name) { return 100 * event.at(name).get<double>(); };
  return fmt::format("validation loss {:.4f}, top-1 {:.1f} %, top-5 {:.1f} %, macro F1 {:.4f}",
                     event.at("val_loss").get<double>(), share("val_accuracy"),
                     share("val_top5_accuracy"), event.at("val_macro_f1").get<double>());
}

void check_not_learning(const std::string& verdict, int num_epochs) {
  BOOST_TEST(verdict.starts_with(kNotLearning + std::to_string(num_epochs) + " epochs is "),
             verdict);
  BOOST_TEST(verdict.ends_with(kAdvice), verdict);
}

BOOST_FIXTURE_TEST_SUITE(learning_cli, LearningFixture)

BOOST_AUTO_TEST_CASE(an_epoch_shows_what_its_validation_measured) {
  const auto events = events_of(read_text_file(shapes.run() / "metrics.jsonl"));
  const std::vector<Json> validations = of_kind(events, "validation");
  BOOST_REQUIRE(validations.size() == 2u);
  for (int epoch = 1; epoch <= 2; ++epoch) {
    const std::string line =
        line_with(shapes.train_err(), "epoch " + std::to_string(epoch) + "/2: ");
    BOOST_TEST(line.ends_with("; " + validation_text(validations[epoch - 1u])), line);
  }
}

BOOST_AUTO_TEST_CASE(a_validation_within_an_epoch_is_a_line_of_its_own) {
  const std::string err = train({"--epochs", "1", "--validate-every-steps", "3"}).err;
  const auto events = events_of(read_text_file(out / "metrics.jsonl"));
  BOOST_REQUIRE(of_kind(events, "validation").size() == 2u);  // at the epoch's end, too
  BOOST_TEST(line_with(err, "epoch 1/1 step 3: ") ==
             "epoch 1/1 step 3: " + validation_text(events.front()));
  BOOST_TEST(events.front().at("val_classes").size() == 10u);
}

// Two commands, the same weights and pictures: 4 of each of ten classes.
BOOST_AUTO_TEST_CASE(classes_of_the_last_validation_are_those_that_evaluation_finds) {
  const auto events = events_of(read_text_file(shapes.run() / "metrics.jsonl"));
  const Json last = of_kind(events, "validation").back();
  const Json& classes = last.at("val_classes");
  BOOST_REQUIRE(classes.size() == 10u);
  for (const Json& one : classes) BOOST_TEST(one.at("num_samples") == 4);
  const CommandResult evaluated =
      run_penstock({"evaluate", shapes.run(), "--split", "validation", "--json", "--threads", "2"});
  BOOST_REQUIRE_MESSAGE(evaluated.exit_code == 0, evaluated.err);
  const Json found = Json::parse(evaluated.out);
  BOOST_TEST(found["classes"] == classes);
  BOOST_TEST(found["confusion_matrix"] == last.at("val_confusion_matrix"));
}

BOOST_AUTO_TEST_CASE(the_device_and_what_computes_on_it_are_named) {
  const std::string line = line_with(shapes.train_err(), "device    cpu: oneDNN ");
  BOOST_TEST(line.ends_with(", 2 threads, float32"), line);
}

BOOST_AUTO_TEST_CASE(the_last_lines_name_the_weights_and_what_to_type) {
  const std::string run = shapes.run();
  BOOST_TEST(shapes.train_out().ends_with("\nweights after 2 epochs: " + run +
                                          "/weights.safetensors\ntry:\n  penstock evaluate " + run +
                                          "\n  penstock predict " + run + " IMAGE\n"),
             shapes.train_out());
}

// While it goes on as soon as it is due, on stderr; at its end on stdout, where it is the result.
BOOST_AUTO_TEST_CASE(a_run_that_learns_nothing_is_told_so) {
  const CommandResult result = train(kStill);
  const std::string head = "learning: ";
  check_not_learning(line_with(result.err, head).substr(head.size()), 3);
  check_not_learning(line_with(result.out, head).substr(head.size()), 4);
}

BOOST_AUTO_TEST_CASE(a_run_that_learns_nothing_is_an_event_and_in_the_outcome) {
  const std::vector<Json> events = this->events(kStill);
  const std::vector<Json> notes = of_kind(events, "note");
  BOOST_REQUIRE(notes.size() == 1u);
  const std::string text = notes[0]["text"];
  BOOST_TEST(text.starts_with("learning: "), text);
  check_not_learning(text.substr(std::string("learning: ").size()), 3);
  check_not_learning(events.back().at("learning_verdict"), 4);
}

BOOST_AUTO_TEST_CASE(early_stopping_says_why_the_run_ended_and_which_weights_stay) {
  const CommandResult result = train(kStopping);
  BOOST_TEST(
      line_with(result.err, "training  ").ends_with(", ends when val_loss stands for 1 epoch"));
  const std::string reason = line_with(result.out, "early stopping: ");
  BOOST_TEST(reason.starts_with("early stopping: val_loss did not improve for 1 epoch; best "));
  BOOST_TEST(reason.ends_with(" in epoch 1"), reason);
  BOOST_TEST(line_with(result.out, "best weights") ==
             "best weights, of epoch 1: " + out.native() + "/weights.safetensors");
  fs::remove_all(out);
  const Json end = events(kStopping).back();
  BOOST_TEST(end.at("end_reason") == reason);
  BOOST_TEST(end.at("best_epoch") == 1);
  BOOST_TEST(end.at("num_epochs") == 2);
}

BOOST_AUTO_TEST_CASE(a_rate_that_is_lowered_is_said_and_an_event) {
  const std::string note = "learning rate lowered from 0.001 to 5e-04: val_loss stands";
  const std::string err = train(kReducing).err;
  BOOST_TEST(
      line_with(err, "training  ").ends_with(", rate times 0.5 when val_loss stands for 0 epochs"));
  BOOST_TEST(line_with(err, "learning rate lowered from 0.001 ") == note);
  fs::remove_all(out);
  const std::vector<Json> events = this->events(kReducing);
  BOOST_TEST(of_kind(events, "note").front()["text"] == note);
  BOOST_TEST(of_kind(events, "epoch").back()["learning_rate"] == 0.0005);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
