// Against the host's update, which calls the same rules: what differs is the order of sums, in double.
#include "train/backend/cuda/kernels/update_kernels.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string>

#include "tests/train/backend/cuda/kernels/update_twin.h"

namespace penstock::train::cuda {
namespace {

using tests::KernelValues;
using tests::UpdateTwin;

/// Fewer than a group, odd, and several pieces with a rest; every fourth is not aligned.
const std::vector<std::size_t> kCounts{1, 3, 35, 4099, 2 * kPieceElements + 5, 130};

std::vector<OptimizerConfig> configs() {
  std::vector<OptimizerConfig> configs;
  for (const std::string_view name : optimizer_names()) {
    OptimizerConfig config = OptimizerConfig::of(parse_optimizer(name));
    config.weight_decay = 1e-2;
    configs.push_back(config);
    config.momentum = 0;
    config.l1 = 1e-3;
    config.clip_norm = 0.3;
    config.ema_decay = 0.9;
    configs.push_back(config);
    config.momentum = 0.5;
    config.nesterov = false;
    config.clip_norm = 0;
    config.clip_value = 0.7;
    config.ema_warmup = true;
    configs.push_back(config);
  }
  return configs;
}

// One rounding of float32 here and there: LAMB's norms are sums in another order.
constexpr double kBound = 1e-6;

void check_twin(UpdateTwin& twin) {
  for (std::size_t k = 0; k < twin.tensors.size(); ++k) {
    BOOST_TEST_CONTEXT("tensor " << k) {
      tests::TwinTensor& t = *twin.tensors[k];
      using tests::relative_l2;
      using tests::widened;
      BOOST_TEST(relative_l2(t.weight.values(), widened(t.host_weight)) < kBound);
      BOOST_TEST(relative_l2(t.first_state.values(), widened(t.host_first_state)) < kBound);
      BOOST_TEST(relative_l2(t.second_state.values(), widened(t.host_second_state)) < kBound);
      BOOST_TEST(relative_l2(t.ema.values(), widened(t.host_ema)) < kBound);
      BOOST_TEST(t.num_steps == t.host_num_steps);
      BOOST_TEST(t.copy.has_bits_of(KernelValues(t.copy_type, t.weight.values(), t.is_aligned)));
      BOOST_TEST(t.is_kept_behind());
    }
  }
}

std::vector<std::vector<double>> all_values(const UpdateTwin& twin) {
  std::vector<std::vector<double>> values;
  for (const auto& t : twin.tensors) {
    for (const KernelValues* part : {&t->weight, &t->first_state, &t->second_state, &t->ema}) {
      values.push_back(part->values());
    }
    values.push_back({static_cast<double>(t->num_steps)});
  }
  return values;
}

BOOST_AUTO_TEST_SUITE(update_kernels)

BOOST_AUTO_TEST_CASE(every_optimizer_moves_weights_as_on_the_host) {
  std::uint64_t seed = 0;
  for (const OptimizerConfig& config : configs()) {
    UpdateTwin twin(config, kCounts);
    twin.scaler.loss_scale = 1024;
    for (std::uint64_t step = 0; step < 3; ++step) {
      BOOST_TEST_CONTEXT(optimizer_name(config.kind)
                         << ", clip_norm " << config.clip_norm << ", clip_value "
                         << config.clip_value << ", step " << step) {
        tests::seed_host_gpu(++seed);
        twin.step = {.learning_rate = 0.01 / (1.0 + static_cast<double>(step)),
                     .gradient_scale = 1.0 - 0.25 * static_cast<double>(step),
                     .step = step + 7};
        BOOST_TEST(twin.begin_run());
        twin.draw_gradients();
        const UpdateReport expected = twin.update_host();
        const UpdateReportBlock found = twin.update();
        BOOST_TEST(twin.has_succeeded);
        BOOST_TEST(found.is_finite == 1u);
        BOOST_TEST(found.step == step + 7);
        BOOST_TEST(found.loss_scale == 1024.0f);
        BOOST_TEST(found.gradient_norm == expected.gradient_norm,
                   boost::test_tools::tolerance(1e-12));
        check_twin(twin);
        BOOST_TEST(twin.running[0].back() == 1.25f + 0.25f * static_cast<float>(step));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_norm_of_huge_and_of_tiny_gradients_is_found) {
  for (const double size : {1e30, 1e-30}) {
    UpdateTwin twin(OptimizerConfig::of(OptimizerKind::kSgd), {1});  // float32
    twin.tensors.front()->set_gradient({size}, 1);
    BOOST_TEST(twin.update().gradient_norm == size, boost::test_tools::tolerance(1e-6));
  }
}

// A step that is bad in each way that there is, between good ones.
BOOST_AUTO_TEST_CASE(a_bad_step_changes_nothing_but_the_loss_scale) {
  for (const OptimizerConfig& config : configs()) {
    for (const std::string what : {"gradient", "infinity", "loss", "statistic"}) {
      BOOST_TEST_CONTEXT(optimizer_name(config.kind) << ", " << what) {
        UpdateTwin twin(config, {3, 35, kPieceElements + 6});
        twin.scaler = {.loss_scale = 64, .num_good_steps = 3};
        twin.scaler_rule = {.growth_interval = 100};
        twin.begin_run();
        twin.draw_gradients();
        twin.update_host();
        twin.update();
        const auto before = all_values(twin);
        const std::vector<float> running = twin.running[0];
        const float last_running = twin.running[1][4];

        twin.begin_run();
        twin.draw_gradients();
        if (what == "gradient" || what == "infinity") {
          tests::TwinTensor& tensor = *twin.tensors.back();
          std::vector<double> gradient = tensor.gradient.values();
          gradient[kPieceElements + 4] = what == "gradient" ? NAN : INFINITY;
          tensor.set_gradient(gradient, 64);
        }
        if (what == "loss") twin.scaler.has_bad_loss = 1;
        if (what == "statistic") twin.running[1][4] = NAN;
        const UpdateReportBlock report = twin.update();
        BOOST_TEST(report.is_finite == 0u);
        BOOST_TEST(report.loss_scale == 64.0f);
        BOOST_TEST((all_values(twin) == before));
        BOOST_TEST((twin.running[0] == running));
        BOOST_TEST(twin.running[1][4] == last_running);
        BOOST_TEST(twin.scaler.loss_scale == 32.0f);
        BOOST_TEST(twin.scaler.num_good_steps == 0u);
        BOOST_TEST(twin.scaler.has_bad_loss == 0u);

        twin.begin_run();
        twin.draw_gradients();
        twin.update_host();
        BOOST_TEST(twin.update().is_finite == 1u);
        check_twin(twin);
      }
    }
  }
}

/// The scale after each of some steps; the digits of `steps` say which are good.
std::vector<float> scales_after(const std::string& steps, const ScalerRule& rule) {
  UpdateTwin twin(OptimizerConfig::of(OptimizerKind::kSgd), {5});
  twin.scaler.loss_scale = 1024;
  twin.scaler_rule = rule;
  std::vector<float> scales;
  for (const char is_good : steps) {
    twin.begin_run();
    twin.draw_gradients();
    twin.scaler.has_bad_loss = is_good == '1' ? 0 : 1;
    twin.update();
    scales.push_back(twin.scaler.loss_scale);
  }
  return scales;
}

// By hand, after torch.amp.GradScaler's rule.
BOOST_AUTO_TEST_CASE(the_loss_scale_grows_after_good_steps_in_a_row_and_shrinks_after_a_bad_one) {
  BOOST_TEST(scales_after("1101011111", {.max_scale = 2048, .growth_interval = 2}) ==
                 (std::vector<float>{1024, 2048, 1024, 1024, 512, 512, 1024, 1024, 2048, 2048}),
             boost::test_tools::per_element());
  BOOST_TEST(scales_after("111", {.growth_factor = 3, .growth_interval = 1}) ==
                 (std::vector<float>{3072, 9216, 27648}),
             boost::test_tools::per_element());
  BOOST_TEST(scales_after("00", {.backoff_factor = 0.25f, .growth_interval = 1}) ==
                 (std::vector<float>{256, 64}),
             boost::test_tools::per_element());
  BOOST_TEST(
      scales_after("1110", {.growth_interval = 0}) == (std::vector<float>{1024, 1024, 1024, 1024}),
      boost::test_tools::per_element());
  BOOST_TEST(scales_after(std::string(200, '0'), {.growth_interval = 1}).back() > 0.0f);
}

BOOST_AUTO_TEST_CASE(an_update_without_parameters_judges_the_statistics) {
  for (const OptimizerKind kind : {OptimizerKind::kSgd, OptimizerKind::kLamb}) {
    UpdateTwin twin(OptimizerConfig::of(kind), {});
    twin.begin_run();
    BOOST_TEST(twin.update().is_finite == 1u);
    BOOST_TEST(twin.has_succeeded);
    BOOST_TEST(twin.running[0][299] == 1.25f);
    twin.begin_run();
    twin.running[1][4] = INFINITY;
    const UpdateReportBlock report = twin.update();
    BOOST_TEST(report.is_finite == 0u);
    BOOST_TEST(report.gradient_norm == 0.0);
    BOOST_TEST(twin.running[0][299] == 1.25f);
    BOOST_TEST(twin.running[1][4] == 1.25f);
  }
}

BOOST_AUTO_TEST_CASE(an_update_gives_the_same_bits_in_any_order_of_threads) {
  OptimizerConfig config = OptimizerConfig::of(OptimizerKind::kLamb);
  config.clip_norm = 0.5;
  std::vector<std::vector<std::vector<double>>> found;
  for (const std::uint64_t seed : {1, 99}) {
    tests::seed_host_gpu(seed);
    UpdateTwin twin(config, kCounts);
    twin.begin_run();
    twin.draw_gradients();
    twin.update();
    found.push_back(all_values(twin));
  }
  BOOST_TEST((found[0] == found[1]));
}

BOOST_AUTO_TEST_CASE(statistics_are_kept_and_put_back) {
  UpdateTwin twin(OptimizerConfig::of(OptimizerKind::kSgd), {5});
  twin.scaler.has_bad_loss = 1;
  BOOST_TEST(twin.begin_run());
  BOOST_TEST(twin.scaler.has_bad_loss == 0u);
  BOOST_TEST(twin.before_step[0] == std::vector<float>(300, 1.0f),
             boost::test_tools::per_element());
  BOOST_TEST(twin.before_step[1][4] == 1.0f);
  BOOST_TEST(std::isnan(twin.before_step[1][5]));  // behind the last
  BOOST_TEST(twin.running[0][299] == 1.25f);
  twin.scaler.has_bad_loss = 1;
  const auto blocks = twin.statistics_blocks();
  BOOST_TEST(copy_statistics({.statistics = blocks.data(),
                              .num_statistics = 2,
                              .puts_back = true,
                              .scaler = &twin.scaler},
                             nullptr)
                 .is_ok());
  BOOST_TEST(twin.scaler.has_bad_loss == 0u);
  BOOST_TEST(twin.running[0] == std::vector<float>(300, 1.0f), boost::test_tools::per_element());
  BOOST_TEST(twin.running[1][4] == 1.0f);
  BOOST_TEST(twin.running[1][5] == 1.25f);
}

BOOST_AUTO_TEST_CASE(gradients_of_micro_batches_are_summed) {
  std::mt19937_64 random(4);
  const std::vector<TensorPiece> pieces = tests::pieces_of(kCounts);
  std::vector<KernelValues> first, second, sums;
  std::vector<GradientSumBlock> blocks;
  for (std::size_t k = 0; k < kCounts.size(); ++k) {
    const ValueType type = tests::kValueTypes[k % 3];
    const bool is_aligned = k != 3;
    first.emplace_back(type, tests::normal_values(random, kCounts[k]), is_aligned);
    second.emplace_back(type, tests::normal_values(random, kCounts[k]), is_aligned);
    sums.emplace_back(ValueType::kFloat32, kCounts[k], is_aligned);
  }
  const auto add = [&](std::vector<KernelValues>& gradients, bool adds) {
    blocks.clear();
    for (std::size_t k = 0; k < kCounts.size(); ++k) {
      blocks.push_back({.num_elements = kCounts[k],
                        .gradient = gradients[k].data(),
                        .sum = sums[k].floats(),
                        .gradient_type = tests::kValueTypes[k % 3]});
    }
    return add_gradients({.tensors = blocks.data(),
                          .pieces = pieces.data(),
                          .num_pieces = static_cast<std::uint32_t>(pieces.size()),
                          .adds = adds},
                         nullptr)
        .is_ok();
  };
  BOOST_TEST(add(first, false));
  BOOST_TEST(add(second, true));
  for (std::size_t k = 0; k < kCounts.size(); ++k) {
    for (std::size_t i = 0; i < kCounts[k]; ++i) {
      const float expected = static_cast<float>(first[k][i]) + static_cast<float>(second[k][i]);
      if (sums[k][i] != static_cast<double>(expected)) BOOST_TEST(sums[k][i] == expected);
    }
    BOOST_TEST(sums[k].is_kept_behind());
  }
}

BOOST_AUTO_TEST_CASE(copies_are_of_the_weights_or_of_their_means) {
  OptimizerConfig config = OptimizerConfig::of(OptimizerKind::kSgd);
  config.ema_decay = 0.9;
  UpdateTwin twin(config, kCounts);
  const std::vector<TensorPiece> pieces = tests::pieces_of(kCounts);
  std::vector<UpdateTensorBlock> blocks;
  for (const auto& t : twin.tensors) {
    t->ema = KernelValues(ValueType::kFloat32, tests::normal_values(twin.random, t->weight.size()),
                          t->is_aligned);
    blocks.push_back(t->block(config));
  }
  blocks[1].ema = nullptr;   // a frozen one
  blocks[2].copy = nullptr;  // one that is read as it is
  for (const bool reads_ema : {false, true}) {
    BOOST_TEST(refresh_copies({.tensors = blocks.data(),
                               .pieces = pieces.data(),
                               .num_pieces = static_cast<std::uint32_t>(pieces.size()),
                               .reads_ema = reads_ema},
                              nullptr)
                   .is_ok());
    for (std::size_t k = 0; k < twin.tensors.size(); ++k) {
      if (k == 2) continue;
      const tests::TwinTensor& t = *twin.tensors[k];
      const KernelValues& from = reads_ema && k != 1 ? t.ema : t.weight;
      BOOST_TEST(t.copy.has_bits_of(KernelValues(t.copy_type, from.values(), t.is_aligned)));
      BOOST_TEST(t.copy.is_kept_behind());
    }
  }
  BOOST_TEST(std::isnan(twin.tensors[2]->copy[0]));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
