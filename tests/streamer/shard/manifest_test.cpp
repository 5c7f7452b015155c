#include "streamer/shard/manifest.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/streamer/shard/shard_maker.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

Manifest small_manifest() {
  Manifest manifest;
  manifest.class_names = {"circle", "ring", "caf\xC3\xA9 \"x\""};
  manifest.splits = {{.name = "train",
                      .num_samples = 5,
                      .num_by_class = {3, 0, 2},
                      .shards = {{.file = "train-00000.h5",
                                  .num_samples = 3,
                                  .size_bytes = 40000,
                                  .uuid = "0123456789abcdef0123456789abcdef",
                                  .header_xxh3 = "0011223344556677"},
                                 {.file = "train-00001.h5",
                                  .num_samples = 2,
                                  .size_bytes = 39000,
                                  .uuid = "fedcba9876543210fedcba9876543210",
                                  .header_xxh3 = "8899aabbccddeeff"}}},
                     {.name = "test", .num_samples = 0, .num_by_class = {0, 0, 0}, .shards = {}}};
  manifest.mean = {0.5, 0.1, 1.0 / 3};
  manifest.std = {0.25, 0.2, 1e-9};
  manifest.gray = {.mean = 0.1 + 0.2, .std = 1.0 / 7};
  manifest.pixel_totals = PixelTotals{.num_px = 3,
                                      .sum = {1, 2, UINT64_MAX},
                                      .sum_of_squares = {4, 5, 6},
                                      .sum_of_gray = 7,
                                      .sum_of_gray_squares = 8};
  manifest.median_width_px = 400;
  manifest.median_height_px = 533;
  manifest.size_histogram = {{.long_side_px = 512, .num_samples = 4},
                             {.long_side_px = 32768, .num_samples = 1}};
  manifest.aspect_histogram = {{.width_percent = 0, .num_samples = 2},
                               {.width_percent = 141, .num_samples = 3}};
  manifest.duplicates =
      DuplicateCounts{.num_within_class = 1, .num_across_classes = 2, .num_across_splits = 3};
  manifest.sample_bytes = SampleBytes{.source_bytes = 1000, .stored_bytes = UINT64_MAX};
  manifest.largest = {.encoded_bytes = 123456789012,
                      .num_px = 65500ull * 65500,
                      .width_px = 65500,
                      .height_px = 65500,
                      .decode_scratch_bytes = 1 << 20};
  manifest.num_quarantined = 2;
  manifest.num_reencoded = 7;
  manifest.conversion = {{"seed", "0"}, {"validation_split", "0.1"}};
  return manifest;
}

bool is_corrupt(const Error& error) {
  return error.code() == ErrorCode::kCorruptData;
}

struct Fixture {
  // Writes `text` with its checksum put right, by the rule of FORMAT.md, section 9.
  void write_sealed(std::string text) const {
    const std::string key = "\"checksum\": \"";
    const std::size_t at = text.rfind(key) + key.size();
    text.replace(at, 16, std::string(16, '0'));
    text.replace(at, 16, hex(xxh3_64(text)));
    publish_file(path, text);
  }
  // The document as written, with the first `from` made `to`.
  std::string changed(const std::string& from, const std::string& to) const {
    write_manifest(folder.path(), small_manifest());
    std::string text = read_text_file(path);
    const std::size_t at = text.find(from);
    BOOST_REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  }
  void expect(ErrorCode code, const std::string& message) const {
    BOOST_CHECK_EXCEPTION(read_manifest(folder.path()), Error, [&](const Error& error) {
      BOOST_TEST(error.what() == "manifest: " + path.native() + ": " + message);
      BOOST_TEST(!error.hint().empty());
      return error.code() == code;
    });
  }

  tests::TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "dataset.json";
};

BOOST_FIXTURE_TEST_SUITE(manifest, Fixture)

BOOST_AUTO_TEST_CASE(what_was_written_is_read_back) {
  const Manifest written = small_manifest();
  write_manifest(folder.path(), written);
  const Manifest read = read_manifest(folder.path());
  BOOST_TEST(read.id == manifest_id(written));
  BOOST_TEST(read.class_names == written.class_names, boost::test_tools::per_element());
  BOOST_REQUIRE(read.splits.size() == 2u);
  BOOST_TEST(read.splits[0].name == "train");
  BOOST_TEST(read.splits[0].num_samples == 5u);
  BOOST_TEST(read.splits[0].num_by_class == written.splits[0].num_by_class,
             boost::test_tools::per_element());
  BOOST_REQUIRE(read.splits[0].shards.size() == 2u);
  BOOST_TEST(read.splits[0].shards[1].file == "train-00001.h5");
  BOOST_TEST(read.splits[0].shards[1].num_samples == 2u);
  BOOST_TEST(read.splits[0].shards[1].size_bytes == 39000u);
  BOOST_TEST(read.splits[0].shards[1].uuid == "fedcba9876543210fedcba9876543210");
  BOOST_TEST(read.splits[0].shards[1].header_xxh3 == "8899aabbccddeeff");
  BOOST_TEST(read.splits[1].shards.empty());
  BOOST_TEST((read.mean == written.mean));  // bit for bit: they decide pixels
  BOOST_TEST((read.std == written.std));
  BOOST_TEST((read.gray == written.gray));
  BOOST_TEST((read.pixel_totals == written.pixel_totals));
  BOOST_TEST(read.median_width_px == 400u);
  BOOST_TEST(read.median_height_px == 533u);
  BOOST_REQUIRE(read.size_histogram.size() == 2u);
  BOOST_TEST(read.size_histogram[0].long_side_px == 512u);
  BOOST_TEST(read.size_histogram[0].num_samples == 4u);
  BOOST_TEST(read.size_histogram[1].long_side_px == 32768u);
  BOOST_CHECK(read.aspect_histogram == written.aspect_histogram);
  BOOST_CHECK(read.duplicates == written.duplicates);
  BOOST_CHECK(read.sample_bytes == written.sample_bytes);
  BOOST_TEST(read.largest.encoded_bytes == 123456789012u);
  BOOST_TEST(read.largest.num_px == 4290250000u);
  BOOST_TEST(read.largest.width_px == 65500u);
  BOOST_TEST(read.largest.height_px == 65500u);
  BOOST_TEST(read.largest.decode_scratch_bytes == 1048576u);
  BOOST_TEST(read.num_quarantined.value() == 2u);
  BOOST_TEST(read.num_reencoded.value() == 7u);
  BOOST_TEST((read.conversion == written.conversion));
  BOOST_TEST((read.find_split("test") == &read.splits[1]));
  BOOST_TEST((read.find_split("validation") == nullptr));
}

BOOST_AUTO_TEST_CASE(keys_that_came_later_may_be_missing) {
  Manifest manifest = small_manifest();
  manifest.sample_bytes.reset();
  write_manifest(folder.path(), manifest);
  std::string text = read_text_file(path);
  BOOST_TEST(text.find("sample_bytes") == std::string::npos);
  const std::size_t begin = text.find("  \"aspect_histogram\"");
  const std::size_t end = text.find("  \"largest\"");
  BOOST_REQUIRE(end != std::string::npos);
  write_sealed(text.erase(begin, end - begin));
  const Manifest read = read_manifest(folder.path());
  BOOST_TEST(read.aspect_histogram.empty());
  BOOST_TEST(!read.sample_bytes.has_value());
  BOOST_TEST(!read.duplicates.has_value());
}

BOOST_AUTO_TEST_CASE(the_same_manifest_gives_the_same_text_and_keys_keep_their_order) {
  write_manifest(folder.path(), small_manifest());
  const std::string first = read_text_file(path);
  write_manifest(folder.path(), small_manifest());
  BOOST_TEST(first == read_text_file(path));
  BOOST_TEST(first.starts_with("{\n  \"format\": \"penstock-dataset\",\n  \"version\": 1,\n"));
  std::size_t before = 0;
  for (const char* key : {"\"id\"", "\"class_names\"", "\"splits\"", "\"mean\"", "\"std\"",
                          "\"size_histogram\"", "\"largest\"", "\"conversion\"", "\"checksum\""}) {
    const std::size_t at = first.find(key);
    BOOST_TEST(at > before);
    before = at;
  }
  BOOST_TEST(tests::count_entries(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(the_id_follows_what_affects_batches_and_nothing_else) {
  const std::string id = manifest_id(small_manifest());
  BOOST_TEST(id.size() == 32u);
  const auto id_after = [](auto change) {
    Manifest manifest = small_manifest();
    change(manifest);
    return manifest_id(manifest);
  };
  BOOST_TEST(id_after([](Manifest& m) { m.class_names[1] = "rung"; }) != id);
  BOOST_TEST(id_after([](Manifest& m) { std::swap(m.class_names[0], m.class_names[1]); }) != id);
  // Names run together are told apart by their lengths.
  BOOST_TEST(id_after([](Manifest& m) {
               m.class_names[0] = "circler";
               m.class_names[1] = "ing";
             }) != id);
  BOOST_TEST(id_after([](Manifest& m) { m.splits[0].name = "training"; }) != id);
  BOOST_TEST(id_after([](Manifest& m) { m.splits[0].shards[1].uuid[5] = '0'; }) != id);
  BOOST_TEST(
      id_after([](Manifest& m) { std::swap(m.splits[0].shards[0], m.splits[0].shards[1]); }) != id);
  BOOST_TEST(id_after([](Manifest& m) { m.mean[2] = std::nextafter(m.mean[2], 1); }) != id);
  BOOST_TEST(id_after([](Manifest& m) { m.std.clear(), m.mean.clear(); }) != id);
  BOOST_TEST(id_after([](Manifest& m) { m.num_quarantined = 3; }) == id);
  // Follows from the shards; a dataset converted again with it stays the dataset that it was.
  BOOST_TEST(id_after([](Manifest& m) { m.gray.reset(); }) == id);
  BOOST_TEST(id_after([](Manifest& m) { m.pixel_totals.reset(); }) == id);
  BOOST_TEST(id_after([](Manifest& m) { m.splits[0].shards[0].file = "x.h5"; }) == id);
}

BOOST_AUTO_TEST_CASE(gray_statistics_are_there_both_or_not_at_all) {
  Manifest without = small_manifest();
  without.gray.reset();
  without.pixel_totals.reset();  // its keys speak of gray too
  write_manifest(folder.path(), without);
  BOOST_TEST(read_text_file(path).find("gray") == std::string::npos);
  BOOST_TEST(!read_manifest(folder.path()).gray.has_value());
  write_sealed(changed("\"gray_std\"", "\"gray_stt\""));
  expect(ErrorCode::kCorruptData, "gray_std: expected a value, found none");
  write_sealed(changed("\"gray_std\": 0", "\"gray_std\": -0"));
  expect(ErrorCode::kCorruptData,
         "gray_std: expected a finite number of at least 0, found -0.142857");
}

BOOST_AUTO_TEST_CASE(every_flipped_byte_is_noticed) {
  write_manifest(folder.path(), small_manifest());
  const std::uint64_t size = std::filesystem::file_size(path);
  for (std::uint64_t at = 0; at < size; ++at) {
    tests::flip_bit(path, at, at % 8);
    BOOST_REQUIRE_EXCEPTION(read_manifest(folder.path()), Error, is_corrupt);
    tests::flip_bit(path, at, at % 8);
  }
  BOOST_CHECK_NO_THROW(read_manifest(folder.path()));  // all flips were undone
}

BOOST_AUTO_TEST_CASE(a_bad_checksum_is_told_as_stated_and_as_computed) {
  write_manifest(folder.path(), small_manifest());
  std::string text = read_text_file(path);
  const std::size_t at = text.rfind("\"checksum\": \"") + 13;
  const std::string computed = text.substr(at, 16);
  text.replace(at, 16, "00000000deadbeef");
  publish_file(path, text);
  expect(ErrorCode::kCorruptData, "expected checksum 00000000deadbeef, found " + computed);
}

BOOST_AUTO_TEST_CASE(every_truncation_length_is_noticed) {
  write_manifest(folder.path(), small_manifest());
  for (std::uint64_t length = std::filesystem::file_size(path); length-- > 0;) {
    std::filesystem::resize_file(path, length);
    BOOST_REQUIRE_EXCEPTION(read_manifest(folder.path()), Error, is_corrupt);
  }
}

BOOST_AUTO_TEST_CASE(unknown_keys_are_ignored) {
  write_sealed(changed("\"mean\":", "\"future\": {\"a\": [1, null]},\n  \"mean\":"));
  BOOST_TEST(read_manifest(folder.path()).num_reencoded.value() == 7u);
}

BOOST_AUTO_TEST_CASE(counts_that_are_not_known_stay_unknown) {
  Manifest manifest = small_manifest();
  manifest.num_quarantined.reset();
  write_manifest(folder.path(), manifest);
  BOOST_TEST(!read_manifest(folder.path()).num_quarantined.has_value());
  BOOST_TEST(read_manifest(folder.path()).num_reencoded.value() == 7u);
  BOOST_TEST(read_text_file(path).find("num_quarantined") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(wrong_types_name_field_expected_and_found) {
  struct Wrong {
    const char *from, *to, *message;
  };
  for (const Wrong& wrong :
       {Wrong{"\"num_samples\": 3", "\"num_samples\": \"3\"",
              "splits[0].shards[0].num_samples: expected a whole number from 0 to "
              "18446744073709551615, found \"3\""},
        Wrong{"\"num_samples\": 5", "\"num_samples\": -5",
              "splits[0].num_samples: expected a whole number from 0 to 18446744073709551615, "
              "found -5"},
        Wrong{"\"num_samples\": 5", "\"num_samples\": 5.5",
              "splits[0].num_samples: expected a whole number from 0 to 18446744073709551615, "
              "found 5.5"},
        Wrong{"\"median_width_px\": 400", "\"median_width_px\": 4294967296",
              "median_width_px: expected a whole number from 0 to 4294967295, found 4294967296"},
        Wrong{"\"circle\"", "null", "class_names[0]: expected a text, found null"},
        Wrong{"\"conversion\": {", "\"conversion\": [], \"other\": {",
              "conversion: expected an object, found []"},
        Wrong{"\"seed\": \"0\"", "\"seed\": 0", "conversion.seed: expected a text, found 0"},
        Wrong{"\"splits\": [", "\"splits\": 1, \"other\": [", "splits: expected an array, found 1"},
        Wrong{"\"largest\"", "\"largesse\"", "largest: expected a value, found none"},
        Wrong{"0.5", "true", "mean[0]: expected a number, found true"},
        Wrong{"penstock-dataset", "other",
              "format: expected \"penstock-dataset\", found "
              "\"other\""}}) {
    write_sealed(changed(wrong.from, wrong.to));
    expect(ErrorCode::kCorruptData, wrong.message);
  }
}

BOOST_AUTO_TEST_CASE(a_newer_version_is_unsupported) {
  write_sealed(changed("\"version\": 1", "\"version\": 2"));
  expect(ErrorCode::kUnsupported, "expected format version 1, found 2");
}

BOOST_AUTO_TEST_CASE(fields_that_contradict_each_other_are_refused) {
  struct Wrong {
    const char *from, *to, *message;
  };
  for (const Wrong& wrong :
       {Wrong{"\"num_samples\": 5", "\"num_samples\": 6",
              "split train: num_samples: expected the sum over its shards, 5, found 6"},
        Wrong{"\"num_samples\": 2", "\"num_samples\": 18446744073709551615",
              "split train: num_samples: expected the sum over its shards, which is more, found "
              "5"},
        Wrong{"        3,\n", "        18446744073709551615,\n",
              "split train: num_by_class: expected a sum of at most 5, found more"},
        Wrong{"        3,\n", "", "split train: num_by_class: expected 3 counts, found 2"},
        Wrong{"\"ring\"", "\"circle\"",
              "class_names: expected different, non-empty names, found \"circle\""},
        Wrong{"\"name\": \"test\"", "\"name\": \"train\"",
              "splits: expected different, non-empty names, found \"train\""},
        Wrong{"train-00000.h5", "../x.h5",
              "split train: file: expected a plain file name, found \"../x.h5\""},
        Wrong{"train-00000.h5", "/etc/passwd",
              "split train: file: expected a plain file name, found \"/etc/passwd\""},
        Wrong{"0123456789abcdef0123456789abcdef", "0123",
              "split train: uuid: expected 32 hexadecimal digits, found \"0123\""},
        Wrong{"0011223344556677", "00112233445566GG",
              "split train: header_xxh3: expected 16 hexadecimal digits, found "
              "\"00112233445566GG\""},
        Wrong{"\"long_side_px\": 512", "\"long_side_px\": 500",
              "size_histogram: long_side_px: expected rising powers of two, found 500"},
        Wrong{"\"long_side_px\": 512", "\"long_side_px\": 32768",
              "size_histogram: long_side_px: expected rising powers of two, found 32768"},
        Wrong{"\"num_samples\": 4", "\"num_samples\": 3",
              "size_histogram: num_samples: expected a sum of 5, as of the splits, found 1 less"},
        Wrong{"\"num_samples\": 4", "\"num_samples\": 18446744073709551615",
              "size_histogram: num_samples: expected a sum of 5, as of the splits, found more"},
        Wrong{"\"width_percent\": 141", "\"width_percent\": 0",
              "aspect_histogram: width_percent: expected rising numbers, found 0"},
        Wrong{"\"width_percent\": 141,\n      \"num_samples\": 3",
              "\"width_percent\": 141,\n      \"num_samples\": 4",
              "aspect_histogram: num_samples: expected a sum of 5, as of the splits, found more"},
        Wrong{"\"stored\": 18446744073709551615", "\"stored\": -1",
              "sample_bytes.stored: expected a whole number from 0 to 18446744073709551615, found "
              "-1"},
        Wrong{"    0.25,\n", "    -0.25,\n",
              "std: expected finite numbers of at least 0, found -0.250000"},
        Wrong{"    0.25,\n", "",
              "mean, std: expected as many values of one as of the other, 0 to 4, found 3 and "
              "2"}}) {
    write_sealed(changed(wrong.from, wrong.to));
    expect(ErrorCode::kCorruptData, wrong.message);
  }
}

BOOST_AUTO_TEST_CASE(an_id_that_does_not_fit_is_refused) {
  write_sealed(changed("fedcba9876543210fedcba9876543210", "fedcba9876543210fedcba9876543211"));
  BOOST_CHECK_EXCEPTION(read_manifest(folder.path()), Error, [](const Error& error) {
    return std::string(error.what()).find(": id: expected ") != std::string::npos &&
           !error.hint().empty();
  });
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_back_is_not_written) {
  const auto refused = [&](auto change) {
    Manifest manifest = small_manifest();
    change(manifest);
    BOOST_CHECK_EXCEPTION(write_manifest(folder.path(), manifest), Error, [](const Error& error) {
      return error.code() == ErrorCode::kInvalidArgument;
    });
  };
  refused([](Manifest& m) { m.class_names[0] = "\xFF\xFE"; });  // not UTF-8
  refused([](Manifest& m) { m.class_names.clear(); });
  refused([](Manifest& m) { m.splits[0].num_samples = 4; });
  refused([](Manifest& m) { m.mean[0] = std::numeric_limits<double>::quiet_NaN(); });
  refused([](Manifest& m) { m.gray->mean = std::numeric_limits<double>::infinity(); });
  refused([](Manifest& m) { m.conversion["note"] = std::string(64u << 20, 'x'); });
  BOOST_TEST(tests::count_entries(folder.path()) == 0u);
}

BOOST_AUTO_TEST_CASE(deep_nesting_is_refused_before_it_overflows_the_stack) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  write_sealed(changed("\"mean\":", "\"future\": " + deep + ",\n  \"mean\":"));
  expect(ErrorCode::kCorruptData, "expected at most 32 levels of nesting, found more");
}

// 64 MiB is the most that read_text_file() reads.
BOOST_AUTO_TEST_CASE(a_manifest_that_is_too_large_is_damage_with_a_hint) {
  publish_file(folder.path() / kManifestName, "");
  std::filesystem::resize_file(folder.path() / kManifestName, (64u << 20) + 1);
  BOOST_CHECK_EXCEPTION(read_manifest(folder.path()), Error, [&](const Error& error) {
    return error.code() == ErrorCode::kCorruptData &&
           error.hint() ==
               "restore the file from a copy, or make it anew from the shards: penstock repair " +
                   folder.path().native();
  });
}

BOOST_AUTO_TEST_CASE(a_missing_manifest_is_not_found) {
  BOOST_CHECK_EXCEPTION(read_manifest(folder.path()), Error,
                        [](const Error& error) { return error.code() == ErrorCode::kNotFound; });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
