#include "tools/convert/source/webdataset_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "tools/convert/source/class_name_file.h"
#include "tools/convert/source/class_names.h"
#include "tools/convert/source/left_out.h"
#include "tools/convert/source/path_parts.h"
#include "tools/convert/source/picture_extension.h"
#include "tools/convert/source/split_in_path.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

constexpr std::uint64_t kMaxClsBytes = 4096;
constexpr std::uint64_t kMaxJsonBytes = std::uint64_t{16} << 20;

struct RowName {
  std::string_view key;        // up to the dot
  std::string_view extension;  // behind it: "jpg", "seg.png"
};

RowName row_name(std::string_view path) {
  const std::size_t dot = path.find('.', folder_of(path).size());
  if (dot == std::string_view::npos) return {path, {}};
  return {path.substr(0, dot), path.substr(dot + 1)};
}

// The members of one row, as places in FolderScan::files.
struct Row {
  std::string_view key;
  std::optional<std::uint32_t> picture{};
  std::optional<std::uint32_t> cls{};
  std::optional<std::uint32_t> json{};
  std::vector<std::uint32_t> more_pictures{};  // "0.seg.png" too
  std::vector<std::uint32_t> others{};
};

// Calls `visit` for each row. Files are sorted by their bytes, so all that begins with "key." lies
// together.
template <class Visit>
void each_row(const FolderScan& scan, const Visit& visit) {
  for (std::uint32_t i = 0; i < scan.files.size();) {
    Row row{.key = row_name(scan.files[i].path).key};
    for (; i < scan.files.size(); ++i) {
      const RowName name = row_name(scan.files[i].path);
      if (name.key != row.key) break;
      if (!row.picture && is_picture_extension(name.extension)) {
        row.picture = i;
      } else if (name.extension == "cls") {
        row.cls = i;
      } else if (name.extension == "json") {
        row.json = i;
      } else {
        (is_named_as_picture(scan.files[i].path) ? row.more_pictures : row.others).push_back(i);
      }
    }
    visit(row);
  }
}

std::optional<std::uint32_t> as_index(std::string_view text) {
  std::uint32_t value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || at != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// A label as text, or why there is none.
struct LabelText {
  std::string label;
  std::string fault;
  ReasonCode reason = ReasonCode::kRowWithoutLabel;  // of the fault
};

LabelText label_in_json(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return {"", "its .json is no object"};
  for (const char* key : {"label", "class", "cls"}) {
    const auto found = json.find(key);
    if (found == json.end()) continue;
    if (found->is_number_integer()) return {found->dump(), ""};
    if (found->is_string()) return {found->get<std::string>(), ""};
    return {"", fmt::format("'{}' in its .json is no whole number and no text", key)};
  }
  return {"", "its .json has no 'label', 'class' or 'cls'"};
}

LabelText stated_label(const Row& row, const StoredFiles& files) {
  if (row.cls) {
    const std::optional<std::string> text = read_small_file(files, *row.cls, kMaxClsBytes);
    if (!text) return {"", "its .cls is too long"};
    const std::string_view label = trimmed(*text);
    return label.empty() ? LabelText{"", "its .cls is empty"} : LabelText{std::string(label), ""};
  }
  if (!row.json) return {"", "neither .cls nor .json beside it"};
  const std::optional<std::string> text = read_small_file(files, *row.json, kMaxJsonBytes);
  if (!text) return {"", "its .json is too long"};
  LabelText label = label_in_json(*text);
  if (label.label.empty() && label.fault.empty()) label.fault = "the label in its .json is empty";
  return label;
}

LabelText label_of(const Row& row, const StoredFiles& files) {
  LabelText label = stated_label(row, files);
  std::string fault = class_label_fault(label.label);
  if (fault.empty()) return label;
  return {"", std::move(fault), ReasonCode::kUnknownLabel};
}

struct LabelledPicture {
  std::uint32_t file_idx = 0;
  /// In the order in which labels are first met; nothing: without one, and kept so.
  std::optional<std::uint32_t> label_idx;
};

class Rows {
 public:
  Rows(StoredFiles& files, UnlabelledRows unlabelled, SourceScan& scan)
      : files_(files), unlabelled_(unlabelled), scan_(scan) {}

  void read() {
    each_row(files_.scan, [&](const Row& row) { add(row); });
    if (num_more_pictures_ > 0) {
      scan_.warnings.push_back(fmt::format(
          "rows of several pictures give their first; left out: {}", num_more_pictures_));
    }
  }

  const std::vector<LabelledPicture>& pictures() const { return pictures_; }
  /// By label_idx.
  const std::vector<std::string>& labels() const { return labels_; }

 private:
  void add(const Row& row) {
    if (!row.picture) return add_without_picture(row);
    num_more_pictures_ += row.more_pictures.size();
    for (const std::uint32_t file_idx : row.more_pictures) leave(file_idx);
    LabelText label = label_of(row, files_);
    if (!label.fault.empty()) {
      const bool lacks_label = label.reason == ReasonCode::kRowWithoutLabel;
      if (lacks_label && unlabelled_ == UnlabelledRows::kKept) {
        pictures_.push_back({*row.picture, std::nullopt});
        return;
      }
      return find(label.reason, *row.picture, std::move(label.fault));
    }
    const auto [at, is_new] =
        label_idxs_.emplace(label.label, static_cast<std::uint32_t>(labels_.size()));
    if (is_new) labels_.push_back(std::move(label.label));
    pictures_.push_back({*row.picture, at->second});
  }

  // Which of several pictures with names of their own is the row's, nobody can tell.
  void add_without_picture(const Row& row) {
    const std::string name = tools::printable(last_name(row.key));
    for (const std::uint32_t file_idx : row.more_pictures) {
      find(ReasonCode::kImageWithoutRow, file_idx,
           fmt::format("its row is called '{}', up to the first dot, and has no '{}.jpg'", name,
                       name));
    }
    for (const std::uint32_t file_idx : row.others) leave(file_idx);
    if (!row.cls && !row.json) return;
    if (!row.more_pictures.empty()) {
      for (const auto& file_idx : {row.cls, row.json}) {
        if (file_idx) leave(*file_idx);
      }
      return;
    }
    scan_.findings.push_back({.path = std::string(row.key),
                              .reason = ReasonCode::kRowWithoutImage,
                              .size_bytes = 0,
                              .detail = "a label without a picture"});
  }

  void leave(std::uint32_t file_idx) {
    const ScannedFile& file = files_.scan.files[file_idx];
    leave_outside(scan_, file.path, file.size_bytes);
  }

  void find(ReasonCode reason, std::uint32_t file_idx, std::string detail) {
    const ScannedFile& file = files_.scan.files[file_idx];
    scan_.findings.push_back({.path = file.path,
                              .reason = reason,
                              .size_bytes = file.size_bytes,
                              .detail = std::move(detail)});
  }

  StoredFiles& files_;
  UnlabelledRows unlabelled_;
  SourceScan& scan_;
  std::vector<LabelledPicture> pictures_;
  std::vector<std::string> labels_;
  std::map<std::string, std::uint32_t> label_idxs_;
  std::uint64_t num_more_pictures_ = 0;
};

// Classes, and which of them each label means; nothing for a label that none has.
struct Classes {
  std::vector<std::string> names;
  std::vector<std::optional<std::uint32_t>> class_idx_of_label;
  bool are_numbered = false;
};

Classes numbered_classes(const std::vector<std::uint32_t>& indices, const SourceRequest& request) {
  Classes classes{.names = {}, .class_idx_of_label = {}, .are_numbered = true};
  if (!request.class_names_file.empty()) {
    classes.names = names_by_index(read_class_names(request.class_names_file));
  } else {
    std::uint32_t num_classes = 0;
    for (const std::uint32_t class_idx : indices) {
      if (class_idx < kMaxNumberedClasses) num_classes = std::max(num_classes, class_idx + 1);
    }
    classes.names = numbered_class_names(num_classes);
  }
  for (const std::uint32_t class_idx : indices) {
    const bool is_known = class_idx < classes.names.size();
    classes.class_idx_of_label.push_back(is_known ? std::optional(class_idx) : std::nullopt);
  }
  return classes;
}

Classes named_classes(const std::vector<std::string>& labels) {
  const std::set<std::string> sorted(labels.begin(), labels.end());
  std::map<std::string, std::uint32_t> class_idxs;
  Classes classes;
  std::set<std::string> stored;
  for (const std::string& label : sorted) {
    class_idxs.emplace(label, static_cast<std::uint32_t>(classes.names.size()));
    classes.names.push_back(stored_class_name(label));
    if (stored.insert(classes.names.back()).second) continue;
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("classes: expected different names in the dataset, found two labels that "
                    "would both be '{}'",
                    classes.names.back()),
        "rename the label that is not UTF-8");
  }
  for (const std::string& label : labels)
    classes.class_idx_of_label.push_back(class_idxs.at(label));
  return classes;
}

Classes classes_of(const std::vector<std::string>& labels, const SourceRequest& request) {
  std::vector<std::uint32_t> indices;
  for (const std::string& label : labels) {
    const std::optional<std::uint32_t> class_idx = as_index(label);
    if (!class_idx) break;
    indices.push_back(*class_idx);
  }
  if (indices.size() == labels.size()) return numbered_classes(indices, request);
  return named_classes(labels);
}

}  // namespace

bool is_webdataset(const FolderScan& scan) {
  bool has_cls = false;
  bool has_pictures = false;
  bool has_bare_picture = false;
  const auto is_cls = [&](std::uint32_t file_idx) {
    return scan.files[file_idx].path.ends_with(".cls");
  };
  each_row(scan, [&](const Row& row) {
    if (!row.picture && row.more_pictures.empty()) return;
    has_cls = has_cls || row.cls || std::ranges::any_of(row.others, is_cls);
    if (!row.picture) return;
    has_pictures = true;
    has_bare_picture = has_bare_picture || !row.json;
  });
  return has_cls || (has_pictures && !has_bare_picture);
}

SourceScan scan_webdataset(StoredFiles files, const SourceRequest& request) {
  SourceScan scan;
  scan.description = "WebDataset rows";
  scan.settings = {{"layout", "webdataset"}};
  scan.findings = std::move(files.findings);
  hand_over_left_out(files.scan, scan);
  scan.files = std::move(files.read_files);
  Rows rows(files, request.unlabelled, scan);
  rows.read();
  if (rows.labels().empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("source: {}: expected rows of a picture and a label (1.jpg and 1.cls), "
                            "found none",
                            files.where),
                "see what the rows hold: tar -tf ARCHIVE (a row is called by all before the first "
                "dot: 0.jpg and 0.cls, not 0.image.jpg)");
  }
  Classes classes = classes_of(rows.labels(), request);
  if (classes.are_numbered) scan.settings.emplace("labels", "numbers");
  for (const LabelledPicture& picture : rows.pictures()) {
    const ScannedFile& file = files.scan.files[picture.file_idx];
    const std::optional<std::uint32_t> class_idx =
        picture.label_idx ? classes.class_idx_of_label[*picture.label_idx]
                          : std::optional(kUnlabelled);
    if (!class_idx) {
      scan.findings.push_back({.path = file.path,
                               .reason = ReasonCode::kUnknownLabel,
                               .size_bytes = file.size_bytes,
                               .detail = rows.labels()[*picture.label_idx]});
      continue;
    }
    const std::optional<SplitKind> split =
        split_in_path(files.store->archive_name(picture.file_idx));
    scan.pictures.add({.name = file.path,
                       .size_bytes = file.size_bytes,
                       .place = picture.file_idx,
                       .class_idx = *class_idx,
                       .split = split});
  }
  scan.class_names = std::move(classes.names);
  scan.source = pictures_of(std::move(files.store));
  return scan;
}

}  // namespace penstock::convert
