#include "train/run/memory/batch_planner.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"
#include "train/backend/lowering_check.h"
#include "train/plan/memory_text.h"
#include "train/run/settings/run_config.h"
#include "train/run/stop_check.h"

namespace penstock::train {
namespace {

// A step that is not whole is not stored.
constexpr const char* kStopOfEpoch =
    "; a step is an epoch: stopped within it, the run goes on from the epoch's beginning";

/// A choice that was lowered.
struct Tried {
  BatchChoice choice;
  std::uint64_t needed_bytes = 0;   // of the arena's memory
  std::uint64_t passing_bytes = 0;  // of these, what grows with the samples at once
  std::uint64_t kept_bytes = 0;
  std::vector<RoleBytes> roles = {};
  std::unique_ptr<ProgramSet> programs = nullptr;
};

/// What a level took when it was tried last.
struct Newest {
  std::uint32_t micro_batch = 0;  // 0: not yet
  std::uint64_t passing_bytes = 0;
  std::uint64_t kept_bytes = 0;
};

class BatchPlanner {
 public:
  BatchPlanner(const BatchSurroundings& around, const BatchWish& wish)
      : around_(around),
        wish_(wish),
        step_samples_(static_cast<std::uint32_t>(
            wish.batch_size == kWholeEpoch
                ? around.num_train_samples
                : std::min<std::uint64_t>(wish.batch_size, around.num_train_samples))) {}

  PlannedBatch plan() {
    for (const Recompute level : levels()) {
      if (auto found = try_choice(choice_of(step_samples_, level))) return accept(*found);
    }
    if (!wish_.may_cut && wish_.micro_batch == 0) refuse();
    const std::vector<Recompute> all = levels();
    // With batch norm the size of a part counts first, without it the work.
    const std::size_t num_at_once = has_batch_norm() ? all.size() : 1;
    for (std::size_t first = 0; first < all.size(); first += num_at_once) {
      if (auto found = largest_part(std::span(all).subspan(first, num_at_once))) {
        return accept(*found);
      }
    }
    if (auto found = smallest_part(all.back())) return accept(*found);
    refuse();
  }

 private:
  std::vector<Recompute> levels() const {
    if (wish_.recompute != RecomputeWish::kAuto) return {static_cast<Recompute>(wish_.recompute)};
    return {kRecomputeLevels.begin(), kRecomputeLevels.end()};
  }

  bool has_batch_norm() const {
    return std::ranges::any_of(around_.graph.nodes(), [](const Node& node) {
      return std::holds_alternative<BatchNormOp>(node.op);
    });
  }

  /// Parts are delivered one by one where they make up the step, and whole steps where they do not.
  BatchChoice choice_of(std::uint32_t micro_batch, Recompute level) const {
    if (wish_.micro_batch > 0) micro_batch = std::min(micro_batch, wish_.micro_batch);
    if (wish_.most_at_once > 0) micro_batch = std::min(micro_batch, wish_.most_at_once);
    const bool is_epoch = wish_.batch_size == kWholeEpoch;
    const bool makes_up_step = step_samples_ % micro_batch == 0 && !wish_.mixes_samples;
    const bool comes_in_parts = !wish_.is_delivered_whole && (is_epoch || makes_up_step);
    return {.step_samples = step_samples_,
            .lease_batch = comes_in_parts ? micro_batch : step_samples_,
            .micro_batch = micro_batch,
            .recompute = level};
  }

  /// The values around one node, the least that is there at once.
  std::uint64_t least_passing_bytes(std::uint32_t micro_batch) const {
    std::uint64_t most = 0;
    for (const Node& node : around_.graph.nodes()) {
      std::uint64_t values = node.shape.num_elements();
      for (const NodeId from : node.inputs) {
        values = std::max<std::uint64_t>(values, around_.graph.node(from).shape.num_elements());
      }
      most = std::max(most, values);
    }
    return most * sizeof(float) * micro_batch;
  }

  bool is_hopeless(const BatchChoice& choice) const {
    return choice.micro_batch > kMaxLoweredSamples ||
           least_passing_bytes(choice.micro_batch) > limit_bytes();
  }

  /// Of the memory that the arena lies in.
  std::uint64_t limit_bytes() const {
    return around_.device ? around_.device->limit_bytes : around_.limit_bytes;
  }
  /// What lies there beside the arena, or may come to it.
  std::uint64_t bytes_beside(const BatchChoice& choice) const {
    return around_.device ? 0 : around_.bytes_beside(choice);
  }
  bool fits_on_host(const BatchChoice& choice) const {
    return !around_.device || around_.bytes_beside(choice) <= around_.limit_bytes;
  }
  /// By how much trials may make the arena larger, whose scratch shares one place.
  std::uint64_t growth_bytes(const ProgramSet& programs) const {
    if (!around_.device) return 0;
    const std::uint64_t cap = around_.device->workspace_cap_bytes;
    return cap - std::min(cap, programs.largest_workspace_bytes());
  }

  Newest& newest_of(Recompute level) { return newest_[static_cast<std::size_t>(level)]; }

  ProgramSetConfig config_of(const BatchChoice& choice) const {
    ProgramSetConfig config = around_.programs;
    config.train_batch = choice.step_samples;
    config.lease_batch = choice.lease_batch;
    config.micro_batch = choice.micro_batch;
    config.num_train_samples = around_.num_train_samples;
    config.evaluation_batch =
        around_.evaluation_batch > 0 ? around_.evaluation_batch : choice.micro_batch;
    config.runs_trials = !around_.device.has_value();
    config.recomputed = recomputed_nodes(around_.graph, choice.recompute);
    return config;
  }

  /// Lowers the graph for a choice; nothing when it takes too much.
  std::optional<Tried> try_choice(const BatchChoice& choice) {
    if (is_hopeless(choice)) return std::nullopt;
    check_not_stopped(around_.stop);
    Tried tried{.choice = choice,
                .programs = std::make_unique<ProgramSet>(around_.backend, around_.graph,
                                                         config_of(choice))};
    const MemoryPlan& plan = tried.programs->plan();
    tried.passing_bytes = plan.passing_bytes;
    tried.needed_bytes = plan.arena_bytes + bytes_beside(choice) + growth_bytes(*tried.programs);
    newest_of(choice.recompute) = {choice.micro_batch, plan.passing_bytes, plan.persistent_bytes};
    const bool is_whole = choice.micro_batch == step_samples_;
    if (is_whole && choice.recompute == Recompute::kNone) whole_needed_ = tried.needed_bytes;
    if (tried.needed_bytes < least_.needed_bytes) {
      least_ = {.choice = choice,
                .needed_bytes = tried.needed_bytes,
                .passing_bytes = plan.passing_bytes,
                .kept_bytes = plan.persistent_bytes,
                .roles = plan.roles};
    }
    if (tried.needed_bytes > limit_bytes() || !fits_on_host(choice)) return std::nullopt;
    return tried;
  }

  /// Passing bytes are a part that does not depend on the samples and one that grows with them: what was tried
  /// last, in proportion, is less than fewer samples need.
  bool may_fit(const BatchChoice& choice) {
    const Newest& newest = newest_of(choice.recompute);
    if (newest.micro_batch == 0) return true;
    // A plan of fewer samples may happen to be packed a little better.
    constexpr double kPacking = 0.95;
    const double share = static_cast<double>(choice.micro_batch) / newest.micro_batch;
    const double network = kPacking * share * static_cast<double>(newest.passing_bytes) +
                           static_cast<double>(newest.kept_bytes);
    const auto limit = static_cast<double>(limit_bytes());
    return network <= limit && network + static_cast<double>(bytes_beside(choice)) <= limit;
  }

  /// The largest part, less than the whole, that fits with any of the levels; with the first that suffices.
  std::optional<Tried> largest_part(std::span<const Recompute> levels) {
    std::uint32_t before = choice_of(step_samples_, levels.front()).micro_batch;
    for (std::uint32_t num_parts = 2; num_parts <= step_samples_; ++num_parts) {
      const std::uint32_t part = (step_samples_ - 1) / num_parts + 1;
      if (choice_of(part, levels.front()).micro_batch == before) continue;
      for (const Recompute level : levels) {
        const BatchChoice choice = choice_of(part, level);
        before = choice.micro_batch;
        if (!may_fit(choice)) continue;
        // A batch norm refuses parts of one value.
        auto found = before == 1 && has_batch_norm() ? try_if_accepted(choice) : try_choice(choice);
        if (found) return found;
      }
    }
    return std::nullopt;
  }

  /// For the least that could be offered.
  std::optional<Tried> smallest_part(Recompute level) {
    auto found = try_if_accepted(choice_of(1, level));
    if (!found && step_samples_ > 1) found = try_if_accepted(choice_of(2, level));
    return found;
  }

  std::optional<Tried> try_if_accepted(const BatchChoice& choice) {
    try {
      return try_choice(choice);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInvalidArgument) throw;
      return std::nullopt;
    }
  }

  PlannedBatch accept(Tried& tried) const {
    std::string text = note(tried);  // which looks at the programs
    if (around_.device && around_.runs_trials) {
      check_not_stopped(around_.stop);
      ProgramSetConfig config = config_of(tried.choice);
      config.runs_trials = true;
      auto timed = std::make_unique<ProgramSet>(around_.backend, around_.graph, config);
      if (timed->plan().arena_bytes <= limit_bytes()) {
        tried.programs = std::move(timed);
      } else {
        text += (text.empty() ? "" : "; ") +
                std::string("products as the library guesses: the fastest take more memory");
      }
    }
    return {.choice = tried.choice, .programs = std::move(tried.programs), .note = std::move(text)};
  }

  std::string note(const Tried& tried) const {
    const BatchChoice& choice = tried.choice;
    const bool is_cut = choice.micro_batch < choice.step_samples;
    const bool is_epoch = wish_.batch_size == kWholeEpoch;
    std::string text = "batch " + std::to_string(choice.step_samples);
    if (!is_cut && choice.recompute == Recompute::kNone) {
      return is_epoch ? text + kStopOfEpoch : idle_part();
    }
    if (is_cut) text += " in parts of " + std::to_string(choice.micro_batch);
    if (choice.recompute != Recompute::kNone) {
      text += std::string(is_cut ? " and" : "") + " with " +
              std::string(recompute_name(choice.recompute)) + " computed again";
    }
    text += reason(choice);
    if (wish_.recompute != RecomputeWish::kAuto) text += idle_level(tried);
    if (is_cut && has_batch_norm()) {
      text += "; batch norm sees " + std::to_string(choice.micro_batch) + " samples at a time";
    }
    if (is_cut && is_epoch && wish_.mixes_samples) text += "; samples are mixed within a part";
    if (is_epoch) text += kStopOfEpoch;
    return text;
  }

  /// Why a step is not computed whole, with its values kept.
  std::string reason(const BatchChoice& choice) const {
    const bool is_cut = choice.micro_batch < choice.step_samples;
    const bool was_cut_asked = !is_cut || choice.micro_batch == wish_.micro_batch;
    const bool was_level_asked =
        choice.recompute == Recompute::kNone || wish_.recompute != RecomputeWish::kAuto;
    if (is_cut && choice.micro_batch == wish_.most_at_once) {
      return ": the GPU had no room for more";
    }
    if (was_cut_asked && was_level_asked) return ", as asked for";
    if (whole_needed_) {
      return ": at once it takes " + format_bytes(*whole_needed_) + ", the limit is " +
             format_bytes(limit_bytes());
    }
    // Of smaller parts than these, and of values computed again, memory is the reason.
    const std::uint32_t num_parts = (step_samples_ - 1) / kMaxLoweredSamples + 1;
    const std::uint32_t largest = (step_samples_ - 1) / num_parts + 1;
    if (is_cut && choice.micro_batch == largest && choice.recompute == Recompute::kNone) {
      return ": at most " + std::to_string(kMaxLoweredSamples) + " are computed at once";
    }
    return ": at once it takes more than the limit of " + format_bytes(limit_bytes());
  }

  /// What the whole step is smaller than. batch_size is what a stored run has for a whole step.
  std::string idle_part() const {
    if (wish_.micro_batch <= std::max(step_samples_, wish_.batch_size)) return {};
    return "micro_batch " + std::to_string(wish_.micro_batch) + " does nothing: a step has " +
           std::to_string(step_samples_) + (step_samples_ == 1 ? " sample" : " samples");
  }

  /// That a level which was asked for makes nothing smaller; empty when it does.
  std::string idle_level(const Tried& tried) const {
    if (tried.choice.recompute == Recompute::kNone) return {};
    BatchChoice kept = tried.choice;
    kept.recompute = Recompute::kNone;
    const std::uint64_t with = tried.programs->plan().arena_bytes;
    const std::uint64_t without =
        ProgramSet(around_.backend, around_.graph, config_of(kept)).plan().arena_bytes;
    if (with < without) return {};
    return "; recompute " + std::string(recompute_name(tried.choice.recompute)) +
           " saves nothing: the network takes " + format_bytes(with) + " with it, " +
           format_bytes(without) + " without";
  }

  [[noreturn]] void refuse() const {
    if (!wish_.may_cut && wish_.micro_batch == 0 && step_samples_ > kMaxLoweredSamples) {
      throw Error(ErrorCode::kInvalidArgument,
                  "batch_size: expected at most " + std::to_string(kMaxLoweredSamples) +
                      " samples that are computed at once, found " + std::to_string(step_samples_),
                  "leave out --no-auto-batch");
    }
    if (least_.needed_bytes == std::numeric_limits<std::uint64_t>::max()) {
      throw Error(ErrorCode::kOutOfMemory,
                  "memory: a step of " + std::to_string(step_samples_) +
                      " samples: expected at most " + format_bytes(limit_bytes()) + ", found " +
                      format_bytes(least_passing_bytes(step_samples_)) +
                      " for the values of one layer",
                  hints(least_passing_bytes(step_samples_) * 4));
    }
    const BatchChoice& choice = least_.choice;
    if (!fits_on_host(choice)) refuse_host(choice);
    const std::uint64_t beside = bytes_beside(choice);
    const SizeTexts sizes = format_bytes_apart(least_.needed_bytes, limit_bytes());
    throw Error(ErrorCode::kOutOfMemory,
                "memory: " + std::to_string(choice.micro_batch) + " of " +
                    std::to_string(choice.step_samples) + " samples at a time: expected at most " +
                    sizes.there + ", found " + sizes.needed + ": network and its activations " +
                    format_bytes(least_.needed_bytes - beside) + " (kept " +
                    format_bytes(least_.kept_bytes) + ": " + kept_text(least_.roles) +
                    "; passing " + format_bytes(least_.passing_bytes) + ": " +
                    passing_text(least_.roles) + ", sharing places), " +
                    (around_.device ? "and what trials of products may take, on the GPU"
                                    : "loaders and tally " + format_bytes(beside)),
                hints(least_.needed_bytes));
  }

  /// The network has room on the GPU, what feeds it has none.
  [[noreturn]] void refuse_host(const BatchChoice& choice) const {
    const std::uint64_t needed = around_.bytes_beside(choice);
    const SizeTexts sizes = format_bytes_apart(needed, around_.limit_bytes);
    throw Error(
        ErrorCode::kOutOfMemory,
        "memory: loaders and tally: expected at most " + sizes.there + ", found " + sizes.needed,
        "--memory " + std::to_string((needed >> 20) + 1) + "M, or a smaller --image-size");
  }

  std::string hints(std::uint64_t needed_bytes) const {
    constexpr std::uint64_t kMiB = 1u << 20;
    return std::string("one of: ") + (wish_.may_cut ? "" : "leave out --no-auto-batch; ") +
           (around_.device ? "--memory-gpu " : "--memory ") +
           std::to_string(needed_bytes / kMiB + 1) +
           "M; a smaller --image-size; a smaller --model" +
           (wish_.is_delivered_whole ? "; a smaller --batch-size" : "");
  }

  const BatchSurroundings& around_;
  const BatchWish& wish_;
  const std::uint32_t step_samples_;
  std::optional<std::uint64_t> whole_needed_;  // of the whole step, values kept
  Tried least_{.choice = {},
               .needed_bytes = std::numeric_limits<std::uint64_t>::max(),
               .passing_bytes = 0,
               .programs = nullptr};
  std::array<Newest, kRecomputeLevels.size()> newest_{};  // by level
};

}  // namespace

PlannedBatch plan_batch(const BatchSurroundings& around, const BatchWish& wish) {
  return BatchPlanner(around, wish).plan();
}

}  // namespace penstock::train
