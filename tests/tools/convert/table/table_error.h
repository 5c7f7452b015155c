// A table that is refused: what it says, and that it says what to do.
#pragma once

#include <boost/test/unit_test.hpp>
#include <string>

#include "streamer/core/error.h"

namespace penstock::tests {

inline auto table_error(ErrorCode code, const std::string& message) {
  return [=](const Error& error) {
    BOOST_TEST(error.what() == message);
    BOOST_TEST(!error.hint().empty());
    return error.code() == code;
  };
}

}  // namespace penstock::tests
