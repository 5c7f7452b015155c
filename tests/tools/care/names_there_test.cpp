#include "tools/care/names_there.h"

#include <boost/test/unit_test.hpp>
#include <random>
#include <set>
#include <string>

#include "streamer/core/error.h"
#include "streamer/read/new_picture.h"
#include "streamer/shard/dataset_writer.h"
#include "tests/contains.h"
#include "tests/tools/care/cared_dataset.h"
#include "tools/care/new_pictures.h"
#include "tools/convert/write/convert_memory.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;

// One gray pixel under each name, in two splits.
void write_dataset(const fs::path& path, const std::set<std::string>& names) {
  const std::uint8_t pixel = 7;
  DatasetWriter writer(path, {.class_names = {"a"}});
  bool is_train = false;
  for (const std::string& name : names) {
    is_train = !is_train;
    writer.add(is_train ? "train" : "test", new_raw({.pixels_hwc = &pixel,
                                                     .width_px = 1,
                                                     .height_px = 1,
                                                     .channels = 1,
                                                     .pixel_stride_bytes = 1,
                                                     .row_stride_bytes = 1},
                                                    {.class_idx = 0, .name = name}));
  }
  writer.finish();
}

class Nobody final : public convert::ConvertObserver {
 public:
  void notice(const std::string&) override {}
  void progress(const convert::ConvertProgress&) override {}
};

BOOST_AUTO_TEST_SUITE(names_there)

// The slow twin holds all names and compares them.
BOOST_AUTO_TEST_CASE(the_same_names_are_found_as_by_holding_them_all) {
  constexpr std::uint32_t kSeed = 11;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937 random(kSeed);
  const auto any_name = [&] {
    std::string name = "a/";
    for (unsigned i = 0; i < 1 + random() % 3; ++i) name += static_cast<char>('a' + random() % 8);
    return name;
  };
  std::set<std::string> there;
  while (there.size() < 150) there.insert(any_name());
  const tests::TemporaryFolder folder;
  write_dataset(folder.path() / "d.ds", there);
  std::set<std::string> listed;
  while (listed.size() < 150) listed.insert(any_name());
  convert::PictureList pictures;
  for (const std::string& name : listed) pictures.add({.name = name, .split = {}});
  const NamesThere found =
      find_names_there(pictures, folder.path() / "d.ds", read_manifest(folder.path() / "d.ds"));
  std::size_t num_there = 0;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const bool is_there = there.contains(std::string(pictures.name(i)));
    BOOST_TEST(found.is_there[i] == is_there, pictures.name(i));
    num_there += is_there ? 1 : 0;
  }
  BOOST_TEST(found.num_unnamed == 0u);
  BOOST_TEST(num_there > 20u);
  BOOST_TEST(num_there < 130u);
}

BOOST_AUTO_TEST_CASE(
    what_does_not_fit_the_limit_is_refused_with_the_sum_and_a_limit_that_suffices) {
  const tests::TemporaryFolder folder;
  const fs::path dataset = folder.path() / "d.ds";
  write_dataset(dataset, {"a/1", "a/2"});
  const Manifest manifest = read_manifest(dataset);
  const auto scan_of_many = [] {
    convert::SourceScan scan;
    scan.class_names = {"a"};
    for (std::uint32_t i = 0; i < 200'000; ++i) {
      scan.pictures.add({.name = "a/" + std::to_string(i), .size_bytes = i, .split = {}});
    }
    return scan;
  };
  const auto keep_within = [&](std::uint64_t limit_bytes) {
    AddConfig config{.dataset = dataset, .source = folder.path() / "photos"};
    config.limits.memory_bytes = limit_bytes;
    Nobody nobody;
    NewPictures pictures(config, manifest, nobody);
    convert::SourceScan scan = scan_of_many();
    pictures.keep_new(scan);
    BOOST_TEST(scan.pictures.size() == 199'998u);
    BOOST_TEST(pictures.num_already_there() == 2u);
    BOOST_TEST(pictures.source_bytes("a/77") == 77u);
    BOOST_TEST(scan.held_bytes >= 199'998u * 24);
  };
  BOOST_CHECK_EXCEPTION(keep_within(32u << 20), Error, [&](const Error& error) {
    BOOST_TEST(tests::contains(error.what(), "memory: limit: expected at least "), error.what());
    BOOST_TEST(tests::contains(error.what(), "a list of 200000 pictures"), error.what());
    const std::string hint = error.hint();
    BOOST_TEST(hint.starts_with("--memory "));
    keep_within(std::stoull(hint.substr(9)) << 20);
    return error.code() == ErrorCode::kOutOfMemory;
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::care
