// Precondition of cases in bfloat16: elsewhere they are reported as skipped.
#pragma once

#include <boost/test/unit_test.hpp>

#include "train/backend/onednn/onednn_shim.h"

namespace penstock::train::tests {

struct HasBfloat16 {
  boost::test_tools::assertion_result operator()(boost::unit_test::test_unit_id) const {
    boost::test_tools::assertion_result result(
        onednn::OneDnn().computes_in(ComputeType::kBfloat16));
    result.message() << "no bfloat16 here: " << onednn::OneDnn::description();
    return result;
  }
};

}  // namespace penstock::train::tests
