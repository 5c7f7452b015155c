#include "train/store/resume_verdict.h"

#include <algorithm>
#include <array>
#include <utility>

#include "streamer/core/quoted_text.h"

namespace penstock::train {
namespace {

using enum FactEffect;

constexpr std::size_t kMaxReasonsNamed = 8;  // the rest is counted: a message, not a listing

// What is missing here changes the weights and nothing worse: a learning rate, a schedule, the number of
// compute threads.
constexpr std::array kRules = std::to_array<FactRule>({
    {"dataset.id", kRefuses},
    {"model.identity", kRefuses},
    // Other state tensors, or the same ones with another meaning.
    {"run.optimizer", kRefuses},
    {"run.freeze", kRefuses},
    // By what is in the file, wherever it is.
    {"run.loss_weights", kRefuses},
    // It would do nothing: weights are the checkpoint's.
    {"run.init_from", kRefuses},
    // Which sample comes at which position and what is made of it: a loader does not go on inside an
    // epoch with others (loader_identity()).
    {"seed", kRefusesInMidEpoch},
    {"run.seed", kRefusesInMidEpoch},
    {"run.order", kRefusesInMidEpoch},
    {"run.window", kRefusesInMidEpoch},
    {"run.batch_size", kRefusesInMidEpoch},
    {"run.drop_remainder", kRefusesInMidEpoch},
    {"run.steps_per_epoch", kRefusesInMidEpoch},
    {"run.image_size", kRefusesInMidEpoch},
    {"run.color_mode", kRefusesInMidEpoch},
    {"run.mean", kRefusesInMidEpoch},
    {"run.std", kRefusesInMidEpoch},
    {"run.augment.", kRefusesInMidEpoch},
    // Said by what they come to: the dataset's id, the graph, the backend's own words, its threads.
    {"run.dataset", kNone},
    {"run.model", kNone},
    {"run.layer", kNone},
    {"run.backend", kNone},
    {"run.device", kNone},
    {"run.memory_gpu", kNone},
    {"run.threads", kNone},
    // Places, memory, when to save.
    {"run.out", kNone},
    {"run.memory", kNone},
    {"run.recompute", kNone},
    {"run.auto_batch", kNone},
    {"run.micro_batch", kNone},  // micro_batch says what came of it
    {"run.cache", kNone},
    {"run.loader_threads", kNone},
    {"num_loader_threads", kNone},
    {"run.max_time", kNone},
    {"run.validate_every_steps", kNone},
    {"run.validation_batch_size", kNone},
    {"run.checkpoint.", kNone},
    // Stored where what they belong to is on.
    {"run.warmup_fraction", kLosesBits, "run.schedule"},
    {"run.div_factor", kLosesBits, "run.schedule"},
    {"run.final_div_factor", kLosesBits, "run.schedule"},
    {"run.milestone_epochs", kLosesBits, "run.schedule"},
    {"run.step_epochs", kLosesBits, "run.schedule"},
    {"run.gamma", kLosesBits, "run.schedule"},
    {"run.end_learning_rate", kLosesBits, "run.schedule"},
    {"run.power", kLosesBits, "run.schedule"},
    {"run.warmup_steps", kLosesBits, "run.schedule"},
    {"run.warmup_epochs", kLosesBits, "run.schedule"},
    {"run.warmup_start_factor", kLosesBits, "run.schedule"},
    {"run.focal_gamma", kLosesBits, "run.loss"},
    {"run.focal_alpha", kLosesBits, "run.loss"},
    {"run.ema_warmup", kLosesBits, "run.ema_decay"},
    {"run.early_stopping.", kLosesBits, "run.early_stopping.patience"},
    {"run.reduce_on_plateau.", kLosesBits, "run.reduce_on_plateau.factor"},
});

const FactRule* rule_of(std::string_view name, std::span<const FactRule> rules) {
  const FactRule* best = nullptr;
  for (const FactRule& rule : rules) {
    const bool fits = rule.name.ends_with('.') ? name.starts_with(rule.name) : name == rule.name;
    if (fits && (best == nullptr || rule.name.size() > best->name.size())) best = &rule;
  }
  return best;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string quoted_line(std::string_view line, bool is_there) {
  return is_there ? in_quotes(line) : "no such line";
}

/// A model or a list of settings is many lines; its reader wants the one that matters.
std::string line_difference(std::string_view stored, std::string_view present) {
  for (std::size_t number = 1;; ++number) {
    const bool has_stored = !stored.empty();
    const bool has_present = !present.empty();
    const std::string_view expected = take_line(stored);
    const std::string_view found = take_line(present);
    if (!has_stored && !has_present) return "expected another end of its last line";
    if (expected == found && has_stored == has_present) continue;
    return "line " + std::to_string(number) + ": expected " + quoted_line(expected, has_stored) +
           ", found " + quoted_line(found, has_present);
  }
}

std::string difference(const std::string& name, const std::string* stored,
                       const std::string* present) {
  const auto is_long = [](const std::string* value) {
    return value != nullptr && value->find('\n') != std::string::npos;
  };
  if (stored != nullptr && present != nullptr && (is_long(stored) || is_long(present))) {
    return name + ": " + line_difference(*stored, *present);
  }
  const auto shown = [&](const std::string* value) -> std::string {
    if (value == nullptr) return "nothing";
    if (value->empty()) return "an empty text";
    if (is_long(value)) return "a text of several lines";
    return shortened(*value);
  };
  return name + ": expected " + shown(stored) + ", found " + shown(present);
}

FactEffect effect_of(std::string_view name, const ResumeQuestion& question,
                     std::span<const FactRule> rules) {
  const FactRule* const rule = rule_of(name, rules);
  if (rule == nullptr) return kLosesBits;
  if (rule->effect != kRefusesInMidEpoch) return rule->effect;
  return question.is_mid_epoch ? kRefuses : kLosesBits;
}

const std::string* find(const RunFacts& facts, const std::string& name) {
  const auto found = facts.find(name);
  return found == facts.end() ? nullptr : &found->second;
}

}  // namespace

RunFacts facts_of(const CheckpointState& state) {
  RunFacts facts = {{"dataset.id", state.dataset_id},
                    {"model.identity", state.model_identity},
                    {"seed", std::to_string(state.seed)},
                    {"backend", state.backend},
                    {"plans", state.plans},
                    {"micro_batch", std::to_string(state.micro_batch)},
                    {"num_compute_threads", std::to_string(state.num_compute_threads)},
                    {"num_loader_threads", std::to_string(state.num_loader_threads)},
                    {"instruction_set", state.instruction_set}};
  for (const auto& [key, value] : state.settings) facts["run." + key] = value;
  return facts;
}

std::span<const FactRule> resume_rules() noexcept {
  return kRules;
}

namespace {

bool differs(const ResumeQuestion& question, const std::string& name) {
  const std::string* const stored = find(question.stored, name);
  const std::string* const present = find(question.present, name);
  if (stored == nullptr || present == nullptr) return stored != present;
  return *stored != *present;
}

/// Whether the difference is that of its owner over again.
bool follows_from_owner(const std::string& name, const ResumeQuestion& question,
                        std::span<const FactRule> rules) {
  const FactRule* const rule = rule_of(name, rules);
  if (rule == nullptr || rule->owner.empty() || rule->owner == name) return false;
  const bool is_on_both =
      find(question.stored, name) != nullptr && find(question.present, name) != nullptr;
  return !is_on_both && differs(question, std::string(rule->owner));
}

}  // namespace

ResumeVerdict judge_resume(const ResumeQuestion& question, std::span<const FactRule> rules) {
  RunFacts all = question.stored;
  all.insert(question.present.begin(), question.present.end());
  std::vector<std::string> refusals;
  std::vector<std::string> lost;
  for (const auto& [name, value] : all) {
    if (!differs(question, name) || follows_from_owner(name, question, rules)) continue;
    const std::string* const stored = find(question.stored, name);
    const std::string* const present = find(question.present, name);
    const FactEffect effect = effect_of(name, question, rules);
    if (effect == kRefuses) refusals.push_back(difference(name, stored, present));
    if (effect == kLosesBits) lost.push_back(difference(name, stored, present));
  }
  if (!refusals.empty()) return {.outcome = ResumeOutcome::kRefused, .reasons = refusals};
  if (!lost.empty()) return {.outcome = ResumeOutcome::kNoLongerBitForBit, .reasons = lost};
  return {};
}

std::string ResumeVerdict::text() const {
  std::string all;
  for (std::size_t i = 0; i < std::min(reasons.size(), kMaxReasonsNamed); ++i) {
    all += (i == 0 ? "" : "; ") + reasons[i];
  }
  if (reasons.size() > kMaxReasonsNamed) {
    all += "; and " + std::to_string(reasons.size() - kMaxReasonsNamed) + " more";
  }
  switch (outcome) {
    case ResumeOutcome::kBitForBit:
      return "continues bit for bit";
    case ResumeOutcome::kNoLongerBitForBit:
      return "continues, no longer bit for bit, because " + all;
    case ResumeOutcome::kRefused:
      return "cannot continue: " + all;
  }
  return "";
}

}  // namespace penstock::train
