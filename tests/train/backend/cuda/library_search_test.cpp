#include "train/backend/cuda/library_search.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "train/backend/cuda/cuda_module.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using tests::TemporaryFolder;

// A variable of the environment for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (before_.empty()) {
      unsetenv(name_);
    } else {
      setenv(name_, before_.c_str(), 1);
    }
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::string before_;
};

std::vector<std::string> below(const fs::path& root, const std::vector<fs::path>& folders) {
  std::vector<std::string> names;
  for (const fs::path& folder : folders) names.push_back(folder.lexically_relative(root).native());
  return names;
}

BOOST_AUTO_TEST_SUITE(library_search)

BOOST_AUTO_TEST_CASE(named_folders_are_divided_by_colons) {
  const std::vector<fs::path> expected = {"/a", "b/c", "/d"};
  BOOST_TEST((named_library_folders({.named = "/a:b/c::/d:"}) == expected));
  BOOST_TEST(named_library_folders({.named = ""}).empty());
}

BOOST_AUTO_TEST_CASE(python_packages_come_from_the_nearest_place_and_the_newest_python) {
  const TemporaryFolder root;
  for (const char* folder : {"env/lib/python3.9/site-packages/nvidia/cudnn/lib",
                             "env/lib/python3.11/site-packages/nvidia/cudnn/lib",
                             "env/lib/python3.11/site-packages/nvidia/cublas/lib",
                             "env/lib/python3.11/site-packages/nvidia/no_library/include",
                             "env/lib/pythonic/site-packages/nvidia/cudnn/lib",
                             "home/.local/lib/python3.12/site-packages/nvidia/cu13/lib",
                             "local/lib/python3.12/dist-packages/nvidia/cudnn/lib",
                             "usr/lib/python3/dist-packages/nvidia/cudnn/lib"}) {
    fs::create_directories(root.path() / folder);
  }
  LibraryPlaces places{.named = "",
                       .virtual_env = root.path() / "env",
                       .home = root.path() / "home",
                       .prefixes = {root.path() / "local", root.path() / "usr"}};
  const std::vector<std::string> expected = {
      "env/lib/python3.11/site-packages/nvidia/cublas/lib",
      "env/lib/python3.11/site-packages/nvidia/cudnn/lib",
      "env/lib/python3.9/site-packages/nvidia/cudnn/lib",
      "home/.local/lib/python3.12/site-packages/nvidia/cu13/lib",
      "local/lib/python3.12/dist-packages/nvidia/cudnn/lib",
      "usr/lib/python3/dist-packages/nvidia/cudnn/lib"};
  BOOST_TEST(below(root.path(), python_library_folders(places)) == expected,
             boost::test_tools::per_element());
  places = {.named = "", .prefixes = {root.path() / "nowhere"}};
  BOOST_TEST(python_library_folders(places).empty());
}

// Every program of ours asks for the C library, and none for cuDNN.
BOOST_AUTO_TEST_CASE(needed_libraries_are_read_from_the_file) {
  const std::vector<std::string> needed = needed_libraries("/proc/self/exe");
  BOOST_TEST(std::ranges::count(needed, "libc.so.6") == 1);
  BOOST_TEST(std::ranges::count(needed, "libcudnn.so.9") == 0);
  const std::vector<std::string> of_module = needed_libraries(FAKE_CUDA_needy_python);
  BOOST_TEST(std::ranges::count(of_module, "libfake_cuda_dependency_python.so") == 1);
}

BOOST_AUTO_TEST_CASE(files_that_are_cut_or_no_libraries_need_nothing) {
  const TemporaryFolder folder;
  std::string bytes;
  {
    std::ifstream file(FAKE_CUDA_needy_python, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
  }
  const std::size_t num_needed = needed_libraries(FAKE_CUDA_needy_python).size();
  const fs::path cut = folder.path() / "cut.so";
  for (std::size_t size = 0; size < bytes.size(); size += size < 1024 ? 1 : 499) {
    std::ofstream(cut, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(size));
    BOOST_TEST(needed_libraries(cut).size() <= num_needed);  // whatever is left of it
  }
  std::ofstream(cut) << "#!/bin/sh\n";
  BOOST_TEST(needed_libraries(cut).empty());
  BOOST_TEST(needed_libraries(folder.path() / "nothing").empty());
}

// The message without an entry is that of a module that loads.
constexpr const char* kLoads = "expected the function penstock_cuda_module";

BOOST_AUTO_TEST_CASE(a_module_finds_its_library_in_a_python_package) {
  const TemporaryFolder folder;
  const fs::path package =
      folder.path() / "lib" / "python3.12" / "site-packages" / "nvidia" / "cudnn" / "lib";
  fs::create_directories(package);
  const Variable environment("VIRTUAL_ENV", folder.path());
  BOOST_TEST(
      tests::contains(CudaModule::open_file(FAKE_CUDA_needy_python).reason(),
                      "expected a module that loads, found: libfake_cuda_dependency_python.so: "));
  fs::copy_file(FAKE_CUDA_dependency_python, package / "libfake_cuda_dependency_python.so");
  BOOST_TEST(tests::contains(CudaModule::open_file(FAKE_CUDA_needy_python).reason(), kLoads));
}

BOOST_AUTO_TEST_CASE(a_module_finds_its_library_in_a_named_folder_first) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "libfake_cuda_dependency_named.so";
  const fs::path later = folder.path() / "later";
  fs::create_directories(later);
  std::ofstream(folder.path() / "libother.so") << "not a library";
  const std::vector<fs::path> folders = {folder.path() / "nowhere", folder.path(), later};
  BOOST_TEST(load_needed_libraries(FAKE_CUDA_needy_named, folders).empty());
  fs::copy_file(FAKE_CUDA_dependency_named, file);
  {
    const Variable named("PENSTOCK_CUDA_LIBRARIES", "/nowhere:" + folder.path().native());
    BOOST_TEST(tests::contains(CudaModule::open_file(FAKE_CUDA_needy_named).reason(), kLoads));
  }
  fs::copy_file(file, later / file.filename());
  const std::vector<fs::path> expected = {file};
  BOOST_TEST((load_needed_libraries(FAKE_CUDA_needy_named, folders) == expected));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
