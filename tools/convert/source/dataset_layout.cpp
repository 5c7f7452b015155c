#include "tools/convert/source/dataset_layout.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string_view>

#include "streamer/core/error.h"
#include "streamer/core/utf8.h"
#include "tools/convert/ascii_case.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

using tools::printable;

[[noreturn]] void refuse(const std::string& message, std::string hint) {
  throw Error(ErrorCode::kInvalidArgument, message, std::move(hint));
}

constexpr const char* kExpectedShape =
    "expected a folder per class (SOURCE/cat/1.jpg), or train/, validation/ and test/ folders of "
    "them";

// The first `depth` names of a path, and nothing when it has fewer names before the last.
std::optional<std::string_view> parent_at_depth(std::string_view path, std::uint32_t depth) {
  std::size_t at = 0;
  for (std::uint32_t level = 0; level < depth; ++level) {
    at = path.find('/', level == 0 ? 0 : at + 1);
    if (at == std::string_view::npos) return std::nullopt;
  }
  return path.substr(0, at);
}

std::size_t num_names(std::string_view path) {
  return 1 + static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
}

// Relative to `parent`, those with `depth` names.
std::vector<std::string> folders_beneath(const FolderScan& scan, const std::string& parent,
                                         std::uint32_t depth = 1) {
  std::vector<std::string> names;
  const std::string prefix = parent.empty() ? "" : parent + '/';
  for (const std::string& folder : scan.folders) {
    if (folder.size() <= prefix.size() || folder.compare(0, prefix.size(), prefix) != 0) continue;
    const std::string name = folder.substr(prefix.size());
    if (num_names(name) == depth) names.push_back(name);
  }
  // Sorted as paths they are, but a slash sorts behind other bytes of a name.
  std::sort(names.begin(), names.end());
  return names;
}

std::string list_names(const std::vector<std::string>& names) {
  constexpr std::size_t kMaxListed = 8;
  std::vector<std::string> shown;
  for (const std::string& name : names) {
    if (shown.size() == kMaxListed) break;
    shown.push_back(printable(name));
  }
  const std::string text = fmt::format("{}", fmt::join(shown, ", "));
  return names.size() <= kMaxListed
             ? text
             : fmt::format("{} and {} more", text, names.size() - kMaxListed);
}

// What explains a folder that seems to hold nothing.
std::string unseen_note(const FolderScan& scan) {
  std::string note;
  if (scan.skipped.num_symlinks > 0) {
    note += fmt::format(" (symbolic links are not followed, and there are {})",
                        tools::format_count(scan.skipped.num_symlinks));
  }
  if (!scan.unreadable_folders.empty()) {
    note += fmt::format(" ({} may not be read)",
                        tools::format_counted(scan.unreadable_folders.size(), "folder", "folders"));
  }
  return note;
}

// With one of them unread, splits could be taken for classes.
void check_split_folders_are_read(const FolderScan& scan, const std::string& where) {
  for (const UnreadableFolder& folder : scan.unreadable_folders) {
    const bool is_on_top = folder.path.find('/') == std::string::npos;
    if (!is_on_top || !split_of_folder_name(folder.path)) continue;
    refuse(fmt::format("layout: {}/{}: expected a split folder that may be read, found: {}", where,
                       printable(folder.path), folder.why),
           "chmod -R u+rX SOURCE lets its owner read it");
  }
}

using SplitFolders = std::map<SplitKind, std::string>;

[[noreturn]] void refuse_folders_beside(const std::vector<std::string>& others,
                                        const std::string& split_folder, const std::string& where) {
  refuse(
      fmt::format("layout: {}: expected only split folders beside '{}', found {}", where,
                  printable(split_folder), list_names(others)),
      "--layout split-folders leaves the others out, --layout class-folders takes all as classes");
}

bool hold_folders(const FolderScan& scan, const SplitFolders& splits) {
  return !splits.empty() && std::ranges::all_of(splits, [&](const auto& split) {
    return !folders_beneath(scan, split.second).empty();
  });
}

// Split folders are meant when one named train holds folders; a class may be called "train" too,
// but then its pictures lie in it directly. Of a cut archive train may be what is missing.
SplitFolders find_split_folders(const FolderScan& scan, LayoutChoice choice,
                                const std::string& where) {
  if (choice == LayoutChoice::kClassFolders) return {};
  const bool is_asked_for = choice == LayoutChoice::kSplitFolders;
  if (!is_asked_for) check_split_folders_are_read(scan, where);
  SplitFolders splits;
  std::vector<std::string> others;
  std::vector<std::string> twins;
  for (const std::string& name : folders_beneath(scan, "")) {
    const std::optional<SplitKind> split = split_of_folder_name(name);
    if (!split) {
      others.push_back(name);
    } else if (!splits.emplace(*split, name).second) {
      twins.push_back(name);
    }
  }
  const auto train = splits.find(SplitKind::kTrain);
  if (is_asked_for) {
    check_split_folders_are_read(scan, where);
    if (splits.empty()) {
      refuse(fmt::format("layout: {}: expected a folder train, validation or test, found {}", where,
                         others.empty() ? "no folder" : list_names(others)),
             "leave --layout out: what the folders are is found out");
    }
  } else if (!(scan.is_cut && others.empty() && hold_folders(scan, splits))) {
    if (train == splits.end() || folders_beneath(scan, train->second).empty()) return {};
    if (!others.empty()) refuse_folders_beside(others, train->second, where);
  }
  if (!twins.empty()) {
    refuse(fmt::format("layout: {}: expected one folder for each split, found a second: {}", where,
                       list_names(twins)),
           "merge the two folders");
  }
  return splits;
}

std::vector<std::string> missing_names(const std::vector<std::string>& from,
                                       const std::vector<std::string>& in) {
  std::vector<std::string> missing;
  std::set_difference(from.begin(), from.end(), in.begin(), in.end(), std::back_inserter(missing));
  return missing;
}

void check_same_classes(const FolderScan& scan, const SplitFolders& splits,
                        const std::vector<std::string>& class_names, std::uint32_t class_depth,
                        const std::string& where) {
  for (const auto& [split, folder] : splits) {
    const std::vector<std::string> found = folders_beneath(scan, folder, class_depth);
    const std::vector<std::string> missing = missing_names(class_names, found);
    const std::vector<std::string> added = missing_names(found, class_names);
    if (missing.empty() && added.empty()) continue;
    std::string difference;
    if (!missing.empty()) difference = "without " + list_names(missing);
    if (!added.empty()) {
      difference += (difference.empty() ? "" : ", ") + ("in addition " + list_names(added));
    }
    // The one policy that classes_differ allows.
    throw Error(ErrorCode::kTooManyBad,
                fmt::format("classes: {}/{}: expected the classes of '{}', found them {}", where,
                            printable(folder), printable(splits.begin()->second), difference),
                "make the class folders equal in every split; an empty folder keeps a class");
  }
}

// Of an archive that is cut a split may lack classes only because the rest was not read.
std::vector<std::string> classes_of_all(const FolderScan& scan, const SplitFolders& splits,
                                        std::uint32_t class_depth) {
  std::set<std::string> names;
  for (const auto& [split, folder] : splits) {
    for (std::string& name : folders_beneath(scan, folder, class_depth)) {
      names.insert(std::move(name));
    }
  }
  return {names.begin(), names.end()};
}

// A byte that is no UTF-8 is written as \xNN, and a folder may be called so in plain letters.
void check_names_apart(const std::vector<std::string>& class_names, const std::string& where) {
  std::set<std::string> stored;
  for (const std::string& name : class_names) {
    const auto [at, is_new] = stored.insert(stored_class_name(name));
    if (is_new) continue;
    refuse(fmt::format("classes: {}: expected different names in the dataset, found two folders "
                       "that would both be '{}'",
                       where, *at),
           "rename the folder whose name is not UTF-8");
  }
}

constexpr std::uint64_t kNumNamedOutside = 10;

// They may be pictures that nobody meant to leave out.
std::string outside_text(const DatasetLayout& layout) {
  std::string text =
      fmt::format("files that lie in no class folder were left out: {}", layout.num_outside);
  for (const std::string& path : layout.first_outside) text += "\n  " + printable(path);
  if (layout.num_outside > layout.first_outside.size()) {
    text += fmt::format("\n  and {} more; --on outside_classes=quarantine lists them all",
                        tools::format_count(layout.num_outside - layout.first_outside.size()));
  }
  return text;
}

class Placement {
 public:
  Placement(const FolderScan& scan, const SplitFolders& splits, DatasetLayout& layout)
      : scan_(scan), layout_(layout) {
    for (std::uint32_t i = 0; i < layout.class_names.size(); ++i) {
      class_idx_.emplace(layout.class_names[i], i);
    }
    for (const auto& [split, folder] : splits) split_of_.emplace(folder, split);
  }

  void run(std::uint32_t class_depth) {
    for (std::uint32_t i = 0; i < scan_.files.size(); ++i) {
      PlacedFile placed{.file_idx = i, .split = std::nullopt};
      std::string_view path = scan_.files[i].path;
      const bool is_in_split = split_of_.empty() || take_split(path, placed.split);
      const auto folder = parent_at_depth(path, class_depth);
      if (!is_in_split || !folder) {
        if (layout_.num_outside++ < kNumNamedOutside)
          layout_.first_outside.push_back(scan_.files[i].path);
        continue;
      }
      placed.class_idx = class_idx_.find(*folder)->second;
      layout_.files.push_back(placed);
    }
  }

 private:
  // Takes the split folder off the path.
  bool take_split(std::string_view& path, std::optional<SplitKind>& split) const {
    const auto folder = parent_at_depth(path, 1);
    if (!folder) return false;
    const auto found = split_of_.find(*folder);
    if (found == split_of_.end()) return false;
    split = found->second;
    path.remove_prefix(folder->size() + 1);
    return true;
  }

  const FolderScan& scan_;
  DatasetLayout& layout_;
  std::map<std::string, std::uint32_t, std::less<>> class_idx_;
  std::map<std::string, SplitKind, std::less<>> split_of_;
};

// A folder around the class folders, as archives unfold to, would be the only class.
void warn_of_folders_below(const FolderScan& scan, const SplitFolders& splits,
                           const LayoutRequest& request, DatasetLayout& layout) {
  if (layout.class_names.size() != 1 || !splits.empty()) return;
  const std::string& only = layout.class_names.front();
  const bool are_all_below = std::ranges::all_of(layout.files, [&](const PlacedFile& placed) {
    return scan.files[placed.file_idx].path.find('/', only.size() + 1) != std::string::npos;
  });
  const std::vector<std::string> below = folders_beneath(scan, only);
  if (!are_all_below || below.size() < 2) return;
  layout.warnings.push_back(fmt::format(
      "all pictures of {} lie in folders below it ({}): where those are classes or splits, name "
      "that folder as SOURCE; --class-depth {} takes them as classes",
      printable(only), list_names(below), request.class_depth + 1));
}

// What was not read may hold more of both.
void warn_of_cut(const FolderScan& scan, const SplitFolders& splits, std::uint32_t class_depth,
                 DatasetLayout& layout) {
  std::string lacking;
  for (const auto& [split, folder] : splits) {
    const std::vector<std::string> missing =
        missing_names(layout.class_names, folders_beneath(scan, folder, class_depth));
    if (missing.empty()) continue;
    lacking += fmt::format("; {} is without {}", printable(folder), list_names(missing));
  }
  layout.warnings.push_back(fmt::format("not all could be read: classes{} are those of what was{}",
                                        splits.empty() ? "" : " and splits", lacking));
}

// A flat folder is told apart by what is most often beside its pictures.
[[noreturn]] void refuse_no_classes(const FolderScan& scan, const LayoutRequest& request,
                                    const std::string& where, const std::string& unseen) {
  if (request.class_depth > 1 && !scan.folders.empty()) {
    refuse(fmt::format("source: {}: expected folders of {} names, found none so deep{}", where,
                       request.class_depth, unseen),
           "--class-depth 1");
  }
  refuse(fmt::format("source: {}: {}, found {} and no folder{}", where, kExpectedShape,
                     tools::format_counted(scan.files.size(), "file", "files"), unseen),
         "put the pictures of each class into a folder named after the class, or name a table of "
         "paths and labels: --labels FILE");
}

std::string describe(const SplitFolders& splits, std::uint32_t class_depth) {
  const std::string classes =
      class_depth == 1 ? "class folders" : fmt::format("class folders {} deep", class_depth);
  if (splits.empty()) return classes;
  std::vector<std::string> names;
  for (const auto& [split, folder] : splits) names.push_back(printable(folder));
  return fmt::format("split folders ({}) of {}", fmt::join(names, ", "), classes);
}

}  // namespace

std::string stored_class_name(const std::string& folder_name) {
  return is_utf8(folder_name) ? folder_name : printable(folder_name);
}

std::optional<SplitKind> split_of_folder_name(const std::string& name) {
  const std::string lower = ascii_lower(name);
  if (lower == "train") return SplitKind::kTrain;
  if (lower == "val" || lower == "valid" || lower == "validation") return SplitKind::kValidation;
  if (lower == "test" || lower == "testing") return SplitKind::kTest;
  return std::nullopt;
}

bool LayoutRequest::asks_for_folders() const {
  return choice == LayoutChoice::kClassFolders || choice == LayoutChoice::kSplitFolders ||
         (class_depth != 1 && !inherits_depth);
}

void LayoutRequest::validate() const {
  constexpr std::uint32_t kMaxClassDepth = 32;
  if (class_depth >= 1 && class_depth <= kMaxClassDepth) return;
  refuse(
      fmt::format("layout: class_depth: expected 1 to {}, found {}", kMaxClassDepth, class_depth),
      "--class-depth 2");
}

DatasetLayout find_layout(const FolderScan& scan, const LayoutRequest& request,
                          const std::string& where) {
  request.validate();
  const std::string unseen = unseen_note(scan);
  if (scan.files.empty() && scan.folders.empty()) {
    refuse(fmt::format("source: {}: {}, found an empty folder{}", where, kExpectedShape, unseen),
           "name the folder that holds the class folders");
  }
  const SplitFolders splits = find_split_folders(scan, request.choice, where);
  DatasetLayout layout;
  layout.kind = splits.empty() ? LayoutKind::kClassFolders : LayoutKind::kSplitFolders;
  layout.class_names =
      folders_beneath(scan, splits.empty() ? "" : splits.begin()->second, request.class_depth);
  if (scan.is_cut && !splits.empty()) {
    layout.class_names = classes_of_all(scan, splits, request.class_depth);
  }
  if (layout.class_names.empty()) refuse_no_classes(scan, request, where, unseen);
  check_names_apart(layout.class_names, where);
  if (!scan.is_cut) {
    check_same_classes(scan, splits, layout.class_names, request.class_depth, where);
  }
  Placement(scan, splits, layout).run(request.class_depth);
  if (layout.files.empty()) {
    refuse(fmt::format("source: {}: expected pictures in the class folders, found none{}", where,
                       unseen),
           "name the folder that holds the class folders");
  }
  layout.description = describe(splits, request.class_depth);
  if (scan.is_cut) warn_of_cut(scan, splits, request.class_depth, layout);
  warn_of_folders_below(scan, splits, request, layout);
  if (layout.num_outside > 0) {
    layout.warnings.push_back(outside_text(layout));
  }
  return layout;
}

}  // namespace penstock::convert
