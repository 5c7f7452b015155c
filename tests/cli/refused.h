// What every command says when it refuses: one line, one hint, an exit code.
#pragma once

#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/cli/run_command.h"

namespace penstock::tests {

/// One line `penstock: message`, one line `hint: hint`, and nothing else.
inline void check_refused(const CommandResult& result, int exit_code, const std::string& message,
                          const std::string& hint) {
  BOOST_TEST(result.exit_code == exit_code);
  BOOST_TEST(result.out == "");
  BOOST_TEST(result.err == "penstock: " + message + "\nhint: " + hint + "\n");
}

/// The same when only a part of the message is known beforehand.
inline void check_refused_with(const CommandResult& result, int exit_code,
                               const std::string& part) {
  BOOST_TEST(result.exit_code == exit_code);
  BOOST_TEST_CONTEXT(result.err) {
    BOOST_TEST(result.err.rfind("penstock: ", 0) == 0u);
    BOOST_TEST(result.err.find(part) != std::string::npos);
    const std::size_t hint = result.err.find("\nhint: ");
    BOOST_REQUIRE(hint != std::string::npos);
    BOOST_TEST(result.err.find('\n') == hint);  // one line before it
    BOOST_TEST(result.err.find('\n', hint + 1) == result.err.size() - 1);
  }
}

}  // namespace penstock::tests
