// Bare pixels out of a file whose checksum failed: nothing else would tell that they are wrong.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>

#include "fixtures/cifar_batch.h"
#include "fixtures/idx_file.h"
#include "fixtures/tar_maker.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/compressed.h"
#include "tests/tools/convert/convert_listener.h"
#include "tests/tools/convert/source/array_files.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/convert_job.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using fixtures::idx_labels;
using fixtures::idx_pictures;
using tests::contains;
using tests::gzipped;
using tests::write_file;

// Stored blocks, and a bit of one turned, as many bytes before their end: only the checksum behind tells.
std::string with_a_turned_bit(const std::string& bytes, std::size_t before_end = 500) {
  constexpr std::size_t kChecksumAndLengthBytes = 8;
  std::string damaged = gzipped(bytes, 0);
  char& turned = damaged[damaged.size() - kChecksumAndLengthBytes - before_end];
  turned = static_cast<char>(turned ^ 1);
  return damaged;
}

struct Place {
  tests::TemporaryFolder folder;
  fs::path source = folder.path() / "source";
  fs::path dataset = folder.path() / "ds";

  ConvertSummary convert(const std::string& policy = "", const std::string& name = "") const {
    ConvertConfig config{.source = name.empty() ? source : source / name, .dataset = dataset};
    if (!policy.empty()) config.policies.set(policy);
    tests::Listener listener;
    return convert_folder(config, listener, {});
  }
  void add_good_test_split() const {
    write_file(source / "t10k-images-idx3-ubyte", idx_pictures({.num_pictures = 2}));
    write_file(source / "t10k-labels-idx1-ubyte", idx_labels(2));
  }
};

std::uint64_t num_left_out(const ConvertSummary& summary) {
  return summary.reasons.num_quarantined(ReasonCode::kFailedChecksum);
}

std::uint64_t num_stored(const ConvertSummary& summary) {
  std::uint64_t num_samples = 0;
  for (const ManifestSplit& split : summary.manifest.splits) num_samples += split.num_samples;
  return num_samples;
}

BOOST_AUTO_TEST_SUITE(failed_checksum)

BOOST_AUTO_TEST_CASE(each_picture_of_a_damaged_gzip_is_left_out_and_listed) {
  const Place place;
  place.add_good_test_split();
  write_file(place.source / "train-images-idx3-ubyte.gz",
             with_a_turned_bit(idx_pictures({.num_pictures = 4})));
  write_file(place.source / "train-labels-idx1-ubyte", idx_labels(4));
  const ConvertSummary summary = place.convert();
  BOOST_TEST(num_left_out(summary) == 4u);
  BOOST_TEST(summary.manifest.num_quarantined.value() == 4u);
  BOOST_TEST(num_stored(summary) == 2u);  // the test split's
  const std::string list = read_text_file(place.dataset / "quarantine.csv");
  for (const char* row :
       {"train-images-idx3-ubyte.gz,archive_damaged,",
        "train-images-idx3-ubyte/00000,failed_checksum,784,gzip: incorrect data check\n",
        "train-images-idx3-ubyte/00003,failed_checksum,784,gzip: incorrect data check\n"}) {
    BOOST_TEST(contains(list, row), list);
  }
}

BOOST_AUTO_TEST_CASE(on_request_they_are_stored_and_counted_as_unchecked) {
  const Place place;
  place.add_good_test_split();
  write_file(place.source / "train-images-idx3-ubyte.gz",
             with_a_turned_bit(idx_pictures({.num_pictures = 4})));
  write_file(place.source / "train-labels-idx1-ubyte", idx_labels(4));
  const ConvertSummary summary = place.convert("failed_checksum=keep");
  BOOST_TEST(num_left_out(summary) == 0u);
  BOOST_TEST(summary.reasons.num_kept(ReasonCode::kFailedChecksum) == 4u);
  BOOST_TEST(summary.manifest.num_quarantined.value() == 0u);
  BOOST_TEST(num_stored(summary) == 6u);
}

BOOST_AUTO_TEST_CASE(a_label_out_of_one_is_as_uncertain) {
  const Place place;
  place.add_good_test_split();
  write_file(place.source / "train-images-idx3-ubyte", idx_pictures({.num_pictures = 4}));
  write_file(place.source / "train-labels-idx1-ubyte.gz", with_a_turned_bit(idx_labels(4), 1));
  BOOST_TEST(num_left_out(place.convert()) == 4u);
}

BOOST_AUTO_TEST_CASE(what_deflate_gave_before_a_cut_is_taken) {
  const Place place;
  const std::string whole = gzipped(idx_pictures({.num_pictures = 4}), 0);
  write_file(place.source / "train-images-idx3-ubyte.gz", whole.substr(0, whole.size() - 900));
  write_file(place.source / "train-labels-idx1-ubyte", idx_labels(4));
  const ConvertSummary summary = place.convert();
  BOOST_TEST(num_left_out(summary) == 0u);
  BOOST_TEST(summary.reasons.num_quarantined(ReasonCode::kArchiveTruncated) == 2u);
  BOOST_TEST(num_stored(summary) == 2u);
}

BOOST_AUTO_TEST_CASE(where_nothing_else_is_there_the_refusal_says_how_to_have_it) {
  const Place place;
  write_file(place.source / "x.npz",
             tests::zip_file({{.name = "images.npy",
                               .bytes = tests::npy_file("|u1", "(2, 2, 2)", "abcdefgh"),
                               .is_deflated = true,
                               .crc32_change = 4},
                              {.name = "labels.npy",
                               .bytes = tests::npy_file("|u1", "(2,)", std::string("\0\1", 2))}}));
  BOOST_CHECK_EXCEPTION(place.convert("", "x.npz"), Error, [](const Error& error) {
    BOOST_TEST(contains(error.what(), "found 2 failed_checksum"), error.what());
    return contains(error.hint(), "--on failed_checksum=keep");
  });
  BOOST_TEST(num_stored(place.convert("failed_checksum=keep", "x.npz")) == 2u);
}

BOOST_AUTO_TEST_CASE(in_a_compressed_archive_batches_are_left_out_and_pictures_are_not) {
  const Place place;
  const std::string batches =
      fixtures::make_tar({{"data_batch_1.bin", fixtures::cifar_10_batch(3, 1)},
                          {"test_batch.bin", fixtures::cifar_10_batch(2, 2)}});
  write_file(place.source / "cifar.tar.gz", with_a_turned_bit(batches, 3000));
  BOOST_CHECK_THROW(place.convert("", "cifar.tar.gz"), Error);
  BOOST_TEST(place.convert("failed_checksum=keep", "cifar.tar.gz")
                 .reasons.num_kept(ReasonCode::kFailedChecksum) == 5u);
  fs::remove_all(place.dataset);

  tests::write_cats_and_dogs(place.folder.path() / "photos", 6);
  std::vector<fixtures::TarEntry> members;
  for (const auto& entry : fs::recursive_directory_iterator(place.folder.path() / "photos")) {
    if (!entry.is_regular_file()) continue;
    members.push_back({entry.path().lexically_relative(place.folder.path() / "photos").string(),
                       read_text_file(entry.path())});
  }
  std::string photos = gzipped(fixtures::make_tar(members));
  photos[photos.size() - 8] = static_cast<char>(photos[photos.size() - 8] ^ 1);  // its checksum
  write_file(place.source / "photos.tar.gz", photos);
  const ConvertSummary summary = place.convert("", "photos.tar.gz");
  BOOST_TEST(num_left_out(summary) == 0u);
  BOOST_TEST(summary.reasons.num_quarantined(ReasonCode::kArchiveDamaged) == 1u);
}

BOOST_AUTO_TEST_CASE(a_limit_of_bad_ones_counts_the_rows_that_are_lost) {
  const Place place;
  const std::string pictures = idx_pictures({.num_pictures = 100});
  write_file(place.source / "train-images-idx3-ubyte", pictures.substr(0, 16 + 784 * 90));
  write_file(place.source / "train-labels-idx1-ubyte", idx_labels(100));
  ConvertConfig config{.source = place.source, .dataset = place.dataset};
  config.max_bad = parse_bad_limit("9", "--max-bad");
  tests::Listener listener;
  BOOST_CHECK_EXCEPTION(convert_folder(config, listener, {}), Error, [](const Error& error) {
    return error.code() == ErrorCode::kTooManyBad &&
           contains(error.what(), "expected at most 9 bad among 100");
  });
  config.max_bad = parse_bad_limit("10", "--max-bad");
  BOOST_TEST(convert_folder(config, listener, {}).manifest.num_quarantined.value() == 10u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
