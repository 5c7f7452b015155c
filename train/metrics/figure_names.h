// What a figure is called in JSON. Monitors and columns of metrics.csv have Keras' names, such as val_accuracy; JSON
// has top1 wherever it is printed, and Keras' name beside it in the events of a run, which promise both.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace penstock::train {

/// All names in JSON of one of metric_names(), that one first: {"val_accuracy", "val_top1"}. Most have no other.
std::vector<std::string> json_names(std::string_view metric);

}  // namespace penstock::train
