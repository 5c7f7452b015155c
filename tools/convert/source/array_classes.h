// The classes that the labels of all arrays of a source have together.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "tools/convert/source/array_labels.h"
#include "tools/convert/source/opened_pairs.h"

namespace penstock::convert {

struct ArrayClasses {
  std::vector<std::string> names{};                 // by class index
  std::map<std::string, std::uint32_t> of_texts{};  // where labels are texts, by rising bytes

  /// The class of a label, or why it has none.
  std::variant<std::uint32_t, LabelFault> class_of(const LabelValue& label) const;
};

/// "0", "1", ... up to the largest label (one-hot: as many as columns), or the names that
/// `class_names_file`, where there is one, has for numbers; texts by rising bytes.
///
/// Errors  InvalidArgument: more texts than kMaxNumberedClasses; those of read_labels() and
///         read_class_names()
ArrayClasses find_array_classes(const OpenedPairs& arrays,
                                const std::filesystem::path& class_names_file,
                                const std::stop_token& stop);

}  // namespace penstock::convert
