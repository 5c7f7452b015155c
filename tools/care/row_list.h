// quarantine.csv, fixed.csv and duplicates.csv of a dataset, read and written anew row by row.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "streamer/core/file.h"

namespace penstock::care {

/// The rows of a list behind its header, one at a time; none when there is no such file.
class RowListReader {
 public:
  explicit RowListReader(const std::filesystem::path& csv);
  /// Reads the next row, without its line feed; false behind the last. Throws Io.
  bool next(std::string& row);

 private:
  std::filesystem::path csv_;
  std::ifstream lines_;
};

/// Calls `visit` with each row behind the header, without its line feed; nothing when there is no such
/// file. Throws Io.
void for_each_row(const std::filesystem::path& csv,
                  const std::function<void(std::string_view row)>& visit);

/// The fields of a row as they stand there, quotes included.
std::vector<std::string_view> stored_fields(std::string_view row);

/// The name that a row begins with, not as lists write it: they are sorted by its bytes.
std::string name_of_row(std::string_view row);

/// A name as the lists write it.
std::string listed_name(std::string_view name);

/// Writes a list beside the one that is there, which publish() replaces whole. Not published, nothing of
/// it is left.
///
/// Memory  one block
class RowListWriter {
 public:
  RowListWriter(std::filesystem::path csv, std::string_view header);
  ~RowListWriter();
  RowListWriter(const RowListWriter&) = delete;
  RowListWriter& operator=(const RowListWriter&) = delete;

  /// A row without its line feed. Throws Io.
  void add(std::string_view row);
  std::uint64_t num_rows() const noexcept { return num_rows_; }
  /// Makes the list the one that is read; without a row there is none any more. Throws Io.
  void publish();

 private:
  void write();

  std::filesystem::path csv_;
  std::filesystem::path temporary_;
  UniqueFd file_;
  std::string block_;
  std::uint64_t written_bytes_ = 0;
  std::uint64_t num_rows_ = 0;
};

}  // namespace penstock::care
