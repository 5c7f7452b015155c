// The onednn backend where its library may use no more than AVX2: ctest runs this suite, and the twin's, once
// more under the library's own limit. Without it the cases are skipped.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <string_view>

#include "streamer/core/error.h"
#include "tests/train/backend/odd_models.h"
#include "train/backend/onednn/onednn_backend.h"

namespace penstock::train {
namespace {

struct UnderAvx2 {
  boost::test_tools::assertion_result operator()(boost::unit_test::test_unit_id) const {
    const char* limit = std::getenv("ONEDNN_MAX_CPU_ISA");
    boost::test_tools::assertion_result result(limit != nullptr &&
                                               std::string_view(limit) == "AVX2");
    result.message() << "ONEDNN_MAX_CPU_ISA is not AVX2";
    return result;
  }
};

BOOST_AUTO_TEST_SUITE(narrow_isa, *boost::unit_test::precondition(UnderAvx2()))

BOOST_AUTO_TEST_CASE(bfloat16_is_refused_with_the_reason_and_a_way_out) {
  const auto backend = make_onednn_backend({.num_threads = 1});
  const ModelGraph graph = strided_model();
  BOOST_CHECK_EXCEPTION(
      backend->lower(graph, {.batch = 2, .compute = ComputeType::kBfloat16}), Error,
      [](const Error& error) {
        const std::string_view text = error.what();
        BOOST_TEST_INFO(text);
        return error.code() == ErrorCode::kUnsupported && error.hint() == "--precision float32" &&
               text.starts_with(
                   "backend: onednn: expected a processor with AVX-512 for bfloat16, found "
                   "oneDNN ") &&
               text.ends_with(", AVX2");
      });
}

BOOST_AUTO_TEST_CASE(float32_is_computed) {
  const auto backend = make_onednn_backend({.num_threads = 1});
  const auto program = backend->lower(strided_model(), {.batch = 2});
  BOOST_TEST(program->explain().find("avx512") == std::string::npos);
  BOOST_TEST(program->explain().find("avx2") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
