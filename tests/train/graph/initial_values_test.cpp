// Initial weights by the names of model files: mean, deviation, shape and bounds of what is drawn, by the
// formulas of their sources.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "tests/train/graph/model_file_refusal.h"
#include "train/graph/initial_values.h"

namespace penstock::train {
namespace {

/// Fourth moment over the squared second, which tells the three shapes apart.
constexpr double kNormalKurtosis = 3.0;
constexpr double kUniformKurtosis = 9.0 / 5.0;
/// A normal draw cut at two deviations has the moments m2 = 1 - 4 phi(2) / Z and m4 = 3 m2 - 16 phi(2) / Z with
/// phi(2) = 0.0539909665, Z = 0.9544997361 (Johnson, Kotz, Balakrishnan, Continuous univariate distributions 1,
/// 10.1). sqrt(m2) is the 0.87962566103423978 of TensorFlow's VarianceScaling.
constexpr double kCutDeviation = 0.87962566103423978;
constexpr double kCutKurtosis = 2.36554;

/// What a rule draws.
struct Drawn {
  std::string name;
  double deviation = 0;
  double kurtosis = 0;
  std::optional<double> limit;  // that no value passes, and that many come near
};

/// Fan in and fan out as torch.nn.init._calculate_fan_in_and_fan_out() has them of a tensor
/// [out, in / groups, rows, cols]: in / groups * rows * cols and out * rows * cols.
struct ExpectedFans {
  double in = 0;
  double out = 0;
};

Drawn even_draw(const std::string& name, double limit) {
  return {name, limit / std::sqrt(3.0), kUniformKurtosis, limit};
}
Drawn normal_draw(const std::string& name, double deviation) {
  return {name, deviation, kNormalKurtosis, std::nullopt};
}

/// Source  he: He et al. 2015, eq. 10 and 14; torch.nn.init.kaiming_uniform_: limit sqrt(3) gain / sqrt(fan)
///         with gain sqrt(2). glorot: Glorot and Bengio 2010, eq. 16: limit sqrt(6) / sqrt(in + out), the normal
///         one sqrt(2 / (in + out)) (Keras GlorotNormal). lecun: LeCun et al. 1998, Efficient BackProp, 4.6
std::vector<Drawn> expected_draws(const ExpectedFans& fans, double deviation) {
  return {normal_draw("he_normal", std::sqrt(2 / fans.in)),
          normal_draw("he_normal_fan_out", std::sqrt(2 / fans.out)),
          even_draw("he_uniform", std::sqrt(6 / fans.in)),
          even_draw("glorot_uniform", std::sqrt(6 / (fans.in + fans.out))),
          normal_draw("glorot_normal", std::sqrt(2 / (fans.in + fans.out))),
          normal_draw("lecun_normal", std::sqrt(1 / fans.in)),
          {"truncated_normal", kCutDeviation * deviation, kCutKurtosis, 2 * deviation},
          normal_draw("normal", deviation),
          even_draw("uniform", std::sqrt(3.0) * deviation)};
}

constexpr double kDeviation = 0.07;

bool is_scaled_by_hand(const std::string& rule) {
  return rule == "truncated_normal" || rule == "normal" || rule == "uniform";
}

/// A convolution in 2 groups, "conv" [96, 64, 3, 3], and a dense layer, "dense" [640, 96], begun by a rule.
ModelGraph begun_by(const std::string& rule) {
  std::string init = "init = \"" + rule + "\"\n";
  if (is_scaled_by_hand(rule)) init += "init_deviation = " + std::to_string(kDeviation) + "\n";
  return parse_test_model(
      "[[layer]]\ntype = \"conv2d\"\nfilters = 128\nkernel = 1\n"
      "[[layer]]\nname = \"conv\"\ntype = \"conv2d\"\nfilters = 96\ngroups = 2\n" +
      init +
      "[[layer]]\ntype = \"global_avg_pool\"\n"
      "[[layer]]\nname = \"dense\"\ntype = \"dense\"\nunits = 640\n" +
      init + "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n");
}

std::vector<float> drawn_values(const ModelGraph& graph, const std::string& parameter) {
  const auto found = std::ranges::find(graph.parameters(), parameter, &Parameter::name);
  BOOST_REQUIRE((found != graph.parameters().end()));
  return initial_value(graph, static_cast<std::uint32_t>(found - graph.parameters().begin()), 11);
}

/// Bounds are five standard errors of the mean, and of the deviation and kurtosis of a normal draw, which
/// strays farthest; the seed is fixed.
void check(const std::vector<float>& values, const Drawn& expected) {
  const double n = static_cast<double>(values.size());
  double sum = 0;
  double squares = 0;
  double fourths = 0;
  double largest = 0;
  for (const float value : values) {
    const double v = static_cast<double>(value);
    sum += v;
    squares += v * v;
    fourths += v * v * v * v;
    largest = std::max(largest, std::abs(v));
  }
  BOOST_TEST(std::abs(sum / n) < 5 * expected.deviation / std::sqrt(n));
  const double deviation = std::sqrt(squares / n);
  BOOST_TEST(std::abs(deviation / expected.deviation - 1) < 5 * std::sqrt(0.5 / n),
             "deviation " << deviation << ", expected " << expected.deviation);
  const double kurtosis = fourths / n / (squares / n * squares / n);
  BOOST_TEST(std::abs(kurtosis - expected.kurtosis) < 5 * std::sqrt(24 / n),
             "kurtosis " << kurtosis << ", expected " << expected.kurtosis);
  if (expected.limit) {
    BOOST_TEST(largest <= *expected.limit * (1 + 1e-6));  // rounded to float32
    BOOST_TEST(largest > 0.999 * *expected.limit);
  } else {
    BOOST_TEST(largest >
               3.5 * expected.deviation);  // a normal draw has no limit: one in 2,000 lies beyond
  }
}

BOOST_AUTO_TEST_SUITE(initial_values)

BOOST_AUTO_TEST_CASE(every_rule_draws_by_its_sources_formula) {
  const std::vector<Drawn> of_conv = expected_draws({.in = 64 * 9, .out = 96 * 9}, kDeviation);
  const std::vector<Drawn> of_dense = expected_draws({.in = 96, .out = 640}, kDeviation);
  BOOST_TEST(of_conv.size() == init_rule_names().size());
  for (std::size_t i = 0; i < of_conv.size(); ++i) {
    BOOST_TEST(of_conv[i].name == init_rule_names()[i]);
    const ModelGraph graph = begun_by(of_conv[i].name);
    BOOST_TEST_CONTEXT(of_conv[i].name << ", convolution") {
      check(drawn_values(graph, "conv.weight"), of_conv[i]);
    }
    BOOST_TEST_CONTEXT(of_dense[i].name << ", dense") {
      check(drawn_values(graph, "dense.weight"), of_dense[i]);
    }
  }
}

BOOST_AUTO_TEST_CASE(tensors_and_seeds_have_draws_of_their_own) {
  ModelGraph graph("twice", {8, 4, 4});
  NodeId x = graph.conv2d("a", graph.input(), {.filters = 8});
  x = graph.conv2d("b", x, {.filters = 8});
  graph.set_output(graph.dense("head", graph.global_avg_pool("gap", x), {.units = 2}));
  const std::vector<float> first = drawn_values(graph, "a.weight");
  const std::vector<float> second = drawn_values(graph, "b.weight");
  const std::vector<float> reseeded = initial_value(graph, 0, 12);
  for (std::size_t i = 0; i < first.size(); ++i) {
    BOOST_TEST(first[i] != second[i]);
    BOOST_TEST(first[i] != reseeded[i]);
  }
}

// 211,001 weights: neither 2 nor 3 threads cut them evenly.
BOOST_AUTO_TEST_CASE(threads_change_no_bit) {
  ModelGraph graph("wide", {.channels = 301, .height = 1, .width = 1});
  graph.set_output(graph.dense("head", graph.flatten("flat", graph.input()), {.units = 701}));
  const std::vector<float> expected = drawn_values(graph, "head.weight");
  for (const std::uint32_t num_threads : {1u, 2u, 3u}) {
    std::vector<float> values(expected.size(), NAN);
    draw_initial_value(graph, 0, {.seed = 11, .num_threads = num_threads}, values);
    BOOST_TEST(values == expected, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
