// Which plan is taken, and that it is taken again: on functions of a module that a test makes up.
#include "train/backend/cuda/planned_products.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "streamer/core/error.h"
#include "tests/train/backend/cuda/stand_in/stand_in_device.h"

namespace penstock::train::cuda {

// What stands behind the opaque types here.
struct ProductLibraries {};
struct ProductPlan {
  std::string name;
  int slowness_ms = 0;
};
struct ProductCandidates {
  const std::vector<ProductPlan>& plans;
};

namespace {

using penstock::tests::StandInDevice;

/// What the made-up module has, and what was asked of it.
struct MadeUpModule {
  std::vector<ProductPlan> candidates;
  std::vector<ProductPlan> fused_candidates;
  int num_alive = 0;  // libraries, candidates, plans
  int num_runs = 0;
  int num_asked = 0;        // for candidates of fused problems
  DeviceStatus found{};     // what a search for candidates comes to
  DeviceStatus restored{};  // and a stored plan
  bool has_plans = true;
};
MadeUpModule module;

constexpr DeviceStatus kRefused{
    .library = DeviceLibrary::kCudnn, .code = 3000, .call = "find", .name = "X", .text = "why not"};

// As CUDA and cuDNN 9 name them.
constexpr DeviceStatus kLost{.code = 700, .call = "run", .name = "cudaErrorIllegalAddress"};
constexpr DeviceStatus kNoMemory{.library = DeviceLibrary::kCudnn,
                                 .code = 4004,
                                 .call = "find",
                                 .name = "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
                                 .text = "no memory"};

template <class T, class... Args>
DeviceStatus make(T** place, Args&&... args) {
  ++module.num_alive;
  *place = new T(std::forward<Args>(args)...);
  return {};
}
template <class T>
void destroy(T* thing) noexcept {
  --module.num_alive;
  delete thing;
}

DeviceStatus find_convolution(ProductLibraries&, const ConvolutionProblem& problem,
                              const PlanLimits&, ProductCandidates** candidates) noexcept {
  module.num_asked += problem.is_fused() ? 1 : 0;
  if (!module.found.is_ok()) return module.found;
  if (problem.is_fused() && module.fused_candidates.empty()) return kRefused;
  if (!module.has_plans) return kRefused;
  const auto& plans = problem.is_fused() ? module.fused_candidates : module.candidates;
  return make(candidates, ProductCandidates{plans});
}

DeviceStatus find_dense(ProductLibraries&, const DenseProblem&, const PlanLimits&,
                        ProductCandidates**) noexcept {
  return kRefused;
}

const ProductFunctions kFunctions = {
    .open = [](ProductLibraries** libraries) noexcept { return make(libraries); },
    .close = destroy<ProductLibraries>,
    .find_convolution = find_convolution,
    .find_dense = find_dense,
    .num_candidates =
        [](const ProductCandidates& candidates) noexcept {
          return static_cast<std::uint32_t>(candidates.plans.size());
        },
    .close_candidates = destroy<ProductCandidates>,
    .make_plan =
        [](ProductCandidates& candidates, std::uint32_t i, ProductPlan** plan) noexcept {
          const ProductPlan& wanted = candidates.plans[i];
          if (wanted.name == "has no memory") return kNoMemory;
          return wanted.slowness_ms < 0 ? kRefused : make(plan, wanted);
        },
    .restore_plan =
        [](ProductCandidates& candidates, const char* stored, ProductPlan** plan) noexcept {
          if (!module.restored.is_ok()) return module.restored;
          for (const ProductPlan& candidate : candidates.plans) {
            if ("stored " + candidate.name == stored) return make(plan, candidate);
          }
          return kRefused;
        },
    .destroy_plan = destroy<ProductPlan>,
    .plan_facts =
        [](const ProductPlan& plan) noexcept {
          static thread_local std::string stored;
          stored = "stored " + plan.name;
          return PlanFacts{
              .name = plan.name.c_str(), .stored = stored.c_str(), .workspace_bytes = 64};
        },
    .run_plan =
        [](ProductPlan& plan, const ProductOperands&, void*, Stream) noexcept {
          ++module.num_runs;
          if (plan.name == "fails") return kRefused;
          if (plan.name == "loses the device") return kLost;
          if (plan.name == "runs out of memory") return kNoMemory;
          std::this_thread::sleep_for(std::chrono::milliseconds(plan.slowness_ms));
          return DeviceStatus{};
        },
};

const ConvolutionProblem kProblem{.batch = 2,
                                  .in_channels = 4,
                                  .height = 5,
                                  .width = 5,
                                  .filters = 3,
                                  .window = {.kernel = {3, 3}, .stride = {1, 1}}};

/// A trial's clock decides only where bits may differ from run to run.
const PlanLimits kTimed{.is_deterministic = false};

struct Fixture {
  Fixture() { module = {}; }
  ~Fixture() { BOOST_TEST(module.num_alive == 0); }

  StandInDevice device{1};
  PlanBook book;

  std::string taken(const TrialLimits& trial = {}, const PlanLimits& limits = kTimed) {
    const auto products = make_planned_products(device, kFunctions, book, trial);
    return products->find(kProblem, limits)->name();
  }

  /// The extra's plan, or why there is none; what it replaces beside the convolution takes `replaced_ms`.
  std::string taken_extra(int replaced_ms, const PlanLimits& limits = kTimed) {
    const auto products = make_planned_products(device, kFunctions, book, {});
    ConvolutionProblem problem = kProblem;
    problem.has_statistics = true;
    const ReplacedWork replaced{
        .scratch_bytes = 16, .run = [&](const ProductOperands& operands, void* scratch, Stream) {
          BOOST_TEST(operands.result != nullptr);
          BOOST_TEST(scratch != nullptr);
          std::this_thread::sleep_for(std::chrono::milliseconds(replaced_ms));
          return DeviceStatus{};
        }};
    const FoundExtra extra = products->find_extra(problem, limits, replaced);
    return extra.product == nullptr ? extra.reason : extra.product->name();
  }
};

BOOST_FIXTURE_TEST_SUITE(planned_products, Fixture)

BOOST_AUTO_TEST_CASE(the_fastest_of_the_first_candidates_is_taken_and_taken_again) {
  module.candidates = {{"slow", 30}, {"broken", -1}, {"fast", 0}, {"slower", 40}};
  BOOST_TEST(taken() == "fast");
  BOOST_TEST(book.size() == 1u);
  const int num_runs = module.num_runs;
  BOOST_TEST(taken() == "fast");
  BOOST_TEST(module.num_runs == num_runs);  // by the book, without a trial
  BOOST_TEST(device.allocated_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(without_a_trial_the_first_that_works_is_taken) {
  module.candidates = {{"broken", -1}, {"slow", 30}, {"fast", 0}};
  BOOST_TEST(taken({.num_candidates = 1}) == "slow");
  BOOST_TEST(module.num_runs == 1);
}

BOOST_AUTO_TEST_CASE(no_clock_decides_where_the_same_bits_are_wanted) {
  module.candidates = {{"slow", 30}, {"fast", 0}};
  BOOST_TEST(taken({}, {.is_deterministic = true}) == "slow");
  BOOST_TEST(module.num_runs == 1);
  BOOST_TEST(book.size() == 1u);
}

BOOST_AUTO_TEST_CASE(without_a_clock_each_is_run_once_until_one_works) {
  module.candidates = {{"broken", -1}, {"fails", 0}, {"slow", 30}, {"fast", 0}};
  BOOST_TEST(taken({}, {.is_deterministic = true}) == "slow");
  BOOST_TEST(module.num_runs == 2);
  BOOST_TEST(taken({}, {.is_deterministic = true}) == "slow");
  BOOST_TEST(module.num_runs == 2);  // by the book
}

BOOST_AUTO_TEST_CASE(without_memory_to_run_it_the_first_is_taken_where_bits_are_to_be_the_same) {
  module.candidates = {{"first", 0}, {"second", 0}};
  device.memory_bytes = 100;
  BOOST_TEST(taken({}, {.is_deterministic = true}) == "first");
  BOOST_TEST(module.num_runs == 0);
}

BOOST_AUTO_TEST_CASE(a_candidate_that_fails_when_it_runs_leaves_the_others) {
  module.candidates = {{"fails", 0}, {"slow", 30}, {"fast", 0}};
  BOOST_TEST(taken() == "fast");
  book = {};
  BOOST_TEST(taken({.num_candidates = 2}) == "fast");  // two that work
  BOOST_TEST(device.allocated_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(a_candidate_that_takes_memory_of_its_own_is_behind_those_that_run) {
  module.candidates = {{"runs out of memory", 0}, {"slow", 30}};
  BOOST_TEST(taken() == "slow");
}

BOOST_AUTO_TEST_CASE(what_was_only_looked_at_is_timed_when_it_is_taken) {
  module.candidates = {{"slow", 30}, {"fast", 0}};
  for (const bool is_deterministic : {false, true}) {
    BOOST_TEST(taken({}, {.is_deterministic = is_deterministic, .runs_trials = false}) == "slow");
    BOOST_TEST(module.num_runs == 0);
    BOOST_TEST(book.size() == 0u);
  }
  BOOST_TEST(taken() == "fast");
}

BOOST_AUTO_TEST_CASE(a_trial_without_memory_leaves_it_to_the_heuristics) {
  module.candidates = {{"first", 1}, {"second", 0}};
  device.memory_bytes = 100;
  BOOST_TEST(taken() == "first");
}

BOOST_AUTO_TEST_CASE(a_plan_of_another_version_is_chosen_anew) {
  module.candidates = {{"old", 0}};
  BOOST_TEST(taken() == "old");
  module.candidates = {{"new", 0}};
  BOOST_TEST(taken() == "new");
}

BOOST_AUTO_TEST_CASE(a_problem_without_a_plan_is_refused_with_the_reason) {
  const auto reason_of = [&] {
    try {
      taken();
    } catch (const Error& error) {
      BOOST_TEST((error.code() == ErrorCode::kUnsupported));
      return std::string(error.what());
    }
    return std::string("taken");
  };
  BOOST_TEST(reason_of().ends_with(": expected a plan, found none: no reason given"));
  module.has_plans = false;
  BOOST_TEST(reason_of().starts_with("cuda: conv forward "));
  BOOST_TEST(reason_of().ends_with(": expected a plan, found none: why not"));
}

BOOST_AUTO_TEST_CASE(when_all_fail_as_they_run_the_last_ones_reason_is_told) {
  module.candidates = {{"fails", 0}};
  BOOST_CHECK_EXCEPTION(taken(), Error, [](const Error& error) {
    return error.code() == ErrorCode::kUnsupported &&
           std::string(error.what()).ends_with(": expected a plan, found none: why not");
  });
}

BOOST_AUTO_TEST_CASE(memory_that_ran_out_is_told_as_such_and_asked_for_again) {
  const auto has_no_memory = [](const Error& error) {
    return error.code() == ErrorCode::kOutOfMemory;
  };
  module.candidates = {{"has no memory", 0}, {"broken", -1}};
  BOOST_CHECK_EXCEPTION(taken(), Error, has_no_memory);
  module.candidates = {{"first", 0}};
  const auto products = make_planned_products(device, kFunctions, book, {});
  module.found = kNoMemory;
  BOOST_CHECK_EXCEPTION(products->find(kProblem, kTimed), Error, has_no_memory);
  module.found = {};
  BOOST_TEST(products->find(kProblem, kTimed)->name() == "first");
  module.restored = kNoMemory;
  BOOST_CHECK_EXCEPTION(taken(), Error, has_no_memory);
}

BOOST_AUTO_TEST_CASE(a_lost_device_ends_every_search) {
  const auto is_lost = [](const Error& error) {
    return std::string(error.what()).find("cudaErrorIllegalAddress") != std::string::npos;
  };
  module.candidates = {{"loses the device", 0}, {"second", 0}};
  BOOST_CHECK_EXCEPTION(taken(), Error, is_lost);
  BOOST_CHECK_EXCEPTION(taken({}, {.is_deterministic = true}), Error, is_lost);
  module.fused_candidates = {{"loses the device", 0}, {"second", 0}};
  BOOST_CHECK_EXCEPTION(taken_extra(0), Error, is_lost);
  module.found = kLost;
  BOOST_CHECK_EXCEPTION(taken(), Error, is_lost);
  BOOST_TEST(book.size() == 0u);
}

BOOST_AUTO_TEST_CASE(an_extra_is_taken_where_it_is_faster_than_all_that_it_replaces) {
  module.candidates = {{"alone", 20}};
  module.fused_candidates = {{"slow", 120}, {"fused", 40}};
  BOOST_TEST(taken_extra(120) == "fused");
  const int num_runs = module.num_runs;
  BOOST_TEST(taken_extra(120) == "fused");
  BOOST_TEST(module.num_runs == num_runs);  // by the book
  BOOST_TEST(device.allocated_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(an_extra_that_is_slower_is_not_taken_and_not_tried_again) {
  module.candidates = {{"alone", 20}};
  module.fused_candidates = {{"fused", 40}};
  BOOST_TEST(taken_extra(0) == "slower");
  const int num_runs = module.num_runs;
  BOOST_TEST(taken_extra(60) == "slower");
  BOOST_TEST(module.num_runs == num_runs);
  // With another version of the library the convolution alone has another plan.
  module.candidates = {{"new", 20}};
  BOOST_TEST(taken_extra(60) == "fused");
}

BOOST_AUTO_TEST_CASE(a_library_without_an_extra_is_no_error) {
  module.candidates = {{"alone", 0}};
  BOOST_TEST(taken_extra(60) == "none");
  module.fused_candidates = {{"broken", -1}};
  BOOST_TEST(taken_extra(60) == "none that works");
  book = {};
  module.fused_candidates = {{"fails", 0}};
  BOOST_TEST(taken_extra(60) == "none that works");
}

BOOST_AUTO_TEST_CASE(an_extra_that_fails_is_not_tried_again) {
  module.candidates = {{"alone", 20}};
  module.fused_candidates = {{"fails", 0}};
  BOOST_TEST(taken_extra(60) == "none that works");
  BOOST_TEST(book.text().find("\tfails beside stored alone\n") != std::string::npos);
  const int num_runs = module.num_runs;
  const int num_asked = module.num_asked;
  BOOST_TEST(taken_extra(60) == "none that works");
  BOOST_TEST(module.num_runs == num_runs);
  BOOST_TEST(module.num_asked == num_asked);
  // With another version of the library the convolution alone has another plan.
  module.candidates = {{"new", 20}};
  module.fused_candidates = {{"fused", 0}};
  BOOST_TEST(taken_extra(60) == "fused");
}

BOOST_AUTO_TEST_CASE(an_extra_without_memory_is_tried_again) {
  module.candidates = {{"alone", 20}};
  module.fused_candidates = {{"has no memory", 0}, {"fails", 0}};
  BOOST_TEST(taken_extra(60) == "none that works");
  module.fused_candidates = {{"fused", 0}};
  BOOST_TEST(taken_extra(60) == "fused");
}

BOOST_AUTO_TEST_CASE(what_may_not_be_timed_is_not_asked_for) {
  module.candidates = {{"alone", 20}};
  module.fused_candidates = {{"fused", 0}};
  const PlanLimits looks{.is_deterministic = false, .runs_trials = false};
  BOOST_TEST(taken_extra(60, looks) == "not timed");
  BOOST_TEST(module.num_asked == 0);
  BOOST_TEST(taken_extra(60) == "fused");
  BOOST_TEST(taken_extra(60, looks) == "fused");  // by the book
}

BOOST_AUTO_TEST_CASE(without_a_trial_there_is_no_extra) {
  module.candidates = {{"alone", 20}};
  module.fused_candidates = {{"fused", 0}};
  BOOST_TEST(taken_extra(60, {.is_deterministic = true}) == "not timed");
  BOOST_TEST(taken_extra(60, {.is_deterministic = false, .runs_trials = false}) == "not timed");
  BOOST_TEST(module.num_runs == 0);
  BOOST_TEST(book.size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_book_is_read_as_it_was_written) {
  book.set("conv a", "cudnn 1");
  book.set("dense b", "lt 2");
  BOOST_TEST(book.text() == "conv a\tcudnn 1\ndense b\tlt 2\n");
  const PlanBook again(book.text());
  BOOST_TEST(again.find("conv a") == "cudnn 1");
  BOOST_TEST(again.find("dense b") == "lt 2");
  BOOST_TEST(again.find("dense c").empty());
  for (const char* damaged : {"no tab\n", "\tplan\n", "key\t\n"}) {
    BOOST_CHECK_EXCEPTION(PlanBook{damaged}, Error, [](const Error& error) {
      return error.code() == ErrorCode::kCorruptData;
    });
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
