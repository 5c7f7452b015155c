// Random settings, pictures and batches through the whole augmentation: every vector unit against the
// slow way to the bit, that against the twin in double precision, within the bounds that
// augment/README.md names; and settings out of their range against validate(). The tests run it for ten
// seconds; longer, or with another seed, or one trial alone:
//   augment_fuzz SECONDS [SEED [TRIAL]]
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <span>
#include <string>

#include "augment/augment_transform.h"
#include "streamer/core/error.h"
#include "tests/augment/fuzz/mix_trial.h"
#include "tests/augment/fuzz/random_settings.h"
#include "tests/augment/fuzz/sample_trial.h"

namespace penstock::augment {
namespace {

std::string trial_text(const SampleTrial& trial) {
  const auto number = [](std::uint64_t value) { return std::to_string(value); };
  return AugmentTransform(trial.config).identity() + "output " + number(trial.spec.width_px) +
         " x " + number(trial.spec.height_px) + " x " + number(trial.spec.channels) + ", element " +
         number(std::uint64_t(trial.spec.element)) + ", layout " +
         number(std::uint64_t(trial.spec.layout)) + "; stored " + number(trial.info.width_px) +
         " x " + number(trial.info.height_px) + " x " + number(trial.picture_channels) +
         ", orientation " + number(trial.info.orientation) + ", scales to " +
         number(trial.info.max_decode_scale) + "\n";
}

/// Whether validate() says what the table of ranges says, and names the field.
void check_any_number(std::mt19937_64& random) {
  const FieldChange change = change_to_any_number(random_settings(random), random);
  try {
    change.config.validate();
    if (!change.is_valid) throw TrialFailure("accepted: a wrong " + change.field);
  } catch (const Error& error) {
    const std::string text = error.what();
    if (change.is_valid) throw TrialFailure("refused, but right: " + text);
    if (error.code() != ErrorCode::kInvalidArgument ||
        text.find(change.field) == std::string::npos) {
      throw TrialFailure("refused without naming " + change.field + ": " + text);
    }
    try {
      AugmentTransform transform(change.config);
    } catch (const Error&) {
      return;
    }
    throw TrialFailure("a transform of wrong settings: " + change.field);
  }
}

// What a guard page or a trap ends: printed ahead, because nothing is safe to do then but to write.
char crash_text[128] = "";

extern "C" void say_where_it_crashed(int signal_number) {
  const ssize_t written = write(STDOUT_FILENO, crash_text, std::strlen(crash_text));
  (void)written;
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
}

void name_trial(std::uint64_t seed, std::uint64_t trial_idx) {
  std::snprintf(crash_text, sizeof crash_text,
                "CRASHED: seed %llu, trial %llu: memory outside was touched, or worse\n",
                static_cast<unsigned long long>(seed), static_cast<unsigned long long>(trial_idx));
}

/// Every trial has a generator of its own, so that it can run alone.
void run_trial(std::uint64_t seed, std::uint64_t trial_idx, SampleTrials& trials) {
  std::seed_seq words{seed, seed >> 32, trial_idx, trial_idx >> 32};
  std::mt19937_64 random(words);
  for (int i = 0; i < 8; ++i) check_any_number(random);
  if (trial_idx % 8 == 7) return run_mix_trial(random);
  const SampleTrial trial = draw_sample_trial(random);
  try {
    trials.run(trial, random);
  } catch (const TrialFailure& failure) {
    throw TrialFailure(failure.what() + std::string("\n") + trial_text(trial));
  }
}

/// Over all trials: ties are rare, and errors small on average.
bool is_tally_good(const TwinTally& tally) {
  constexpr const char* kNames[] = {"bilinear", "nearest", "bilinear_antialias", "bicubic"};
  bool is_good = true;
  // Each tie was looked at by itself, but for those on bytes.
  const auto look = [&](const char* name, const TwinTally::Values& values, double most_ties) {
    if (values.num == 0) return;
    std::printf("%-20s %10.0f values, mean %.5f levels, largest %.3f, ties %.5f %%\n", name,
                values.num, values.sum_levels / values.num, values.worst_levels,
                100 * values.num_ties / values.num);
    // A few trials say nothing about a share.
    if (values.num < 1e5) return;
    is_good = is_good && values.sum_levels <= 0.1 * values.num &&
              values.num_ties <= most_ties * values.num;
  };
  for (std::size_t i = 0; i < 4; ++i) look(kNames[i], tally.by_interpolation[i], 0.05);
  look("enlarged by colours", tally.enlarged, 0.05);
  look("on bytes, or means", tally.on_bytes, 0.05);
  return is_good;
}

std::uint64_t parse(const char* text) {
  std::uint64_t value = 0;
  const char* const end = text + std::strlen(text);
  if (std::from_chars(text, end, value).ptr != end || text == end) {
    throw TrialFailure(std::string("expected a whole number, found ") + text);
  }
  return value;
}

int fuzz(std::span<char*> arguments) {
  const std::uint64_t seconds = arguments.empty() ? 10 : parse(arguments[0]);
  const std::uint64_t seed = arguments.size() > 1 ? parse(arguments[1]) : 20'260'505;
  std::uint64_t trial_idx = arguments.size() > 2 ? parse(arguments[2]) : 0;
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  for (const int fatal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    std::signal(fatal, say_where_it_crashed);
  }
  SampleTrials trials;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  try {
    do {
      name_trial(seed, trial_idx);
      run_trial(seed, trial_idx, trials);
      ++trial_idx;
    } while (arguments.size() <= 2 && std::chrono::steady_clock::now() < end);
  } catch (const std::exception& failure) {
    std::printf("FAILED: seed %llu, trial %llu: %s\n", static_cast<unsigned long long>(seed),
                static_cast<unsigned long long>(trial_idx), failure.what());
    return 1;
  }
  std::printf("%llu samples, %llu of them too slow for the twin\n",
              static_cast<unsigned long long>(trials.tally().num_trials),
              static_cast<unsigned long long>(trials.tally().num_without_twin));
  if (is_tally_good(trials.tally())) return 0;
  std::printf("FAILED: seed %llu: more ties or larger errors on average than there may be\n",
              static_cast<unsigned long long>(seed));
  return 1;
}

}  // namespace
}  // namespace penstock::augment

int main(int argc, char** argv) {
  try {
    return penstock::augment::fuzz({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::printf("augment_fuzz: %s\n", error.what());
    return 2;
  }
}
