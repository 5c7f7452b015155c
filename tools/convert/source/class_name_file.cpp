#include "tools/convert/source/class_name_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "streamer/shard/shard_format.h"
#include "tools/convert/ascii_case.h"
#include "tools/convert/source/class_names.h"
#include "tools/convert/source/dataset_layout.h"
#include "tools/convert/table/csv_reader.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

using tools::printable;

enum class Form { kKeyAndName, kSynset, kNameAlone };

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// WordNet's offsets as ImageNet writes them: n and eight digits.
bool is_synset(std::string_view text) {
  return text.size() == 9 && text[0] == 'n' && is_number(text.substr(1));
}

Form form_of(std::string_view line) {
  if (is_synset(line.substr(0, 9)) && line.size() > 9 && line[9] == ' ') return Form::kSynset;
  bool is_quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') is_quoted = !is_quoted;
    if (is_quoted) continue;
    const bool is_comma = line[i] == ',' && i + 1 < line.size() && line[i + 1] != ' ';
    if (is_comma || line[i] == ';' || line[i] == '\t') return Form::kKeyAndName;
  }
  return Form::kNameAlone;
}

bool is_header(const ClassName& first) {
  const std::string name = ascii_lower(first.name);
  return name == "name" || name == "class_name" || name == "class" || name == "label" ||
         name == "words" || name == "description";
}

class Reader {
 public:
  explicit Reader(TextInput input) : input_(std::move(input)) { file_.where = input_.name(); }

  ClassNameFile run() {
    const std::string_view start = input_.lookahead();
    const std::string_view first_line = start.substr(0, start.find_first_of("\r\n"));
    switch (form_of(first_line)) {
      case Form::kKeyAndName:
        read_pairs(find_delimiter(first_line));
        break;
      case Form::kSynset:
        read_lines(Form::kSynset, [](std::string_view line) {
          const std::size_t space = std::min(line.find(' '), line.size());
          return std::pair(line.substr(0, space), line.substr(std::min(space + 1, line.size())));
        });
        break;
      case Form::kNameAlone:
        read_lines(Form::kNameAlone, [this](std::string_view line) {
          key_ = std::to_string(file_.names.size());
          return std::pair(std::string_view(key_), line);
        });
    }
    if (file_.names.empty()) {
      throw_bad_table(file_.where, "expected names of classes, found none",
                      "key,name on each line");
    }
    file_.is_by_index =
        std::ranges::all_of(file_.names, [](const ClassName& one) { return is_number(one.key); });
    return std::move(file_);
  }

 private:
  template <class Parts>
  void read_lines(Form form, const Parts& parts) {
    std::string line;
    while (true) {
      const std::uint64_t number = input_.line();
      if (!input_.read_line(line)) return;
      if (line.empty()) {
        if (first_empty_ == 0) first_empty_ = number;
        continue;
      }
      // Its place is a name's number: passed over, those behind it would be other classes.
      if (form == Form::kNameAlone && first_empty_ != 0) {
        throw_bad_table(input_.where(first_empty_), "expected a name, found an empty line",
                        "one name a line, or lines such as 0,cat");
      }
      const auto [key, name] = parts(line);
      add({std::string(key), std::string(name), number});
    }
  }

  void read_pairs(char delimiter) {
    CsvReader records(input_, delimiter);
    bool is_first = true;
    for (std::vector<std::string> fields; records.next(fields); is_first = false) {
      if (!records.fault().empty()) {
        throw_bad_table(input_.where(records.line()), records.fault(), "key,name on each line");
      }
      if (fields.size() != 2) {
        throw_bad_table(input_.where(records.line()),
                        fmt::format("expected a key and a name, found {} fields", fields.size()),
                        "a name that holds the delimiter stands in quotes");
      }
      ClassName one{fields[0], fields[1], records.line()};
      if (!is_first || !is_header(one)) add(std::move(one));
    }
  }

  void add(ClassName one) {
    const std::string where = input_.where(one.line);
    one.name = stored_class_name(one.name);
    if (one.key.empty() || one.name.empty()) {
      throw_bad_table(where, "expected a key and a name, found an empty one", "key,name");
    }
    if (is_number(one.key))
      one.key.erase(0, std::min(one.key.find_first_not_of('0'), one.key.size() - 1));
    if (file_.names.size() == kMaxClasses || one.name.size() > kMaxClassNameBytes) {
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format("table: {}: expected at most {} classes with names of {} bytes, found "
                      "more",
                      where, kMaxClasses, kMaxClassNameBytes),
          "key,name on each line");
    }
    const auto [at, is_new] = line_of_.emplace(one.key, one.line);
    if (!is_new) {
      throw_bad_table(where,
                      fmt::format("expected each key once, found '{}' as on line {}",
                                  printable(one.key), at->second),
                      "which of the two is meant?");
    }
    file_.names.push_back(std::move(one));
  }

  TextInput input_;
  ClassNameFile file_;
  std::string key_;
  std::uint64_t first_empty_ = 0;  // line
  std::unordered_map<std::string, std::uint64_t> line_of_;
};

std::string where_of_class(const SourceScan& scan, std::size_t class_idx) {
  return class_idx < scan.class_where.size() ? scan.class_where[class_idx] + ": " : "";
}

[[noreturn]] void refuse_unknown(const SourceScan& scan, std::size_t class_idx,
                                 const ClassNameFile& file) {
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("classes: {}expected a class that {} knows, found '{}'",
                          where_of_class(scan, class_idx), file.where,
                          printable(scan.class_names[class_idx])),
              "add a line for it, or correct the label");
}

[[noreturn]] void refuse_twins(const ClassNameFile& file, std::uint64_t line,
                               const std::string& name) {
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("classes: {}:{}: expected different names, found a second '{}'",
                          file.where, line, printable(name)),
              "make the names different: two classes must not become one by chance");
}

// Puts the classes of the scan in the places that `new_idx` says.
void replace_classes(SourceScan& scan, std::vector<std::string> names,
                     const std::vector<std::uint32_t>& new_idx) {
  for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
    const std::uint32_t class_idx = scan.pictures[i].class_idx;
    if (class_idx != kUnlabelled) scan.pictures.set_class(i, new_idx[class_idx]);
  }
  scan.class_names = std::move(names);
  scan.class_where.clear();
}

std::vector<const ClassName*> in_order_of_numbers(const ClassNameFile& file) {
  std::vector<const ClassName*> order;
  for (const ClassName& one : file.names) order.push_back(&one);
  // Without leading zeros the longer number is the larger one.
  std::ranges::sort(order, [](const ClassName* a, const ClassName* b) {
    return a->key.size() != b->key.size() ? a->key.size() < b->key.size() : a->key < b->key;
  });
  return order;
}

void rename_by_index(SourceScan& scan, const ClassNameFile& file) {
  std::unordered_map<std::string_view, std::uint32_t> by_name;
  std::unordered_map<std::string_view, std::uint32_t> by_key;
  std::vector<std::string> names;
  for (const ClassName* const one : in_order_of_numbers(file)) {
    const auto idx = static_cast<std::uint32_t>(names.size());
    if (!by_name.emplace(one->name, idx).second) refuse_twins(file, one->line, one->name);
    by_key.emplace(one->key, idx);
    names.push_back(one->name);
  }
  std::vector<std::uint32_t> new_idx;
  for (std::size_t i = 0; i < scan.class_names.size(); ++i) {
    std::string_view label = scan.class_names[i];
    auto found = by_name.find(label);
    if (found == by_name.end() && is_number(label)) {
      label.remove_prefix(std::min(label.find_first_not_of('0'), label.size() - 1));
      found = by_key.find(label);
      if (found == by_key.end()) refuse_unknown(scan, i, file);
    } else if (found == by_name.end()) {
      refuse_unknown(scan, i, file);
    }
    new_idx.push_back(found->second);
  }
  replace_classes(scan, std::move(names), new_idx);
}

void rename_by_key(SourceScan& scan, const ClassNameFile& file) {
  std::unordered_map<std::string_view, const ClassName*> by_key;
  for (const ClassName& one : file.names) by_key.emplace(one.key, &one);
  std::vector<const ClassName*> found;
  for (std::size_t i = 0; i < scan.class_names.size(); ++i) {
    const auto at = by_key.find(scan.class_names[i]);
    if (at == by_key.end()) refuse_unknown(scan, i, file);
    found.push_back(at->second);
  }
  std::vector<std::uint32_t> order(found.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::sort(
      order, [&](std::uint32_t a, std::uint32_t b) { return found[a]->name < found[b]->name; });
  std::vector<std::uint32_t> new_idx(order.size());
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    const ClassName& one = *found[order[i]];
    if (i > 0 && names.back() == one.name) refuse_twins(file, one.line, one.name);
    names.push_back(one.name);
    new_idx[order[i]] = i;
  }
  replace_classes(scan, std::move(names), new_idx);
}

}  // namespace

ClassNameFile read_class_names(const std::filesystem::path& path) {
  return read_class_names(TextInput(path));
}

ClassNameFile read_class_names(TextInput input) {
  return Reader(std::move(input)).run();
}

std::vector<std::string> names_by_index(const ClassNameFile& file) {
  const auto refuse = [&](const std::string& expected_and_found) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("classes: {}: expected {}", file.where, expected_and_found),
                "write one name a line, or lines such as 0,cat");
  };
  if (!file.is_by_index) {
    refuse(fmt::format("whole numbers before the names of labels that are numbers, found '{}'",
                       printable(file.names.front().key)));
  }
  if (file.names.size() > kMaxNumberedClasses) {
    refuse(fmt::format("at most {} names, found {}", kMaxNumberedClasses, file.names.size()));
  }
  std::vector<std::string> names;
  std::unordered_set<std::string_view> seen;
  for (const ClassName* const one : in_order_of_numbers(file)) {
    if (one->key != std::to_string(names.size())) {
      refuse(fmt::format("a name for every index, found none for {}", names.size()));
    }
    if (!seen.insert(one->name).second) refuse_twins(file, one->line, one->name);
    names.push_back(one->name);
  }
  return names;
}

void rename_classes(SourceScan& scan, const ClassNameFile& file) {
  if (file.is_by_index) {
    rename_by_index(scan, file);
  } else {
    rename_by_key(scan, file);
  }
  scan.settings["class_names"] = file.is_by_index ? "by index" : "by key";
}

}  // namespace penstock::convert
