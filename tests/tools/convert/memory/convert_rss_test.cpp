// The memory law from outside: the peak RSS of a fresh process that converts pictures of 100 million
// pixels among many, less its RSS at the entry of main.
#include <hdf5.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "fixtures/tar_maker.h"
#include "streamer/core/file.h"
#include "tests/sanitizer.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"
#include "tests/tools/convert/source/array_files.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = 1u << 20;

struct Setting {
  std::uint64_t limit_bytes = 256 * kMiB;
  unsigned num_jobs = 2;
  const char* depth = "decode";
  std::uint64_t shard_bytes = 256 * kMiB;
};

struct ProbeReport {
  std::uint64_t peak_bytes = 0;  // above the entry of main
  std::uint64_t num_samples = 0;
  std::uint64_t num_quarantined = 0;
  std::uint64_t num_above_memory = 0;
};

// A field of /proc/PID/status: the memory of this program image alone.
std::uint64_t status_bytes(pid_t pid, const std::string& field) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field + ":")) return std::stoull(line.substr(field.size() + 1)) * 1024;
  }
  BOOST_FAIL("no " << field);
  return 0;
}

ProbeReport convert(const fs::path& source, const fs::path& dataset, const Setting& setting) {
  std::array<int, 2> to{};
  std::array<int, 2> from{};
  BOOST_REQUIRE(::pipe(to.data()) == 0 && ::pipe(from.data()) == 0);
  const std::vector<std::string> arguments = {PENSTOCK_RSS_PROBE,
                                              source.native(),
                                              dataset.native(),
                                              std::to_string(setting.limit_bytes),
                                              std::to_string(setting.num_jobs),
                                              setting.depth,
                                              std::to_string(setting.shard_bytes)};
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(to[0], STDIN_FILENO);
    ::dup2(from[1], STDOUT_FILENO);
    for (const int fd : {to[0], to[1], from[0], from[1]}) ::close(fd);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(to[0]);
  ::close(from[1]);
  std::FILE* const out = ::fdopen(from[0], "r");
  const auto read_line = [&] {
    std::array<char, 1024> line{};
    return std::string(std::fgets(line.data(), line.size(), out) == nullptr ? "" : line.data());
  };
  const auto go_on = [&] { BOOST_REQUIRE(::write(to[1], "\n", 1) == 1); };
  BOOST_REQUIRE(read_line() == "entered\n");
  const std::uint64_t before = status_bytes(pid, "VmRSS");
  go_on();
  const std::string line = read_line();
  BOOST_REQUIRE_MESSAGE(line.starts_with("done "), line);
  ProbeReport report{.peak_bytes = status_bytes(pid, "VmHWM") - before};
  std::istringstream(line.substr(5)) >> report.num_samples >> report.num_quarantined >>
      report.num_above_memory;
  go_on();
  ::close(to[1]);
  std::fclose(out);
  ::waitpid(pid, nullptr, 0);
  BOOST_TEST_MESSAGE("peak " << report.peak_bytes / 1024 << " KiB of "
                             << setting.limit_bytes / 1024);
  return report;
}

std::span<const std::byte> bytes_of(const SmallSample& sample) {
  return sample.encoded;
}

// Of each kind that costs memory in its own way.
void write_large_source(const fs::path& source) {
  using fixtures::ChromaSubsampling;
  for (const auto subsampling : {ChromaSubsampling::k420, ChromaSubsampling::k444}) {
    const std::string name = subsampling == ChromaSubsampling::k420 ? "a" : "b";
    const SmallSample huge = low_detail_jpeg_sample(10'000, 10'000, {.subsampling = subsampling});
    write_file(source / "huge" / (name + ".jpg"), bytes_of(huge));
  }
  const SmallSample progressive = low_detail_jpeg_sample(3000, 2000, {.is_progressive = true});
  const SmallSample noisy = jpeg_sample(1500, 1500, 7, {.quality = 98});
  // Netpbm, ppm(5).
  std::string ppm = "P6 1000 1000 255\n";
  ppm.resize(ppm.size() + 3'000'000, 'm');
  for (int i = 0; i < 12; ++i) {
    const std::string name = std::to_string(i);
    write_file(source / "progressive" / (name + ".jpg"), bytes_of(progressive));
    write_file(source / "noisy" / (name + ".jpg"), bytes_of(noisy));
    write_file(source / "noisy" / (name + ".ppm"), ppm);
  }
}

// [1500, 316, 316], 150 MB, as another program writes them.
void write_chunked_hdf5(const fs::path& path) {
  constexpr hsize_t kNumPictures = 1500;
  constexpr hsize_t kSidePx = 316;
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const auto write = [&](const char* name, const std::vector<hsize_t>& shape,
                         const std::vector<hsize_t>& chunk) {
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(list, static_cast<int>(chunk.size()), chunk.data());
    H5Pset_deflate(list, 1);
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const hid_t set = H5Dcreate2(file, name, H5T_STD_U8LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    std::vector<std::uint8_t> numbers(kNumPictures * (shape.size() == 1 ? 1 : kSidePx * kSidePx),
                                      1);
    for (std::size_t i = 0; i < numbers.size(); i += 997)
      numbers[i] = static_cast<std::uint8_t>(i % 7);
    BOOST_REQUIRE(H5Dwrite(set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers.data()) >=
                  0);
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(list);
  };
  write("images", {kNumPictures, kSidePx, kSidePx}, {16, kSidePx, kSidePx});
  write("labels", {kNumPictures}, {100});
  H5Fclose(file);
}

BOOST_AUTO_TEST_SUITE(convert_rss)

BOOST_AUTO_TEST_CASE(a_process_stays_within_the_limit_whatever_the_pictures_and_the_jobs) {
  if (kHasSanitizer) {
    std::cout << "SKIPPED: a sanitizer's memory counts as the process's\n";
    return;
  }
  const TemporaryFolder folder;
  write_large_source(folder.path() / "photos");
  for (const Setting& setting : {Setting{.limit_bytes = 256 * kMiB, .num_jobs = 2},
                                 Setting{.limit_bytes = 256 * kMiB, .num_jobs = 8},
                                 Setting{.limit_bytes = 128 * kMiB, .num_jobs = 4},
                                 Setting{.limit_bytes = 256 * kMiB, .depth = "trust"}}) {
    const ProbeReport report = convert(folder.path() / "photos", folder.path() / "ds", setting);
    BOOST_TEST_CONTEXT(setting.num_jobs << " jobs, limit " << setting.limit_bytes / kMiB << " MiB, "
                                        << setting.depth) {
      BOOST_TEST(report.peak_bytes <= setting.limit_bytes);
      BOOST_TEST(report.num_samples == 38u);
      BOOST_TEST(report.num_quarantined == 0u);
    }
    fs::remove_all(folder.path() / "ds");
  }
}

// 100 million pixels of several scans: 2 bytes a coefficient and 1.5 of them a pixel.
BOOST_AUTO_TEST_CASE(what_does_not_fit_even_alone_is_quarantined_by_name) {
  if (kHasSanitizer) {
    std::cout << "SKIPPED: a sanitizer's memory counts as the process's\n";
    return;
  }
  const TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  write_file(source / "a/huge.jpg",
             bytes_of(low_detail_jpeg_sample(10'000, 10'000, {.is_progressive = true})));
  for (int i = 0; i < 20; ++i) write_picture(source / "a" / (std::to_string(i) + ".jpg"));
  const Setting small{.limit_bytes = 256 * kMiB};
  const ProbeReport report = convert(source, folder.path() / "small", small);
  BOOST_TEST(report.num_above_memory == 1u);
  BOOST_TEST(report.num_samples == 20u);
  BOOST_TEST(report.peak_bytes <= small.limit_bytes);
  const Setting large{.limit_bytes = 1024 * kMiB};
  const ProbeReport all = convert(source, folder.path() / "large", large);
  BOOST_TEST(all.num_samples == 21u);
  BOOST_TEST(all.peak_bytes <= large.limit_bytes);
  BOOST_TEST(all.peak_bytes > 256 * kMiB);  // it did take that much
}

// 150 MB of pixels: twice the limit.
BOOST_AUTO_TEST_CASE(arrays_larger_than_the_limit_are_read_in_pieces) {
  if (kHasSanitizer) {
    std::cout << "SKIPPED: a sanitizer's memory counts as the process's\n";
    return;
  }
  const TemporaryFolder folder;
  const Setting setting{.limit_bytes = 80 * kMiB};
  write_chunked_hdf5(folder.path() / "chunked.h5");
  const ProbeReport chunked =
      convert(folder.path() / "chunked.h5", folder.path() / "chunked.ds", setting);
  BOOST_TEST(chunked.num_samples == 1500u);
  BOOST_TEST(chunked.peak_bytes <= setting.limit_bytes);

  const std::string images = npy_file("|u1", "(1500, 316, 316)", counted_bytes(1500 * 316 * 316));
  const std::string labels = npy_file("|u1", "(1500,)", std::string(1500, '\1'));
  write_file(folder.path() / "data.npz",
             zip_file({{.name = "images.npy", .bytes = images, .is_deflated = true},
                       {.name = "labels.npy", .bytes = labels}}));
  const ProbeReport deflated =
      convert(folder.path() / "data.npz", folder.path() / "deflated.ds", setting);
  BOOST_TEST(deflated.num_samples == 1500u);
  BOOST_TEST(deflated.peak_bytes <= setting.limit_bytes);
}

// Each a small file: what they are in memory is the list, the index and what the manifest counts.
BOOST_AUTO_TEST_CASE(very_many_small_pictures_stay_within_the_limit) {
  if (kHasSanitizer) {
    std::cout << "SKIPPED: a sanitizer's memory counts as the process's\n";
    return;
  }
  const TemporaryFolder folder(fs::is_directory("/dev/shm") ? fs::path("/dev/shm")
                                                            : fs::temp_directory_path());
  const fs::path source = folder.path() / "photos";
  write_picture(source / "a/0.jpg");
  constexpr int kNumFiles = 60'000;  // hard links of one file may be fewer: 65,000 with ext4
  for (int i = 1; i < kNumFiles; ++i) {
    const fs::path path = source / "a" / ("a_rather_long_name_" + std::to_string(i) + ".jpg");
    fs::create_hard_link(source / "a/0.jpg", path);
  }
  const Setting setting{.limit_bytes = 128 * kMiB, .depth = "trust"};
  const ProbeReport report = convert(source, folder.path() / "ds", setting);
  BOOST_TEST(report.num_samples == 60'000u);
  BOOST_TEST(report.peak_bytes <= setting.limit_bytes);
}

// Noise: hashes of all kinds, 17 keys of 20 bytes for each of them on the disk.
BOOST_AUTO_TEST_CASE(very_many_pictures_held_against_each_other_stay_within_the_limit) {
  if (kHasSanitizer) {
    std::cout << "SKIPPED: a sanitizer's memory counts as the process's\n";
    return;
  }
  const TemporaryFolder folder(fs::is_directory("/dev/shm") ? fs::path("/dev/shm")
                                                            : fs::temp_directory_path());
  std::string pixels(std::size_t{30'000} * 16 * 16, '\0');
  std::mt19937 random(6);
  for (char& value : pixels) value = static_cast<char>(random());
  write_file(folder.path() / "data.npz",
             zip_file({{.name = "images.npy", .bytes = npy_file("|u1", "(30000, 16, 16)", pixels)},
                       {.name = "labels.npy",
                        .bytes = npy_file("|u1", "(30000,)", std::string(30'000, '\1'))}}));
  const Setting setting{.limit_bytes = 100 * kMiB, .depth = "near"};
  const ProbeReport report = convert(folder.path() / "data.npz", folder.path() / "ds", setting);
  BOOST_TEST(report.num_samples == 30'000u);
  BOOST_TEST(report.peak_bytes <= setting.limit_bytes);
}

// Nothing of it decodes but one: what is left of the others is a list on the disk.
BOOST_AUTO_TEST_CASE(very_many_bad_files_stay_within_the_limit_and_are_all_listed) {
  if (kHasSanitizer) {
    std::cout << "SKIPPED: a sanitizer's memory counts as the process's\n";
    return;
  }
  const TemporaryFolder folder(fs::is_directory("/dev/shm") ? fs::path("/dev/shm")
                                                            : fs::temp_directory_path());
  write_picture(folder.path() / "good.jpg");
  std::vector<fixtures::TarEntry> members = {
      {"good/1.jpg", read_text_file(folder.path() / "good.jpg")}};
  constexpr int kNumBad = 120'000;
  for (int i = 0; i < kNumBad; ++i) {
    members.push_back({.name = "bad/a_rather_long_name_" + std::to_string(1'000'000 + i) + ".jpg"});
  }
  const fs::path source = folder.path() / "photos.tar";
  write_file(source, fixtures::make_tar(members));
  const Setting setting{.limit_bytes = 172 * kMiB};
  const ProbeReport report = convert(source, folder.path() / "ds", setting);
  BOOST_TEST(report.num_samples == 1u);
  BOOST_TEST(report.num_quarantined == 120'000u);
  BOOST_TEST(report.peak_bytes <= setting.limit_bytes);
  std::ifstream csv(folder.path() / "ds/quarantine.csv");
  std::string line;
  std::getline(csv, line);
  for (int i = 0; i < kNumBad && std::getline(csv, line); ++i) {
    const std::string expected =
        "bad/a_rather_long_name_" + std::to_string(1'000'000 + i) + ".jpg,empty_file,0,";
    if (line != expected) BOOST_REQUIRE(line == expected);
  }
  BOOST_TEST(!std::getline(csv, line));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
