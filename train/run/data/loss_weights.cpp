#include "train/run/data/loss_weights.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/memory_budget.h"
#include "streamer/core/number_text.h"
#include "streamer/core/quoted_text.h"
#include "streamer/shard/shard_file.h"

namespace penstock::train {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 30;
/// 1 / kLeast and the sum of 2^32 of kMost are far inside of float32.
constexpr double kLeast = 1e-9;
constexpr double kMost = 1e9;
constexpr const char* kHint = "a line for each sample: cat/1.jpg,0.5";

struct NamedWeight {
  std::string_view name;
  float weight = 1;
  std::uint32_t line = 0;
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::uint64_t size_of_lines(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    throw Error(ErrorCode::kNotFound,
                "loss_weights: " + path.native() + ": expected a file, found none",
                "name the CSV; a run goes on with the weights that it began with");
  }
  const std::uint64_t bytes = std::filesystem::file_size(path, ignored);
  return ignored ? 0 : bytes;  // reading it will say why
}

/// The lines of a file, by name.
class WeightLines {
 public:
  WeightLines(const std::filesystem::path& path, MemoryBudget& budget)
      : path_(path),
        text_share_(budget.draw(size_of_lines(path), "lines of loss_weights")),
        text_(read_text_file(path, kMaxFileBytes)) {
    reserve_rows(budget);
    std::string_view rest = text_;
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());
    for (std::uint32_t line = 1; !rest.empty(); ++line) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      add(trimmed(rest.substr(0, end)), line);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (rows_.empty()) refuse("expected lines NAME,WEIGHT, found none");
    std::ranges::sort(rows_, {}, [](const auto& row) { return std::pair(row.name, row.line); });
    check_once();
    was_met_.resize(rows_.size());
  }

  /// The weight of a sample of that name, which is now met.
  std::optional<float> meet(std::string_view name) {
    const auto found = std::ranges::lower_bound(rows_, name, {}, &NamedWeight::name);
    if (found == rows_.end() || found->name != name) return std::nullopt;
    was_met_[static_cast<std::size_t>(found - rows_.begin())] = true;
    return found->weight;
  }
  /// Throws for the first line whose name nobody has met.
  void check_all_met(const std::string& split) const {
    const NamedWeight* first = nullptr;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (!was_met_[i] && (first == nullptr || rows_[i].line < first->line)) first = &rows_[i];
    }
    if (first == nullptr) return;
    refuse_line(first->line,
                "the name of a sample of split " + split + ", as the dataset stores it",
                in_quotes(first->name));
  }
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorCode::kInvalidArgument, "loss_weights: " + path_.native() + ": " + what,
                kHint);
  }

 private:
  void reserve_rows(MemoryBudget& budget) {
    const auto num_feeds = static_cast<std::size_t>(std::ranges::count(text_, '\n'));
    const std::size_t num_lines = num_feeds + 1;
    row_share_ = budget.draw(num_lines * (sizeof(NamedWeight) + 1), "rows of loss_weights");
    rows_.reserve(num_lines);
  }

  [[noreturn]] void refuse_line(std::uint32_t line, const std::string& expected,
                                const std::string& found) const {
    refuse("line " + std::to_string(line) + ": expected " + expected + ", found " + found);
  }

  void add(std::string_view text, std::uint32_t line) {
    if (text.empty() || (line == 1 && text == "name,weight")) return;
    const std::size_t comma = text.rfind(',');
    if (comma == text.npos || comma == 0) refuse_line(line, "NAME,WEIGHT", in_quotes(text));
    rows_.push_back({.name = unquoted(text.substr(0, comma), line),
                     .weight = weight_of(trimmed(text.substr(comma + 1)), line),
                     .line = line});
  }

  // Not a number fails the comparisons.
  float weight_of(std::string_view text, std::uint32_t line) const {
    const std::optional<double> weight = parse_digits<double>(text);
    if (weight && *weight == 0) return 0;
    if (weight && *weight >= kLeast && *weight <= kMost) return static_cast<float>(*weight);
    refuse_line(line, "a weight of 0, or 1e-9 to 1e9", in_quotes(text));
  }

  /// As RFC 4180 says, but for names with line feeds. The name is written over the field's own bytes in text_.
  std::string_view unquoted(std::string_view field, std::uint32_t line) {
    if (!field.starts_with('"')) return field;
    std::string name;
    std::size_t i = 1;
    for (; i < field.size(); ++i) {
      const bool is_doubled = field.substr(i).starts_with("\"\"");
      if (field[i] == '"' && !is_doubled) break;
      name += field[i];
      i += is_doubled ? 1 : 0;
    }
    if (i + 1 != field.size())
      refuse_line(line, "a name that ends with its quote", in_quotes(field));
    name.copy(text_.data() + (field.data() - text_.data()), name.size());
    return field.substr(0, name.size());
  }

  // Sorted, those of one name stand in the order of their lines.
  void check_once() const {
    const NamedWeight* again = nullptr;
    const NamedWeight* before = nullptr;
    for (std::size_t i = 1; i < rows_.size(); ++i) {
      if (rows_[i].name != rows_[i - 1].name) continue;
      if (again != nullptr && again->line < rows_[i].line) continue;
      again = &rows_[i];
      before = &rows_[i - 1];
    }
    if (again == nullptr) return;
    refuse_line(again->line, "each name once",
                in_quotes(again->name) + " again, as on line " + std::to_string(before->line));
  }

  std::filesystem::path path_;
  BudgetShare text_share_;
  std::string text_;  // that names are in
  BudgetShare row_share_;
  std::vector<NamedWeight> rows_;
  std::vector<bool> was_met_;
};

[[noreturn]] void refuse_nameless(const DatasetSplit& split) {
  throw Error(
      ErrorCode::kInvalidArgument,
      "loss_weights: expected a dataset with the names of its samples, found none in split " +
          split.name(),
      "convert the pictures again without --no-names");
}

}  // namespace

std::string LossWeights::digest() const {
  if (!by_sample) return {};
  return hex(xxh3_64(std::as_bytes(std::span(*by_sample))));
}

LossWeights read_loss_weights(const std::filesystem::path& path, const DatasetSplit& split,
                              std::uint64_t limit_bytes) {
  if (path.empty()) return {};
  check_internal(split.subset_text().empty(), "weights for a part of a split");
  // A budget of its own: nothing of the run is drawn yet.
  MemoryBudget budget(limit_bytes);
  const BudgetShare share = budget.draw(split.num_samples() * sizeof(float), "loss_weights");
  WeightLines lines(path, budget);
  std::vector<float> weights(split.num_samples(), 1.0f);
  std::uint64_t num_named = 0;
  std::uint64_t first_id = 0;
  bool has_names = false;
  for (const DatasetSplit::ShardPart& part : split.shard_parts()) {
    if (part.num_samples == 0) continue;
    const std::vector<std::string> names = split.shard_of(first_id).read_names();
    has_names = has_names || !names.empty();
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::optional<float> weight = lines.meet(names[i]);
      if (!weight) continue;
      weights[first_id + i] = *weight;
      ++num_named;
    }
    first_id += part.num_samples;
  }
  if (!has_names) refuse_nameless(split);
  lines.check_all_met(split.name());
  if (std::ranges::all_of(weights, [](float weight) { return weight == 0; })) {
    lines.refuse("expected a sample of split " + split.name() + " above 0, found all at 0");
  }
  return {.by_sample = std::make_shared<const std::vector<float>>(std::move(weights)),
          .num_named = num_named};
}

}  // namespace penstock::train
