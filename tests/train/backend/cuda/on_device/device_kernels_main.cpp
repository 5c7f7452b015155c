// The tests of the kernels on a device: the same sources as for the CPU, with memory that the device reaches.
#include <boost/test/unit_test.hpp>
#include <string_view>

#include "tests/train/backend/cuda/on_device/device_under_test.h"
#include "tests/train/backend/cuda/on_device/shared_heap.h"

namespace {

bool name_the_suite() {
  boost::unit_test::framework::master_test_suite().p_name.value = "penstock";
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  // What there is to run is told without a device.
  if (argc == 2 && std::string_view(argv[1]) == "--list_content") {
    return boost::unit_test::unit_test_main(&name_the_suite, argc, argv);
  }
  if (!penstock::tests::DeviceUnderTest::get().is_there("gpu_kernels")) return 0;
  penstock::tests::share_heap_with_device();
  return penstock::tests::run_on_shared_stack(
      [&] { return boost::unit_test::unit_test_main(&name_the_suite, argc, argv); });
}
