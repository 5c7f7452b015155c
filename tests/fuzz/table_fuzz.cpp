// The fuzz target of tables of pictures: CSV, JSON lines, lists, class names. The first byte says which,
// the rest is the text.
//
// An input may be refused with CorruptData or InvalidArgument and a hint, nothing else; no path leads out
// of the folder; a row in order has a class; records written again are read as the same ones.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "streamer/core/error.h"
#include "tests/allocation_ceiling.h"
#include "tests/fuzz/fuzz_target.h"
#include "tools/convert/source/class_name_file.h"
#include "tools/convert/source/row_match.h"
#include "tools/convert/source/row_path.h"
#include "tools/convert/table/csv_reader.h"

namespace penstock::fuzz {
namespace {

using namespace penstock::convert;

enum class Kind : std::uint8_t { kCsv, kJsonLines, kList, kClassNames, kNumKinds };

const FolderScan& folder() {
  static const FolderScan scan = [] {
    FolderScan files;
    for (const char* path : {"a b/1.jpg", "cat/1.jpg", "cat/2.png", "cat/2.webp", "dog/3.JPG"}) {
      files.files.push_back({path, 10});
    }
    return files;
  }();
  return scan;
}

void check_path(const std::string& path) {
  demand(!path.empty() && path.front() != '/', "a path is relative");
  const std::string names = '/' + path + '/';
  for (const char* bad : {"/../", "/./", "//"}) {
    demand(names.find(bad) == std::string::npos, "a path has plain names");
  }
}

void check_rows(std::string_view text, TableKind kind) {
  const auto table = open_table_text(text, "input", kind, {});
  for (TableRow row; table->next(row);) {
    demand(row.path.size() <= text.size() && row.label.size() <= text.size(), "fields of the text");
    for (const RowPath& one : row_paths(row, kind)) check_path(one.path);
  }
}

void match(std::string_view text, TableKind kind, UnlabelledRows unlabelled) {
  const auto table = open_table_text(text, "input", kind, {});
  const RowMatch found = match_rows(folder(), *table, unlabelled, "input", {});
  demand(std::ranges::is_sorted(found.class_names), "classes are sorted");
  demand(std::ranges::adjacent_find(found.class_names) == found.class_names.end(),
         "classes have different names");
  std::uint64_t num_taken = 0;
  for (const RowOfFile& file : found.files) {
    num_taken += file.has_row ? 1 : 0;
    const bool has_class = file.class_idx != kUnlabelled;
    demand(!has_class || file.class_idx < found.class_names.size(), "a class of the list");
    demand(!file.is_picture || has_class || unlabelled == UnlabelledRows::kKept, "a class");
  }
  demand(num_taken <= found.num_rows, "a row for a file");
  demand(found.findings.size() <= found.num_rows, "a row is listed once");
}

void rewrite_csv(std::string_view text) {
  const char delimiter = find_delimiter(text);
  TextInput input(text, "input");
  CsvReader reader(input, delimiter);
  std::vector<std::vector<std::string>> records;
  std::string written;
  for (std::vector<std::string> record; reader.next(record);) {
    for (std::size_t i = 0; i < record.size(); ++i) {
      written += (i == 0 ? "\"" : ",\"");
      for (const char c : record[i]) written += c == '"' ? std::string("\"\"") : std::string(1, c);
      written += '"';
    }
    written += '\n';
    records.push_back(record);
  }
  TextInput again(written, "again");
  CsvReader second(again, ',');
  std::size_t num_records = 0;
  for (std::vector<std::string> record; second.next(record); ++num_records) {
    demand(num_records < records.size() && record == records[num_records],
           "the same records again");
  }
  demand(num_records == records.size(), "as many records again");
}

void rename(std::string_view text) {
  const ClassNameFile file = read_class_names(TextInput(text, "input"));
  SourceScan scan;
  scan.class_names = {"0", "2", "cat", "n01440764"};
  for (std::uint32_t i = 0; i < scan.class_names.size(); ++i) {
    scan.pictures.add({.name = scan.class_names[i], .class_idx = i, .split = std::nullopt});
  }
  rename_classes(scan, file);
  for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
    demand(scan.pictures[i].class_idx < scan.class_names.size(), "a class of the list");
  }
}

template <class Action>
void run(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    demand(error.code() == ErrorCode::kCorruptData || error.code() == ErrorCode::kInvalidArgument,
           error.what());
    demand(!error.hint().empty(), "a refusal has a hint");
  }  // anything else, std::bad_alloc too, ends the process
}

Input seed_of(Kind kind, std::string_view text) {
  Input seed = {static_cast<std::uint8_t>(kind)};
  seed.insert(seed.end(), text.begin(), text.end());
  return seed;
}

}  // namespace

const char* target_name() {
  return "table_fuzz";
}

std::vector<Input> target_seeds() {
  return {
      seed_of(Kind::kCsv,
              "path,label,split\ncat/1.jpg,cat,train\n\"a b/1.jpg\",\"d\"\"og\",val\r\n"),
      seed_of(Kind::kCsv, "\xEF\xBB\xBFid;class\ncat/2;cat\n../x;dog\ndog/3;\n"),
      seed_of(Kind::kJsonLines,
              "{\"path\": \"cat/1.jpg\", \"label\": 3, \"split\": \"test\"}\n"
              "{\"path\": \"dog/3\", \"label\": \"\\u00e4\"}\n"),
      seed_of(Kind::kList, "cat/1.jpg\na b/1.jpg 7\ndog/3.JPG\tdog\n"),
      seed_of(Kind::kClassNames, "0,ant\n2,bee\n1,cat\n"),
      seed_of(Kind::kClassNames, "n01440764 tench, Tinca tinca\nn01443537 goldfish\n"),
      seed_of(Kind::kClassNames, "ant\nbee\ncow\ncat\nn01440764\n"),
      seed_of(Kind::kClassNames, "key,name\n0,a\n2,b\ncat,c\nn01440764,\"d, e\"\n"),
  };
}

}  // namespace penstock::fuzz

using namespace penstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  // No piece is longer than the text; vectors of fields and rows grow by doubling, 32 bytes an element.
  const tests::AllocationCeiling ceiling(128 * size + 65536);
  const auto kind = static_cast<fuzz::Kind>((data[0] & ~fuzz::kUnsealed) %
                                            static_cast<std::uint8_t>(fuzz::Kind::kNumKinds));
  if (kind == fuzz::Kind::kClassNames) {
    fuzz::run([&] { fuzz::rename(text); });
    return 0;
  }
  const auto table = static_cast<convert::TableKind>(kind);
  fuzz::run([&] { fuzz::check_rows(text, table); });
  for (const auto unlabelled :
       {convert::UnlabelledRows::kQuarantined, convert::UnlabelledRows::kKept}) {
    fuzz::run([&] { fuzz::match(text, table, unlabelled); });
  }
  if (kind == fuzz::Kind::kCsv) fuzz::run([&] { fuzz::rewrite_csv(text); });
  return 0;
}
