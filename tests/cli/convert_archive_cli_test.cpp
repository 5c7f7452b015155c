// penstock convert of archives, WebDataset, CIFAR and MNIST files, as it is typed.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "fixtures/cifar_batch.h"
#include "fixtures/idx_file.h"
#include "fixtures/tar_maker.h"
#include "streamer/core/file.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/shard_file.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/compressed.h"
#include "tests/tools/folder_contents.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;
using fixtures::make_tar;
using fixtures::TarEntry;

struct Place {
  TemporaryFolder folder;
  std::string dataset = (folder.path() / "out.ds").string();

  std::string at(const std::string& name) const { return (folder.path() / name).string(); }
  CommandResult convert(const std::string& source, std::vector<std::string> flags = {}) const {
    std::vector<std::string> line = {"convert", source, dataset};
    line.insert(line.end(), flags.begin(), flags.end());
    return run_penstock(line);
  }
};

// The files of a folder as members, in an order that is not that of their names.
std::vector<TarEntry> entries_of(const fs::path& folder, const std::string& prefix) {
  std::vector<TarEntry> entries;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    entries.push_back(
        {prefix + entry.path().lexically_relative(folder).string(), read_text_file(entry.path())});
  }
  return entries;
}

std::vector<std::byte> sample_bytes(const DatasetSplit& split, std::uint64_t i) {
  std::vector<std::byte> bytes(split.record(i).length_bytes);
  split.shard_of(i).read_sample(split.record(i), bytes);
  return bytes;
}

BOOST_AUTO_TEST_SUITE(convert_archive_cli)

BOOST_AUTO_TEST_CASE(an_archive_of_a_folder_becomes_the_dataset_of_the_folder_byte_for_byte) {
  const Place place;
  write_cats_and_dogs(place.at("photos"), 12);
  write_file(place.at("photos") + "/cat/bad.jpg", "no picture");
  BOOST_REQUIRE(place.convert(place.at("photos"), {"--quiet"}).exit_code == 0);
  const auto expected = contents(place.dataset);
  const std::string tar = make_tar(entries_of(place.at("photos"), "photos/"));
  const std::map<std::string, std::string> archives = {{"a.tar", tar},
                                                       {"b.tar.gz", gzipped(tar)},
                                                       {"c.bz2", compressed(tar, "bzip2")},
                                                       {"d", compressed(tar, "xz")},
                                                       {"e.tar", compressed(tar, "zstd")}};
  for (const auto& [name, bytes] : archives) {
    write_file(place.at(name), bytes);
    for (const char* jobs : {"1", "8"}) {
      const CommandResult result = place.convert(place.at(name), {"--force", "--jobs", jobs});
      BOOST_TEST_CONTEXT(name << " " << result.err) {
        BOOST_TEST(result.exit_code == 0);
        BOOST_CHECK(contents(place.dataset) == expected);
        BOOST_TEST(contains(result.err, "class folders in an archive, 2 classes, 25 files"));
      }
    }
  }
  BOOST_TEST(count_entries(place.folder.path()) == 2u + archives.size());  // no spool is left
}

BOOST_AUTO_TEST_CASE(the_spool_lies_beside_a_dataset_that_is_typed_with_a_last_slash) {
  const Place place;
  write_cats_and_dogs(place.at("photos"), 2);
  write_file(place.at("a.tgz"), gzipped(make_tar(entries_of(place.at("photos"), ""))));
  const CommandResult result =
      run_penstock({"convert", place.at("a.tgz"), place.dataset + "/", "--quiet"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.err == "");
  BOOST_TEST(fs::exists(place.dataset + "/dataset.json"));
}

BOOST_AUTO_TEST_CASE(an_archive_cut_short_gives_what_was_whole_and_names_the_rest) {
  const Place place;
  write_cats_and_dogs(place.at("photos"), 12);
  const std::vector<TarEntry> entries = entries_of(place.at("photos"), "");
  const std::string tar = make_tar(entries);
  write_file(place.at("cut.tar"), tar.substr(0, tar.size() - 1024 - 600));
  const CommandResult result = place.convert(place.at("cut.tar"));
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.out, "23 samples in 2 classes"));
  BOOST_TEST(contains(result.out, "quarantined   1 (1 archive_truncated)"));
  BOOST_TEST(contains(result.err,
                      "1 archive_truncated, listed in quarantine.csv:\n  cut.tar (it ends within " +
                          entries.back().name));
  BOOST_TEST(
      contains(read_text_file(place.dataset + "/quarantine.csv"), "cut.tar,archive_truncated,"));
}

BOOST_AUTO_TEST_CASE(a_folder_of_webdataset_archives_becomes_a_dataset) {
  const Place place;
  const auto shard = [](std::uint32_t first) {
    std::vector<TarEntry> entries;
    for (std::uint32_t i = first; i < first + 5; ++i) {
      const std::vector<std::byte> jpeg = picture_jpeg({.seed = i});
      const std::string key = std::to_string(i);
      entries.push_back({key + ".jpg", {reinterpret_cast<const char*>(jpeg.data()), jpeg.size()}});
      entries.push_back({key + ".cls", std::to_string(i % 3)});
    }
    return make_tar(entries);
  };
  write_file(place.at("shards/train-000.tar"), shard(0));
  write_file(place.at("shards/train-001.tar.gz"), gzipped(shard(5)));
  write_file(place.at("shards/val-000.tar"), shard(0));
  write_file(place.at("names.txt"), "0,ant\n1,bee\n2,cat\n");
  const CommandResult result =
      place.convert(place.at("shards"), {"--class-names", place.at("names.txt")});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.err, "WebDataset rows, 3 classes, 15 files"));
  const Dataset dataset = Dataset::open(place.dataset);
  BOOST_CHECK((dataset.manifest().class_names == std::vector<std::string>{"ant", "bee", "cat"}));
  BOOST_TEST(dataset.split("train").num_samples() == 10u);
  BOOST_TEST(dataset.split("validation").num_samples() == 5u);
  for (const std::string& name : dataset.split("validation").read_names()) {
    BOOST_TEST(contains(name, "val-000/"));
  }
}

BOOST_AUTO_TEST_CASE(cifar_batches_become_raw_samples) {
  const Place place;
  fixtures::make_cifar_10(place.at("cifar"), 20, 7);
  const CommandResult result = place.convert(place.at("cifar"));
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.err, "CIFAR-10 batches, 10 classes, 120 files"));
  const Dataset dataset = Dataset::open(place.dataset);
  const DatasetSplit test = dataset.split("test");
  const std::vector<std::string> names = test.read_names();
  BOOST_REQUIRE(test.num_samples() == 20u);
  BOOST_TEST(dataset.split("train").num_samples() == 100u);
  for (std::uint64_t i = 0; i < test.num_samples(); ++i) {
    const auto record_idx =
        static_cast<std::uint32_t>(std::stoul(names[i].substr(names[i].size() - 5)));
    const std::vector<std::byte> pixels = sample_bytes(test, i);
    BOOST_TEST(test.record(i).codec == static_cast<std::uint8_t>(Codec::kRaw));
    BOOST_TEST(test.record(i).class_idx == record_idx % 10);
    BOOST_REQUIRE(pixels.size() == 3072u);
    // Row 3, column 5, blue.
    BOOST_TEST(static_cast<std::uint8_t>(pixels[(3 * 32 + 5) * 3 + 2]) ==
               fixtures::cifar_pixel({.seed = 7, .record_idx = record_idx}, 2, 3, 5));
  }
}

BOOST_AUTO_TEST_CASE(cifar_100_is_learned_by_its_coarse_labels_when_asked) {
  const Place place;
  write_file(place.at("cifar/train.bin"), fixtures::cifar_100_batch(10, 0));
  BOOST_TEST(place.convert(place.at("cifar"), {"--quiet", "--label", "coarse"}).exit_code == 0);
  BOOST_TEST(Dataset::open(place.dataset).manifest().class_names.size() == 20u);
  check_refused(place.convert(place.at("cifar"), {"--label", "both"}), 2,
                "--label: expected fine or coarse, found 'both'", "--label fine");
}

BOOST_AUTO_TEST_CASE(mnist_files_become_gray_raw_samples) {
  const Place place;
  write_file(place.at("mnist/train-images-idx3-ubyte.gz"),
             gzipped(fixtures::idx_pictures({.num_pictures = 30})));
  write_file(place.at("mnist/train-labels-idx1-ubyte.gz"), gzipped(fixtures::idx_labels(30)));
  const CommandResult result = place.convert(place.at("mnist"), {"--validation-split", "0.2"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.err, "IDX files, 10 classes, 30 files"));
  const Dataset dataset = Dataset::open(place.dataset);
  const DatasetSplit train = dataset.split("train");
  BOOST_TEST(train.num_samples() + dataset.split("validation").num_samples() == 30u);
  BOOST_TEST(train.record(0).components == 1u);
  BOOST_TEST(sample_bytes(train, 0).size() == 784u);
}

BOOST_AUTO_TEST_CASE(options_that_would_do_nothing_are_refused) {
  const Place place;
  write_cats_and_dogs(place.at("photos"), 2);
  check_refused(place.convert(place.at("photos"), {"--label", "fine"}), 1,
                "--label: " + place.at("photos") +
                    ": expected CIFAR-100, which has two labels, found a source with one",
                "leave --label out");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
