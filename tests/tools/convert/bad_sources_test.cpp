// Bad archives, batches, tables and classes, and files beyond a limit: what is good in them is stored, each
// of the others has its fate, and a policy of "stop" ends the conversion with its name.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "fixtures/bad_source.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/shard/dataset.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/convert/convert_listener.h"
#include "tools/convert/convert_job.h"
#include "tools/convert/quarantine.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using fixtures::BadFate;
using fixtures::BadSource;

struct Sources {
  std::vector<BadSource> of_fate(BadFate fate) const {
    std::vector<BadSource> some;
    for (const BadSource& source : all) {
      if (source.fate == fate) some.push_back(source);
    }
    BOOST_REQUIRE(some.size() >= 1);
    return some;
  }

  ConvertConfig config(const BadSource& source) const {
    ConvertConfig config;
    config.source = place.path() / "bad" / source.name;
    config.dataset = place.path() / (source.name + ".ds");
    config.split.validation_fraction = 0.0;
    if (!source.labels.empty()) config.labels = place.path() / "bad" / source.labels;
    config.num_jobs = 1;
    if (source.memory_bytes != 0) config.memory_bytes = source.memory_bytes;
    if (source.max_coefficient_bytes != 0) {
      config.max_coefficient_bytes = source.max_coefficient_bytes;
    }
    return config;
  }

  ConvertSummary convert(const BadSource& source, const std::string& choice = "") {
    ConvertConfig asked = config(source);
    if (!choice.empty()) asked.policies.set(choice);
    tests::Listener listener;
    return convert_folder(asked, listener, {});
  }

  // "path reason" of quarantine.csv.
  std::multiset<std::string> quarantine(const BadSource& source) const {
    std::multiset<std::string> found;
    const fs::path csv = config(source).dataset / kQuarantineName;
    if (!fs::exists(csv)) return found;
    std::istringstream lines(read_text_file(csv));
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      const std::size_t comma = line.find(',');
      found.insert(line.substr(0, comma) + " " +
                   line.substr(comma + 1, line.find(',', comma + 1) - comma - 1));
    }
    return found;
  }

  std::set<std::string> stored(const BadSource& source) const {
    const Dataset dataset = Dataset::open(config(source).dataset);
    std::set<std::string> names;
    for (const ManifestSplit& split : dataset.manifest().splits) {
      for (std::string& name : dataset.split(split.name).read_names())
        names.insert(std::move(name));
    }
    return names;
  }

  const tests::TemporaryFolder place;
  const std::vector<BadSource> all = fixtures::write_bad_sources(place.path() / "bad");
};

void check_stop(Sources& sources, const BadSource& source) {
  const std::string choice = source.reason + "=stop";
  BOOST_CHECK_EXCEPTION(sources.convert(source, choice), Error, [&](const Error& error) {
    BOOST_TEST(tests::contains(error.what(), source.reason), error.what());
    BOOST_TEST(tests::contains(error.what(), choice), error.what());
    return error.code() == ErrorCode::kTooManyBad;
  });
  BOOST_TEST(!fs::exists(sources.config(source).dataset));
}

BOOST_FIXTURE_TEST_SUITE(bad_sources, Sources)

BOOST_AUTO_TEST_CASE(what_cannot_be_a_sample_is_listed_with_its_reason_and_the_rest_is_stored) {
  for (const BadSource& source : of_fate(BadFate::kQuarantined)) {
    BOOST_TEST_CONTEXT(source.name) {
      const ConvertSummary summary = convert(source);
      std::multiset<std::string> expected;
      for (const std::string& path : source.paths) expected.insert(path + " " + source.reason);
      BOOST_TEST(summary.reasons.num_quarantined(*find_reason(source.reason)) == expected.size());
      expected.insert(source.also.begin(), source.also.end());
      BOOST_TEST(quarantine(source) == expected, boost::test_tools::per_element());
      BOOST_TEST(stored(source).size() == source.num_good);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_source_ends_at_what_must_not_be_there) {
  for (const BadFate fate : {BadFate::kQuarantined, BadFate::kFixed, BadFate::kKept}) {
    for (const BadSource& source : of_fate(fate)) {
      BOOST_TEST_CONTEXT(source.name) {
        check_stop(*this, source);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_fixed_is_stored_and_counted) {
  for (const BadSource& source : of_fate(BadFate::kFixed)) {
    BOOST_TEST_CONTEXT(source.name) {
      const ConvertSummary summary = convert(source);
      const auto names = stored(source);
      BOOST_TEST(names.size() == source.num_good + source.paths.size());
      for (const std::string& path : source.paths) BOOST_TEST(names.contains(path), path);
      BOOST_TEST(summary.reasons.num_fixed(*find_reason(source.reason)) == source.paths.size());
      BOOST_TEST(quarantine(source).empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(odd_classes_keep_their_index_and_are_told) {
  for (const BadSource& source : of_fate(BadFate::kKept)) {
    BOOST_TEST_CONTEXT(source.name) {
      tests::Listener listener;
      const Manifest manifest = convert_folder(config(source), listener, {}).manifest;
      BOOST_REQUIRE(source.paths.size() == 1u);
      const std::string& name = source.paths.front();
      const auto found = std::ranges::find(manifest.class_names, name);
      BOOST_REQUIRE(found != manifest.class_names.end());
      const auto class_idx = static_cast<std::size_t>(found - manifest.class_names.begin());
      const bool is_empty = source.reason == "empty_class";
      BOOST_TEST(manifest.class_names.size() == (is_empty ? 3u : 1u));
      BOOST_TEST(manifest.splits.at(0).num_by_class.at(class_idx) == (is_empty ? 0u : 2u));
      BOOST_TEST(
          tests::contains(listener.notices,
                          is_empty ? "has no picture and keeps its class index" : "only one class"),
          listener.notices);
      BOOST_TEST(stored(source).size() == source.num_good);
    }
  }
}

BOOST_AUTO_TEST_CASE(class_lists_that_differ_make_no_dataset) {
  for (const BadSource& source : of_fate(BadFate::kStopped)) {
    BOOST_CHECK_EXCEPTION(convert(source), Error, [&](const Error& error) {
      BOOST_TEST(tests::contains(error.what(), "expected the classes of 'train'"), error.what());
      return error.code() == ErrorCode::kTooManyBad;
    });
    BOOST_TEST(!fs::exists(config(source).dataset));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
