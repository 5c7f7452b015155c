#include "tools/convert/source/array_classes.h"

#include <fmt/core.h>

#include <algorithm>

#include "streamer/core/error.h"
#include "tools/convert/source/class_name_file.h"
#include "tools/convert/source/class_names.h"

namespace penstock::convert {
namespace {

ArrayClasses find_text_classes(const OpenedPairs& arrays, const std::stop_token& stop) {
  ArrayClasses classes;
  for (const OpenedPair& pair : arrays.pairs) {
    const auto take = [&](std::uint64_t, const LabelValue& label) {
      const auto* const text = std::get_if<std::string>(&label);
      if (text == nullptr || !classes.of_texts.emplace(*text, 0).second) return;
      if (classes.of_texts.size() <= kMaxNumberedClasses) return;
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("labels: {}: expected at most {} classes, found more",
                              arrays.labels(pair).where, kMaxNumberedClasses),
                  "are these the labels, and not the names of the pictures?");
    };
    read_labels(*arrays.store, pair.labels_idx, stop, take);
  }
  for (auto& [name, class_idx] : classes.of_texts) {
    class_idx = static_cast<std::uint32_t>(classes.names.size());
    classes.names.push_back(name);
  }
  return classes;
}

std::uint32_t count_classes(const OpenedPairs& arrays, const std::stop_token& stop) {
  std::uint32_t num_classes = 0;
  for (const OpenedPair& pair : arrays.pairs) {
    const OpenArray& labels = arrays.labels(pair);
    if (label_form_of(labels) == LabelForm::kOneHot) {
      num_classes = std::max(num_classes, static_cast<std::uint32_t>(labels.form.shape[1]));
      continue;
    }
    const auto take = [&](std::uint64_t, const LabelValue& label) {
      const auto* const class_idx = std::get_if<std::uint32_t>(&label);
      if (class_idx != nullptr) num_classes = std::max(num_classes, *class_idx + 1);
    };
    read_labels(*arrays.store, pair.labels_idx, stop, take);
  }
  return num_classes;
}

}  // namespace

std::variant<std::uint32_t, LabelFault> ArrayClasses::class_of(const LabelValue& label) const {
  if (const auto* const fault = std::get_if<LabelFault>(&label)) return *fault;
  if (const auto* const text = std::get_if<std::string>(&label)) return of_texts.at(*text);
  const std::uint32_t class_idx = std::get<std::uint32_t>(label);
  if (class_idx < names.size()) return class_idx;
  return LabelFault{ReasonCode::kUnknownLabel, std::to_string(class_idx)};
}

ArrayClasses find_array_classes(const OpenedPairs& arrays,
                                const std::filesystem::path& class_names_file,
                                const std::stop_token& stop) {
  if (arrays.are_labels_texts) return find_text_classes(arrays, stop);
  if (class_names_file.empty()) return {.names = numbered_class_names(count_classes(arrays, stop))};
  return {.names = names_by_index(read_class_names(class_names_file))};
}

}  // namespace penstock::convert
