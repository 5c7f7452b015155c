// The main of every test program: what BOOST_TEST_MODULE would make of a header that is precompiled
// without it.
#include <boost/test/unit_test.hpp>

namespace {

bool name_the_suite() {
  boost::unit_test::framework::master_test_suite().p_name.value = "penstock";
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  return boost::unit_test::unit_test_main(&name_the_suite, argc, argv);
}
