// Whether a text holds a part; a check that fails shows the text.
#pragma once

#include <boost/test/unit_test.hpp>
#include <string>

namespace penstock::tests {

inline boost::test_tools::predicate_result contains(const std::string& text,
                                                    const std::string& part) {
  if (text.find(part) != std::string::npos) return true;
  boost::test_tools::predicate_result missing(false);
  missing.message() << "expected \"" << part << "\" in: " << text;
  return missing;
}

}  // namespace penstock::tests
