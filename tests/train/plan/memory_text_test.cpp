#include "train/plan/memory_text.h"

#include <boost/test/unit_test.hpp>

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(memory_text)

BOOST_AUTO_TEST_CASE(roles_are_told_apart_by_what_outlives_a_step) {
  const std::vector<RoleBytes> roles = {{.role = Role::kMaster, .num_buffers = 1, .bytes = 2048},
                                        {.role = Role::kState, .num_buffers = 1, .bytes = 1536},
                                        {.role = Role::kInput},
                                        {.role = Role::kSaved, .num_buffers = 2, .bytes = 10240}};
  BOOST_TEST(kept_text(roles) == "parameters 2.0 KiB, optimizer state 1.5 KiB");
  BOOST_TEST(passing_text(roles) == "saved activations 10.0 KiB");
  BOOST_TEST(passing_text(std::span<const RoleBytes>{}) == "nothing");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
