// A refusal as the tests of what a dataset is published over expect it.
#pragma once

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"

namespace penstock::tests {

/// For BOOST_CHECK_EXCEPTION: an error of this code, with a hint.
inline auto refused_as(ErrorCode code) {
  return [code](const Error& error) {
    BOOST_TEST(!error.hint().empty());
    return error.code() == code;
  };
}

}  // namespace penstock::tests
