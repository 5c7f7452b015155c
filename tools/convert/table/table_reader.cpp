#include "tools/convert/table/table_reader.h"

#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "tools/convert/ascii_case.h"
#include "tools/convert/table/csv_table.h"
#include "tools/convert/table/json_lines_table.h"
#include "tools/convert/table/list_table.h"

namespace penstock::convert {
namespace {

bool is_object(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

// Under any name: labels.txt is often a CSV.
bool names_columns(std::string_view text, const TableRequest& request) {
  try {
    TextInput input(text, "");
    std::vector<std::string> header;
    if (!CsvReader(input, find_delimiter(text)).next(header) || header.size() < 2) return false;
    return find_column(ColumnRole::kPath, header, request.path_column, "") &&
           find_column(ColumnRole::kLabel, header, request.label_column, "");
  } catch (const Error&) {
    return false;  // a list may hold anything
  }
}

std::unique_ptr<TableReader> make_table(TextInput input, TableKind kind,
                                        const TableRequest& request) {
  switch (kind) {
    case TableKind::kCsv:
      return std::make_unique<CsvTable>(std::move(input), request);
    case TableKind::kJsonLines:
      return std::make_unique<JsonLinesTable>(std::move(input), request);
    case TableKind::kList:
      return std::make_unique<ListTable>(std::move(input));
  }
  return nullptr;
}

}  // namespace

TableKind find_table_kind(const std::filesystem::path& path, std::string_view first_bytes,
                          const TableRequest& request) {
  if (is_object(first_bytes)) return TableKind::kJsonLines;
  const std::string extension = ascii_lower(path.extension().native());
  if (extension == ".csv" || extension == ".tsv") return TableKind::kCsv;
  return names_columns(first_bytes, request) ? TableKind::kCsv : TableKind::kList;
}

std::unique_ptr<TableReader> open_table(const std::filesystem::path& path,
                                        const TableRequest& request) {
  TextInput input(path);
  const TableKind kind = find_table_kind(path, input.lookahead(), request);
  return make_table(std::move(input), kind, request);
}

std::unique_ptr<TableReader> open_table_text(std::string_view text, const std::string& where,
                                             TableKind kind, const TableRequest& request) {
  return make_table(TextInput(text, where), kind, request);
}

}  // namespace penstock::convert
