// The main of every test program comes from Boost.Test.
#define BOOST_TEST_MODULE penstock
#include <boost/test/unit_test.hpp>
