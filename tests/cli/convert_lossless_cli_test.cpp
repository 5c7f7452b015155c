// What penstock convert changes about a JPEG without a change of its pixels, as it is typed.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "fixtures/jpeg_edit.h"
#include "fixtures/picture_bytes.h"
#include "streamer/core/file.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

struct Photographs {
  TemporaryFolder folder;
  std::string source = (folder.path() / "photos").string();
  std::string dataset = (folder.path() / "photos.ds").string();

  // Three with a place (Exif 3.0, 4.6.3: tag 34853), held otherwise, progressive; and a plain one.
  Photographs() {
    const std::string exif =
        "Exif\0\0II*"
        "\0\x08\0\0\0\x02\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\x25\x88\x04\0\x01\0\0\0\x26\0\0\0"
        "\0\0\0\0\0\0\0\0 a place"s;
    for (const char* const name : {"1.jpg", "2.jpg", "3.jpg"}) {
      const fixtures::Bytes jpeg = fixtures::with_segment(
          picture_jpeg({.width_px = 80, .height_px = 64, .jpeg = {.is_progressive = true}}),
          fixtures::JpegMarker::kApp1, std::as_bytes(std::span(exif)));
      write_file(fs::path(source) / "cat" / name, std::span<const std::byte>(jpeg));
    }
    write_picture(fs::path(source) / "dog" / "plain.jpg", {.width_px = 80, .height_px = 64});
  }

  CommandResult convert(std::vector<std::string> flags) const {
    std::vector<std::string> line = {"convert", source, dataset, "--force", "--validation-split",
                                     "0"};
    line.insert(line.end(), flags.begin(), flags.end());
    return run_penstock(line);
  }
  nlohmann::json inspect() const {
    return nlohmann::json::parse(run_penstock({"inspect", dataset, "--metadata", "--json"}).out);
  }
};

BOOST_AUTO_TEST_SUITE(convert_lossless_cli)

BOOST_AUTO_TEST_CASE(stripped_shards_carry_nothing_of_people_and_extracted_files_stand_upright) {
  const Photographs photographs;
  BOOST_TEST(photographs.convert({}).exit_code == 0);
  BOOST_TEST(photographs.inspect()["splits"]["train"]["metadata"]["num_gps"] == 3);
  for (const std::vector<std::string>& flags : {std::vector<std::string>{"--strip-metadata"},
                                                {"--strip-metadata", "--trust"},
                                                {"--strip-metadata", "--optimize-crops"}}) {
    const CommandResult result = photographs.convert(flags);
    BOOST_TEST(result.exit_code == 0);
    BOOST_TEST(contains(result.out, "stripped      3 pictures of "), result.out);
    const auto metadata = photographs.inspect()["splits"]["train"]["metadata"];
    for (const char* const key : {"num_exif", "num_gps", "num_xmp", "num_iptc", "num_text"}) {
      BOOST_TEST(metadata.at(key) == 0, key);
    }
    const std::string files = (photographs.folder.path() / "files").string();
    BOOST_TEST(run_penstock({"extract", photographs.dataset, files}).exit_code == 0);
    std::uint64_t num_turned = 0;
    for (const auto& entry : fs::recursive_directory_iterator(files)) {
      if (!entry.is_regular_file()) continue;
      const std::string bytes = read_text_file(entry.path());
      BOOST_TEST(!contains(bytes, "a place"));
      // Tag 274, a SHORT, one of them: 6.
      num_turned += contains(bytes, "\x01\x12\0\x03\0\0\0\x01\0\x06"s) ? 1 : 0;
    }
    BOOST_TEST(num_turned == 3u);
    fs::remove_all(files);
  }
}

BOOST_AUTO_TEST_CASE(crops_are_optimized_and_both_kinds_counted) {
  const Photographs photographs;
  const CommandResult result = photographs.convert({"--optimize-crops"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.out, "rewritten     3 pictures of several scans"), result.out);
  BOOST_TEST(contains(result.out, "optimized     1 picture of one scan"), result.out);
  const CommandResult json = photographs.convert({"--optimize-crops", "--json", "--quiet"});
  BOOST_TEST(nlohmann::json::parse(json.out)["num_optimized"] == 1);
}

BOOST_AUTO_TEST_CASE(large_coefficients_are_rewritten_by_default_and_the_limit_is_a_flag) {
  const Photographs photographs;
  const CommandResult within = photographs.convert({});
  BOOST_TEST(!contains(within.out, "rewritten"), within.out);
  const CommandResult above = photographs.convert({"--max-coefficients", "4K"});
  BOOST_TEST(above.exit_code == 0);
  BOOST_TEST(contains(above.out, "rewritten     3 pictures of several scans"), above.out);
  BOOST_TEST(contains(above.out, "3 large_coefficients"), above.out);
  const CommandResult kept =
      photographs.convert({"--max-coefficients", "4K", "--on", "large_coefficients=keep"});
  BOOST_TEST(!contains(kept.out, "rewritten"), kept.out);
  const CommandResult lost =
      photographs.convert({"--max-coefficients", "4K", "--on", "large_coefficients=quarantine"});
  BOOST_TEST(contains(lost.out, "(3 large_coefficients)"), lost.out);
}

BOOST_AUTO_TEST_CASE(trust_and_optimized_crops_contradict_each_other) {
  const Photographs photographs;
  check_refused(photographs.convert({"--trust", "--optimize-crops"}), 2,
                "convert: trust: expected it without optimize_crops, which decodes every JPEG that "
                "it rewrites, found both",
                "leave out --trust, or --optimize-crops");
  check_refused(photographs.convert({"--trust", "--near-duplicates"}), 2,
                "convert: trust: expected it without near_duplicates, for which every picture is "
                "decoded, found both",
                "leave out --trust, or --near-duplicates");
}

BOOST_AUTO_TEST_CASE(bare_pixels_and_optimized_crops_contradict_each_other) {
  const Photographs photographs;
  check_refused(photographs.convert({"--codec", "raw", "--optimize-crops"}), 2,
                "convert: optimize_crops: expected a codec that stores JPEG, found raw",
                "leave out --optimize-crops, or --codec raw");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
