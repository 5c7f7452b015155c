#include "train/backend/cuda/cuda_module.h"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <iostream>

#include "tests/temporary_folder.h"

namespace penstock::train {
namespace {

/// Runs `check` when a device answers, else reports the skip with the reason.
template <class Check>
void with_device(const CudaModule& module, Check check) {
  if (module.has_device()) return check();
  std::cout << "SKIPPED: " << boost::unit_test::framework::current_test_case().p_name.get() << ": "
            << module.reason() << std::endl;
}

void check_zeroed_pages(const std::shared_ptr<HostMemory>& memory) {
  for (int round = 0; round < 3; ++round) {  // memory that comes back used must be zeroed too
    const HostBuffer buffer(memory, 3 * kPageBytes + 17);
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(buffer.data()) % kPageBytes == 0u);
    for (const std::byte byte : buffer.bytes()) BOOST_REQUIRE(byte == std::byte{0});
    std::memset(buffer.data(), 0xAB, buffer.size_bytes());
  }
}

BOOST_AUTO_TEST_SUITE(cuda_module)

BOOST_AUTO_TEST_CASE(the_module_loads_exactly_when_it_was_built) {
  const CudaModule module = CudaModule::open();
  BOOST_TEST(module.is_loaded() == (PENSTOCK_HAS_CUDA_MODULE == 1), module.reason());
  if (!module.is_loaded()) {
    BOOST_TEST(module.reason().find("libpenstock_cuda.so") != std::string::npos);
    BOOST_TEST(!module.has_device());
    return;
  }
  BOOST_TEST(module.versions().runtime >= 11000);
  BOOST_TEST(module.versions().cudnn >= 8000u);
  std::cout << "CUDA runtime " << module.versions().runtime << ", driver "
            << module.versions().driver << ", cuDNN " << module.versions().cudnn << ", devices "
            << module.device_names().size() << std::endl;
}

BOOST_AUTO_TEST_CASE(a_missing_device_has_a_reason_and_a_present_one_has_none) {
  const CudaModule module = CudaModule::open();
  BOOST_TEST(module.reason().empty() == module.has_device());
  for (const std::string& name : module.device_names()) BOOST_TEST(!name.empty());
}

BOOST_AUTO_TEST_CASE(the_memory_is_zeroed_pages_with_or_without_a_device) {
  const CudaModule module = CudaModule::open();
  const std::shared_ptr<HostMemory> memory = module.pinned_memory();
  BOOST_TEST(memory->kind() == (module.has_device() ? "pinned (cudaHostAlloc)" : "page-aligned"));
  check_zeroed_pages(memory);
}

BOOST_AUTO_TEST_CASE(without_a_module_the_memory_is_page_aligned_and_the_reason_names_the_file) {
  const tests::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "libpenstock_cuda.so";
  const CudaModule module = CudaModule::open_file(path);
  BOOST_TEST(!module.is_loaded());
  BOOST_TEST(module.reason().starts_with("CUDA module: " + path.string() +
                                         ": expected a module that loads, found: "),
             module.reason());
  BOOST_TEST((module.pinned_memory() == page_aligned_memory()));
}

BOOST_AUTO_TEST_CASE(a_module_of_another_version_is_refused) {
  const CudaModule module = CudaModule::open_file(FAKE_CUDA_wrong_version);
  BOOST_TEST(!module.is_loaded());
  BOOST_TEST(module.reason().ends_with(": expected version 4, found 5"), module.reason());
  BOOST_TEST((module.pinned_memory() == page_aligned_memory()));
}

BOOST_AUTO_TEST_CASE(a_library_without_the_entry_is_refused) {
  const CudaModule module = CudaModule::open_file(FAKE_CUDA_no_entry);
  BOOST_TEST(!module.is_loaded());
  BOOST_TEST(module.reason().find(": expected the function penstock_cuda_module, found: ") !=
                 std::string::npos,
             module.reason());
}

BOOST_AUTO_TEST_CASE(pinned_memory_is_allocated_where_a_device_answers) {
  const CudaModule module = CudaModule::open();
  with_device(module, [&] {
    const std::shared_ptr<HostMemory> memory = module.pinned_memory();
    BOOST_TEST(memory->kind() == "pinned (cudaHostAlloc)");
    check_zeroed_pages(memory);
    const HostBuffer large(memory, 64u << 20);
    BOOST_TEST((large.bytes()[large.size_bytes() - 1] == std::byte{0}));
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
