// duplicates.csv of a dataset whose names hold no commas, quotes or line feeds.
#pragma once

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "streamer/core/file.h"

namespace penstock::tests {

/// Its rows by field: path, reason, split, class, bytes, other_path, other_split, other_class, distance,
/// fate.
inline std::vector<std::vector<std::string>> copy_rows(const std::filesystem::path& dataset) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream text(read_text_file(dataset / "duplicates.csv"));
  std::string line;
  std::getline(text, line);
  BOOST_TEST(line ==
             "path,reason,split,class,bytes,other_path,other_split,other_class,distance,fate");
  while (std::getline(text, line)) {
    std::istringstream fields(line);
    rows.emplace_back();
    for (std::string field; std::getline(fields, field, ',');) rows.back().push_back(field);
    BOOST_REQUIRE(rows.back().size() == 10u);
  }
  return rows;
}

}  // namespace penstock::tests
