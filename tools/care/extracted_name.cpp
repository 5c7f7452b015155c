#include "tools/care/extracted_name.h"

#include <fmt/core.h>

#include <algorithm>

#include "streamer/core/batch.h"
#include "tools/convert/source/dataset_layout.h"

namespace penstock::care {
namespace {

constexpr std::size_t kMaxPartBytes = 255;   // Linux: NAME_MAX
constexpr std::size_t kMaxNameBytes = 3072;  // PATH_MAX is 4096, FOLDER included

bool is_safe_part(std::string_view part) noexcept {
  return !part.empty() && part != "." && part != ".." && part.size() <= kMaxPartBytes &&
         part.find('\0') == std::string_view::npos;
}

// Calls `visit` with each part between slashes until it returns false; true when it never did.
template <class Visit>
bool all_parts(std::string_view name, const Visit& visit) {
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t slash = std::min(name.find('/', at), name.size());
    if (!visit(name.substr(at, slash - at), slash == name.size())) return false;
    at = slash + 1;
  }
  return true;
}

std::string class_folder(const SampleIdentity& sample) {
  if (sample.class_idx == kUnlabelled) return "without a label";
  const bool is_folder_name =
      is_safe_part(sample.class_name) && sample.class_name.find('/') == std::string_view::npos;
  return is_folder_name ? std::string(sample.class_name)
                        : fmt::format("class {}", sample.class_idx);
}

}  // namespace

bool is_safe_name(std::string_view name) noexcept {
  return name.size() <= kMaxNameBytes &&
         all_parts(name, [](std::string_view part, bool) { return is_safe_part(part); });
}

bool names_class(std::string_view name, std::string_view class_name) {
  return !all_parts(name, [&](std::string_view part, bool is_last) {
    return is_last || convert::stored_class_name(std::string(part)) != class_name;
  });
}

std::string numbered_name(const SampleIdentity& sample, NumberedForm form) {
  const std::string folder = class_folder(sample);
  if (form == NumberedForm::kSplitFolders) {
    return fmt::format("{}/{}/{:08}{}", sample.split, folder, sample.sample_idx, sample.extension);
  }
  return fmt::format("{}/{}-{:08}{}", folder, sample.split, sample.sample_idx, sample.extension);
}

bool NamesInUse::take(const std::string& name) {
  if (files_.contains(name) || folders_.contains(name)) return false;
  const auto for_each_folder = [&](const auto& visit) {
    for (std::size_t slash = name.find('/'); slash != std::string::npos;
         slash = name.find('/', slash + 1)) {
      if (!visit(name.substr(0, slash))) return false;
    }
    return true;
  };
  if (!for_each_folder([&](const std::string& folder) { return !files_.contains(folder); })) {
    return false;
  }
  for_each_folder([&](const std::string& folder) {
    folders_.insert(folder);
    return true;
  });
  files_.insert(name);
  return true;
}

}  // namespace penstock::care
