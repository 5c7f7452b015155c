#include "train/metrics/figure_names.h"

namespace penstock::train {

std::vector<std::string> json_names(std::string_view metric) {
  constexpr std::string_view kAccuracy = "accuracy";
  std::vector<std::string> names = {std::string(metric)};
  if (!metric.ends_with(kAccuracy)) return names;
  // "", "val_", "val_top5_"
  std::string before(metric.substr(0, metric.size() - kAccuracy.size()));
  if (before.find("top") == before.npos) {
    names.push_back(before + "top1");
  } else {
    before.pop_back();
    names.push_back(before);
  }
  return names;
}

}  // namespace penstock::train
