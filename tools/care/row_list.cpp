#include "tools/care/row_list.h"

#include <cerrno>
#include <span>
#include <system_error>
#include <utility>

#include "streamer/core/csv_field.h"
#include "streamer/core/error.h"
#include "tools/printed_text.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlockBytes = 64u << 10;

}  // namespace

RowListReader::RowListReader(const fs::path& csv) : csv_(csv) {
  if (!fs::exists(csv_)) return;
  lines_.open(csv_, std::ios::binary);
  std::string header;
  std::getline(lines_, header);
}

bool RowListReader::next(std::string& row) {
  if (!lines_.is_open()) return false;
  if (std::getline(lines_, row)) return true;
  if (!lines_.eof()) throw_io_error(EIO, "read to its end", tools::printable_path(csv_));
  return false;
}

void for_each_row(const fs::path& csv, const std::function<void(std::string_view)>& visit) {
  RowListReader rows(csv);
  for (std::string row; rows.next(row);) visit(row);
}

std::vector<std::string_view> stored_fields(std::string_view row) {
  std::vector<std::string_view> fields;
  bool is_quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i] == '"') is_quoted = !is_quoted;  // a doubled one does so twice
    if (row[i] != ',' || is_quoted) continue;
    fields.push_back(row.substr(begin, i - begin));
    begin = i + 1;
  }
  fields.push_back(row.substr(begin));
  return fields;
}

std::string name_of_row(std::string_view row) {
  std::string_view field = stored_fields(row).front();
  std::string text;
  if (field.starts_with('"')) field = field.substr(1, field.size() - 2);
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '"') ++i;  // doubled
    text += field[i];
  }
  return tools::text_from_printed(text).value_or(text);
}

std::string listed_name(std::string_view name) {
  return csv_field(tools::printable(std::string(name)));
}

RowListWriter::RowListWriter(fs::path csv, std::string_view header)
    : csv_(std::move(csv)), temporary_(csv_), block_(header) {
  temporary_ += ".tmp";
  fs::remove(temporary_);  // left behind by a process that died
  file_ = create_new_file(temporary_);
}

RowListWriter::~RowListWriter() {
  std::error_code ignored;  // a destructor has nobody to tell
  fs::remove(temporary_, ignored);
}

void RowListWriter::add(std::string_view row) {
  block_ += row;
  block_ += '\n';
  ++num_rows_;
  if (block_.size() >= kBlockBytes) write();
}

void RowListWriter::publish() {
  write();
  if (num_rows_ > 0) {
    sync_file(file_, temporary_);
    publish_by_rename(temporary_, csv_);
    return;
  }
  fs::remove(csv_);
  sync_folder(csv_.parent_path());
}

void RowListWriter::write() {
  write_at(file_, written_bytes_, std::as_bytes(std::span(block_)), temporary_);
  written_bytes_ += block_.size();
  block_.clear();
}

}  // namespace penstock::care
