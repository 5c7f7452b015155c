// The onednn backend on narrower processors than this one: ctest runs this program's comparisons once more
// under the library's own limit, ONEDNN_MAX_CPU_ISA. With AVX2 the own kernels heed it too. Without a limit the
// cases are skipped.
#include <hwy/targets.h>

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "streamer/core/error.h"
#include "tests/train/backend/odd_models.h"
#include "tests/train/has_bfloat16.h"
#include "train/backend/onednn/onednn_backend.h"

namespace penstock::train {
namespace {

bool is_limited_to(std::string_view isa) {
  const char* limit = std::getenv("ONEDNN_MAX_CPU_ISA");
  return limit != nullptr && limit == isa;
}

/// Highway's targets that are better than AVX2 have lower bits.
constexpr std::int64_t kBeyondAvx2 = HWY_AVX2 - 1;

/// The library's limit does not reach the kernels that Highway dispatches.
struct OwnKernelsUnderLimit {
  OwnKernelsUnderLimit() {
    if (is_limited_to("AVX2")) hwy::DisableTargets(kBeyondAvx2);
  }
};
BOOST_TEST_GLOBAL_FIXTURE(OwnKernelsUnderLimit);

struct Under {
  std::string_view isa;

  boost::test_tools::assertion_result operator()(boost::unit_test::test_unit_id) const {
    boost::test_tools::assertion_result result(is_limited_to(isa));
    result.message() << "ONEDNN_MAX_CPU_ISA is not " << isa;
    return result;
  }
};

BOOST_AUTO_TEST_SUITE(narrow_isa)

BOOST_AUTO_TEST_SUITE(avx2, *boost::unit_test::precondition(Under{"AVX2"}))

BOOST_AUTO_TEST_CASE(own_kernels_are_taken_from_no_wider_set) {
  BOOST_TEST((hwy::SupportedTargets() & kBeyondAvx2) == 0);
}

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

BOOST_AUTO_TEST_SUITE(avx512, *boost::unit_test::precondition(Under{"AVX512_CORE"}))

// The library computes in bfloat16 there, by instructions for float32.
BOOST_AUTO_TEST_CASE(bfloat16_is_computed_without_instructions_for_it,
                     *boost::unit_test::precondition(tests::HasBfloat16())) {
  const auto backend = make_onednn_backend({.num_threads = 1});
  const auto program =
      backend->lower(strided_model(), {.batch = 2, .compute = ComputeType::kBfloat16});
  const std::string text = program->explain();
  BOOST_TEST_INFO(text);
  BOOST_TEST(text.find("avx512") != std::string::npos);
  BOOST_TEST(text.find("amx") == std::string::npos);
  BOOST_TEST(text.find("avx512_core_bf16") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
