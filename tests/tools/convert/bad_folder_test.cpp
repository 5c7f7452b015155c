// All that is bad in one folder, among good pictures: nothing good is lost, each of the others has
// its fate, in the dataset, in quarantine.csv and in the summary.
#include <fmt/core.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "fixtures/bad_picture.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/shard/dataset.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/forbidden_folder.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/convert_job.h"
#include "tools/convert/convert_report.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/quarantine.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using fixtures::BadFate;
using fixtures::BadPicture;

class Silent final : public ConvertObserver {
 public:
  void notice(const std::string& text) override { notices += text + "\n"; }
  void progress(const ConvertProgress&) override {}
  std::string notices;
};

const char* class_of(const BadPicture& picture) {
  constexpr const char* kClasses[] = {"a", "b", "c"};
  return kClasses[picture.number % 3];
}

std::string path_of(const BadPicture& picture) {
  return std::string(class_of(picture)) + "/" + picture.file_name();
}

// Lowers what root may do to what others may: files of no permissions exist for it too.
struct Folder {
  Folder() {
    fixtures::write_bad_folder(source);
    // Longer than a sample may be, on the disk nothing.
    for (const char* name : {"a/long.jpg", "b/long.jpg", "c/long.jpg"}) {
      tests::write_file(source / name, "\xFF\xD8\xFF");
      fs::resize_file(source / name, kMaxFileBytes + 1);
    }
    fs::create_directory(place.path() / "elsewhere");
  }

  ConvertSummary convert(const char* name, const ReasonPolicies& policies = {}) {
    const tests::ForbiddenFolder obeying(place.path() / "elsewhere");
    return convert_folder({.source = source,
                           .dataset = place.path() / name,
                           .split = {.validation_fraction = 0.0, .test_fraction = {}},
                           .policies = policies},
                          observer, {});
  }

  // Reasons by path, as quarantine.csv has them.
  std::map<std::string, std::string> quarantine(const char* name) const {
    std::map<std::string, std::string> reasons;
    std::istringstream csv(read_text_file(place.path() / name / kQuarantineName));
    std::string line;
    std::getline(csv, line);
    while (std::getline(csv, line)) {
      const std::size_t comma = line.find(',');
      reasons[line.substr(0, comma)] =
          line.substr(comma + 1, line.find(',', comma + 1) - comma - 1);
    }
    return reasons;
  }

  std::set<std::string> stored(const char* name) const {
    const auto names = Dataset::open(place.path() / name).split("train").read_names();
    return {names.begin(), names.end()};
  }

  tests::TemporaryFolder place;
  fs::path source = place.path() / "oddities";
  Silent observer;
};

BOOST_AUTO_TEST_SUITE(bad_folder)

// What the maker says, and the document, is what lies there.
BOOST_AUTO_TEST_CASE(it_holds_as_many_files_as_it_is_said_to) {
  const tests::TemporaryFolder place;
  fixtures::write_bad_folder(place.path() / "bad");
  std::size_t num_files = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(place.path() / "bad")) {
    if (entry.is_symlink() || !entry.is_directory()) ++num_files;
  }
  const std::size_t num_bad = fixtures::all_bad_pictures().size() + fixtures::odd_files().size();
  const std::size_t num_good = fixtures::good_names().size();
  BOOST_TEST(num_files == num_bad + num_good);
  const std::string document =
      read_text_file(fs::path(PENSTOCK_REASONS_DOCUMENT).parent_path() / "README.md");
  const std::string said = fmt::format("{} bad files among {} good ones", num_bad, num_good);
  BOOST_TEST(tests::contains(document, said), said);
}

BOOST_AUTO_TEST_CASE(each_file_has_its_fate_and_no_good_one_is_lost) {
  Folder folder;
  const ConvertSummary summary = folder.convert("ds");
  const auto stored = folder.stored("ds");
  const auto quarantine = folder.quarantine("ds");
  for (const std::string& name : fixtures::good_names()) BOOST_TEST(stored.count(name) == 1u, name);
  for (const BadPicture& picture : fixtures::all_bad_pictures()) {
    const std::string path = path_of(picture);
    const bool is_stored = picture.fate == BadFate::kKept || picture.fate == BadFate::kFixed;
    BOOST_TEST((stored.count(path) == 1) == is_stored, path);
    const auto listed = quarantine.find(path);
    const bool is_listed = listed != quarantine.end();
    BOOST_TEST(is_listed == (picture.fate == BadFate::kQuarantined), path);
    if (is_listed) BOOST_TEST(listed->second == picture.reason, path);
  }
  for (const char* name : {"a/", "b/", "c/"}) {
    BOOST_TEST(quarantine.at(std::string(name) + "closed.jpg") == "unreadable");
    BOOST_TEST(quarantine.at(std::string(name) + "long.jpg") == "file_too_large");
    for (const char* odd : {"new\nline.jpg", "tab\there.jpg", "-rf.jpg", "no-utf8-\xE4\xFF.jpg",
                            "Twin.jpg", "twin.jpg", "caf\xC3\xA9.jpg", "cafe\xCC\x81.jpg"}) {
      BOOST_TEST(stored.count(std::string(name) + odd) == 1u);
    }
  }
  BOOST_TEST(summary.skipped.num_system == 9u);
  BOOST_TEST(summary.skipped.num_hidden == 3u);
  BOOST_TEST(summary.skipped.num_symlinks == 9u);
  BOOST_TEST(summary.skipped.num_special == 6u);
  BOOST_TEST(summary.num_outside == 3u);
  BOOST_TEST(summary.counted.num_text_skipped == 3u);
  BOOST_TEST(summary.manifest.class_names.size() == 4u);
  BOOST_TEST(!fs::exists(folder.place.path() / "ds" / kFixedName));
}

// What a reason's pictures became stands in the summary, as the fixtures state it.
BOOST_AUTO_TEST_CASE(the_summary_counts_by_reason_what_was_kept_fixed_and_quarantined) {
  Folder folder;
  const ConvertSummary summary = folder.convert("ds");
  std::map<std::string, std::uint64_t> quarantined;
  for (const BadPicture& picture : fixtures::all_bad_pictures()) {
    if (picture.fate == BadFate::kQuarantined) ++quarantined[picture.reason];
  }
  for (const auto& [reason, count] : quarantined) {
    BOOST_TEST(summary.reasons.num_quarantined(*find_reason(reason)) == count,
               reason << "\n"
                      << read_text_file(folder.place.path() / "ds" / kQuarantineName));
  }
  BOOST_TEST(summary.reasons.num_fixed(ReasonCode::kCmyk) == 6u);
  BOOST_TEST(summary.reasons.num_kept(ReasonCode::kArithmetic) == 3u);
  BOOST_TEST(summary.reasons.num_kept(ReasonCode::kTwinName) == 12u);
  BOOST_TEST(summary.reasons.num_kept(ReasonCode::kControlInName) == 6u);
  BOOST_TEST(summary.reasons.num_kept(ReasonCode::kDashName) == 3u);
  BOOST_TEST(summary.reasons.num_kept(ReasonCode::kNotUtf8Name) == 3u);
  BOOST_TEST(summary.reasons.num_kept(ReasonCode::kLongName) == 3u);
  const std::string text = summary_text(summary, "ds");
  BOOST_TEST(text.find("6 cmyk, 3 ycck") != std::string::npos, text);
  BOOST_TEST(text.find("3 arithmetic") != std::string::npos, text);
  BOOST_TEST(summary_json(summary).find("\"ycck\": 3") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_passed_over_is_listed_on_request) {
  Folder folder;
  ReasonPolicies policies;
  policies.set("text=quarantine");
  const std::vector<fixtures::OddFile> odd = fixtures::odd_files();
  for (const fixtures::OddFile& one : odd) policies.set(one.reason + "=quarantine");
  const ConvertSummary summary = folder.convert("ds", policies);
  const auto quarantine = folder.quarantine("ds");
  for (const fixtures::OddFile& one : odd) {
    const bool is_folder = fs::is_directory(folder.source / one.path);
    const std::string path = tools::printable(one.path) + (is_folder ? "/" : "");
    BOOST_REQUIRE_MESSAGE(quarantine.count(path) == 1, path);
    BOOST_TEST(quarantine.at(path) == one.reason, path);
  }
  BOOST_TEST(summary.reasons.num_quarantined(ReasonCode::kSystemFile) == 9u);
  BOOST_TEST(summary.skipped.total() == 0u);
  BOOST_TEST(summary.num_outside == 0u);
  BOOST_TEST(folder.stored("ds").count("a/good-0.jpg") == 1u);
}

// exit code 3, by way of the error's code.
BOOST_AUTO_TEST_CASE(stop_names_the_file_and_makes_no_dataset) {
  Folder folder;
  const std::map<std::string, std::string> choices{{"constant=stop", "constant"},
                                                   {"truncated=stop", "truncated"},
                                                   {"text=stop", "text"},
                                                   {"symlink=stop", "symlink"},
                                                   {"outside_classes=stop", "outside_classes"},
                                                   {"twin_name=stop", "twin_name"},
                                                   {"empty_class=stop", "empty_class"},
                                                   {"file_too_large=stop", "file_too_large"},
                                                   {"unreadable=stop", "unreadable"}};
  for (const auto& [choice, reason] : choices) {
    ReasonPolicies policies;
    policies.set(choice);
    BOOST_CHECK_EXCEPTION(folder.convert("ds", policies), Error, [&](const Error& error) {
      const std::string expected = reason == "empty_class" ? "expected pictures in it"
                                                           : "expected nothing that is " + reason;
      BOOST_TEST(tests::contains(error.what(), expected + " (--on " + choice + ")"), error.what());
      return error.code() == ErrorCode::kTooManyBad;
    });
    BOOST_TEST(!fs::exists(folder.place.path() / "ds"));
    // Shards finished before it are those of another conversion to the next policy.
    fs::remove_all(folder.place.path() / "ds.partial");
  }
}

BOOST_AUTO_TEST_CASE(what_a_fix_has_cost_is_listed) {
  Folder folder;
  ReasonPolicies policies;
  policies.set("truncated=fix");
  policies.set("bad_crc=fix");
  const ConvertSummary summary = folder.convert("ds", policies);
  const std::string csv = read_text_file(folder.place.path() / "ds" / kFixedName);
  BOOST_TEST(csv.find("\na/truncated-cut-0.jpg,truncated,") != std::string::npos, csv);
  BOOST_TEST(csv.find("\nb/bad_crc-wrong_crc-1.png,bad_crc,") != std::string::npos, csv);
  BOOST_TEST(summary.counted.num_listed_as_fixed ==
             9u);  // three of each kind of JPEG, three of PNG
  BOOST_TEST(folder.stored("ds").count("a/truncated-cut-0.jpg") == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
