#include "train/loss/loss_spec.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/name_list.h"
#include "streamer/core/nearest_name.h"
#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"

namespace penstock::train {
namespace {

// No default: the compiler says where a new loss is missing.
constexpr std::string_view name_of(LossKind kind) {
  switch (kind) {
    case LossKind::kSoftmaxCrossEntropy:
      return "cross_entropy";
    case LossKind::kSoftmaxFocal:
      return "focal";
    case LossKind::kBinaryCrossEntropy:
      return "binary_cross_entropy";
    case LossKind::kBinaryFocal:
      return "binary_focal";
    case LossKind::kMeanSquaredError:
      return "mean_squared_error";
    case LossKind::kMeanAbsoluteError:
      return "mean_absolute_error";
    case LossKind::kCustom:
      return "custom";
  }
  return {};
}

constexpr auto kAllNames = names_in_order<LossKind, name_of>();
static_assert(kAllNames.back() == name_of(LossKind::kCustom));

bool is_focal(LossKind kind) {
  return kind == LossKind::kSoftmaxFocal || kind == LossKind::kBinaryFocal;
}

struct ListRule {
  std::string_view field;
  std::span<const float> values;
  std::string_view range;
  bool (*is_in_range)(float);
  std::string_view hint;
};

void check_values(const ListRule& rule) {
  for (const float value : rule.values) {
    if (rule.is_in_range(value)) continue;
    refuse_setting(
        {"loss", rule.field, rule.range, number_text(static_cast<double>(value)), rule.hint});
  }
}

// `applies` names the losses that know the field.
void check_unused(bool is_used, LossKind kind, std::string_view field, std::string_view applies) {
  if (!is_used) return;
  throw Error(ErrorCode::kInvalidArgument,
              "loss: " + std::string(field) + ": expected with " + std::string(applies) +
                  " only, found with " + std::string(loss_name(kind)),
              "leave " + std::string(field) + " out");
}

struct LengthRule {
  std::string_view field;
  std::size_t num_values;
  bool may_be_one;
  std::string_view hint;
};

void check_length(const LengthRule& rule, std::size_t num_outputs) {
  if (rule.num_values == 0 || rule.num_values == num_outputs) return;
  if (rule.may_be_one && rule.num_values == 1) return;
  refuse_setting({"loss", rule.field,
                  (rule.may_be_one ? "one value or " : "") + std::to_string(num_outputs) +
                      " values, one for each output",
                  std::to_string(rule.num_values), rule.hint});
}

}  // namespace

std::string_view loss_name(LossKind kind) {
  return name_of(kind);
}

std::span<const std::string_view> loss_names() {
  return std::span(kAllNames).first(kAllNames.size() - 1);
}

LossKind parse_loss(std::string_view name) {
  const auto known = loss_names();
  const auto found = std::ranges::find(known, name);
  if (found != known.end()) return static_cast<LossKind>(found - known.begin());
  throw Error(ErrorCode::kInvalidArgument,
              "loss: expected the name of a loss, found '" + std::string(name) + "'",
              nearest_name_hint(name, known));
}

bool is_softmax_loss(LossKind kind) {
  return kind == LossKind::kSoftmaxCrossEntropy || kind == LossKind::kSoftmaxFocal;
}

bool is_binary_loss(LossKind kind) {
  return kind == LossKind::kBinaryCrossEntropy || kind == LossKind::kBinaryFocal;
}

// The comparisons are written so that NaN fails them.
void LossSpec::validate() const {
  if (!(label_smoothing >= 0 && label_smoothing < 1)) {
    refuse_setting({"loss", "label_smoothing", "0 to below 1", number_text(label_smoothing),
                    "label_smoothing = 0.1"});
  }
  if (!(focal_gamma >= 0 && std::isfinite(focal_gamma))) {
    refuse_setting({"loss", "focal_gamma", "a finite number, 0 or more", number_text(focal_gamma),
                    "focal_gamma = 2"});
  }
  check_unused(label_smoothing > 0 && !is_softmax_loss(kind) && !is_binary_loss(kind), kind,
               "label_smoothing", "losses of classes and labels");
  check_unused(!focal_alpha.empty() && !is_focal(kind), kind, "focal_alpha",
               "focal and binary_focal");
  check_unused(!class_weights.empty() && !is_softmax_loss(kind), kind, "class_weights",
               "cross_entropy and focal");
  check_unused(!positive_weights.empty() && kind != LossKind::kBinaryCrossEntropy, kind,
               "positive_weights", "binary_cross_entropy");
  check_unused(custom != nullptr && kind != LossKind::kCustom, kind, "custom", "custom");
  if (kind == LossKind::kCustom && custom == nullptr) {
    throw Error(ErrorCode::kInvalidArgument,
                "loss: custom: expected a loss of the program's own, found none",
                "set LossSpec::custom, or another kind");
  }
  check_values({"focal_alpha", focal_alpha, "0 to 1", [](float a) { return a >= 0 && a <= 1; },
                "focal_alpha = 0.25"});
  check_values({"class_weights", class_weights, "finite numbers, 0 or more",
                [](float w) { return w >= 0 && std::isfinite(w); },
                "class_weights = \"balanced\""});
  check_values({"positive_weights", positive_weights, "finite numbers above 0",
                [](float w) { return w > 0 && std::isfinite(w); }, "positive_weights = [3.0]"});
  const auto is_zero = [](float w) { return w == 0; };
  if (!class_weights.empty() && std::ranges::all_of(class_weights, is_zero)) {
    refuse_setting({"loss", "class_weights", "one above 0 at least", "only zeros",
                    "class_weights = \"balanced\""});
  }
}

void LossSpec::validate_for(std::size_t num_outputs) const {
  validate();
  check_length({"focal_alpha", focal_alpha.size(), true, "focal_alpha = 0.25"}, num_outputs);
  check_length({"class_weights", class_weights.size(), false, "class_weights = \"balanced\""},
               num_outputs);
  check_length({"positive_weights", positive_weights.size(), true, "positive_weights = [3.0]"},
               num_outputs);
}

}  // namespace penstock::train
