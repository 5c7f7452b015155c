// What nvcc makes of the kernels: no registers spilled on any target, and 16 bytes at a time where rows are whole
// vectors. Runs nvcc; needs no device.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <filesystem>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "streamer/core/file.h"
#include "tests/temporary_folder.h"

namespace penstock::train::cuda {
namespace {

/// What the line prints, its errors too.
std::string output_of(const std::string& line) {
  std::string output;
  std::FILE* const pipe = popen((line + " 2>&1").c_str(), "r");
  BOOST_REQUIRE(pipe != nullptr);
  char piece[4096];
  while (const std::size_t count = std::fread(piece, 1, sizeof(piece), pipe)) {
    output.append(piece, count);
  }
  BOOST_REQUIRE_MESSAGE(pclose(pipe) == 0, line + '\n' + output);
  return output;
}

std::string nvcc(const std::string& options, const std::filesystem::path& source) {
  return output_of(std::string(PENSTOCK_NVCC) + " -std=c++20 --expt-relaxed-constexpr -I" +
                   PENSTOCK_SOURCE_DIR + " " + options + " " + source.native());
}

std::vector<std::filesystem::path> kernel_files() {
  std::vector<std::filesystem::path> files;
  std::istringstream list(PENSTOCK_KERNEL_FILES);
  for (std::string file; std::getline(list, file, ':');) files.emplace_back(file);
  return files;
}

/// Numbers that stand before `words`, in the whole text.
std::vector<int> numbers_before(const std::string& text, const std::string& words) {
  std::vector<int> numbers;
  const std::regex pattern("([0-9]+) " + words);
  for (std::sregex_iterator found(text.begin(), text.end(), pattern), end; found != end; ++found) {
    numbers.push_back(std::stoi((*found)[1]));
  }
  return numbers;
}

BOOST_AUTO_TEST_SUITE(device_code)

BOOST_AUTO_TEST_CASE(no_kernel_spills_a_register_on_any_target) {
  const tests::TemporaryFolder folder;
  const std::string options =
      "-gencode arch=compute_75,code=sm_75 -gencode arch=compute_80,code=sm_80 "
      "-gencode arch=compute_90,code=sm_90 -Xptxas -v -c -o " +
      (folder.path() / "kernel.o").native();
  BOOST_TEST(kernel_files().size() > 10u);
  for (const std::filesystem::path& file : kernel_files()) {
    const std::string report = nvcc(options, file);
    const std::vector<int> stores = numbers_before(report, "bytes spill stores");
    BOOST_TEST(stores.size() >= 3u, file << ": a report for each target");
    BOOST_TEST(std::ranges::count(stores, 0) == std::ssize(stores), file << '\n' << report);
    BOOST_TEST(std::ranges::max(numbers_before(report, "bytes spill loads")) == 0, file);
  }
}

/// A kernel whose template says how many values a thread takes at once, and what it does with them.
struct Wide {
  const char* file;
  const char* kernel;  // as it is mangled
  bool stores;
};

// ILj8E: 8 values of 2 bytes; Lj4: 4 of 4. The names are those of the mangled templates.
BOOST_AUTO_TEST_CASE(kernels_over_whole_vectors_read_and_write_16_bytes) {
  const tests::TemporaryFolder folder;
  const std::filesystem::path ptx = folder.path() / "kernel.ptx";
  for (const Wide& wide : {Wide{"channel_norm_kernels.cu", "affine_forward_kernel", true},
                           Wide{"channel_norm_kernels.cu", "affine_backward_kernel", true},
                           Wide{"channel_norm_kernels.cu", "affine_backward_sums_kernel", false},
                           Wide{"channel_statistics.cu", "channel_moments_kernel", false},
                           Wide{"activation_kernels.cu", "map_values_kernel", true},
                           Wide{"join_kernels.cu", "map_values_kernel", true}}) {
    const std::filesystem::path source =
        std::filesystem::path(PENSTOCK_SOURCE_DIR) / "train/backend/cuda/kernels" / wide.file;
    nvcc("-arch=compute_90 -ptx -o " + ptx.native(), source);
    const std::string text = read_text_file(ptx);
    int num_wide = 0;
    for (std::size_t begin = text.find(".entry "); begin != std::string::npos;) {
      const std::size_t next = text.find(".entry ", begin + 1);
      const std::string body = text.substr(begin, next - begin);
      const std::string name = body.substr(7, body.find('(') - 7);
      begin = next;
      const bool is_by_vectors =
          name.find("Lj8E") != std::string::npos || name.find("Lj4E") != std::string::npos;
      if (name.find(wide.kernel) == std::string::npos || !is_by_vectors) continue;
      ++num_wide;
      BOOST_TEST_CONTEXT(wide.file << ": " << name) {
        BOOST_TEST(std::regex_search(body, std::regex("ld\\.global\\.(nc\\.)?v4")));
        if (wide.stores) BOOST_TEST(body.find("st.global.v4") != std::string::npos);
      }
    }
    BOOST_TEST(num_wide >= 3, wide.kernel << ": a kernel for each type");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
