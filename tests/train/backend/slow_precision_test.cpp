// Whether bfloat16 is emulated. ctest runs the suite once more under the library's own limit of AVX-512 without
// BF16, where it must be; without the limit it depends on the machine.
#include "train/backend/slow_precision.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/contains.h"
#include "tests/train/has_bfloat16.h"

namespace penstock::train {
namespace {

struct UnderAvx512Core {
  boost::test_tools::assertion_result operator()(boost::unit_test::test_unit_id) const {
    const char* limit = std::getenv("ONEDNN_MAX_CPU_ISA");
    boost::test_tools::assertion_result result(limit != nullptr &&
                                               std::string_view(limit) == "AVX512_CORE");
    result.message() << "ONEDNN_MAX_CPU_ISA is not AVX512_CORE";
    return result;
  }
};

BOOST_AUTO_TEST_SUITE(slow_precision)

BOOST_AUTO_TEST_CASE(what_is_not_emulated_has_no_note) {
  BOOST_TEST(slow_precision_note("onednn", ComputeType::kFloat32).empty());
  BOOST_TEST(slow_precision_note("reference", ComputeType::kBfloat16).empty());
}

BOOST_AUTO_TEST_CASE(bfloat16_on_avx512_alone_is_said_to_be_emulated,
                     *boost::unit_test::precondition(tests::HasBfloat16()) *
                         boost::unit_test::precondition(UnderAvx512Core())) {
  const std::string note = slow_precision_note("onednn", ComputeType::kBfloat16);
  BOOST_TEST_INFO(note);
  BOOST_TEST(note.starts_with("bfloat16 is emulated, slower than float32: oneDNN "));
  BOOST_TEST(note.ends_with(", AVX-512, has no instructions for it (AVX512_BF16, AMX)"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
