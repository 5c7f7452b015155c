// What a conversion that was stopped leaves, and who may go on with it.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <span>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/tools/convert/convert_listener.h"
#include "tests/tools/convert/restart/killed_conversion.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;
using convert::ConvertConfig;
using convert::ConvertPoint;

struct StoppedPlace : RestartPlace {
  // Some shards are finished, not all.
  StoppedPlace() {
    stopped = convert_in_child(
        config, {.stops_at = [this](std::uint64_t num_done) { return num_done == num_files - 8; }});
    BOOST_REQUIRE(stopped.error_code == static_cast<int>(ErrorCode::kStopped));
    BOOST_REQUIRE(stopped.num_journalled > 1u);
    BOOST_REQUIRE(stopped.num_journalled < num_shards);
  }

  void check_goes_on(std::uint64_t num_to_make) {
    const ChildResult rest = convert_in_child(config);
    BOOST_REQUIRE_MESSAGE(rest.is_done, rest.what);
    BOOST_TEST(rest.num_begun == num_to_make);
    BOOST_CHECK(contents(config.dataset) == expected);
    BOOST_TEST(rest.report == report);
    BOOST_TEST(!fs::exists(partial()));
  }

  void check_refused(const std::string& why) {
    const auto before = contents(partial());
    const ChildResult refused = convert_in_child(config);
    BOOST_TEST(refused.error_code == static_cast<int>(ErrorCode::kAlreadyExists));
    BOOST_TEST(contains(refused.what, why), refused.what);
    BOOST_TEST(contains(refused.hint, "rm -r " + partial().native()), refused.hint);
    BOOST_CHECK(contents(partial()) == before);
  }

  ChildResult stopped;
};

BOOST_FIXTURE_TEST_SUITE(continue_conversion, StoppedPlace)

BOOST_AUTO_TEST_CASE(a_stop_keeps_what_is_finished_and_says_so) {
  BOOST_TEST(stopped.what == "stopped: " + config.dataset.native() + ": on request; " +
                                 std::to_string(stopped.num_journalled) + " of " +
                                 std::to_string(num_shards) + " shards are finished and kept");
  BOOST_TEST(stopped.hint == "the same command goes on from there");
  check_goes_on(num_shards - stopped.num_journalled);
}

BOOST_AUTO_TEST_CASE(jobs_memory_and_the_limit_of_bad_files_may_differ) {
  config.num_jobs = 5;
  config.memory_bytes = 200u << 20;
  config.max_bad = {.num_pictures = 12};
  check_goes_on(num_shards - stopped.num_journalled);
}

BOOST_AUTO_TEST_CASE(another_setting_is_refused_with_what_it_was) {
  config.split.seed = 7;
  config.store_names = false;
  check_refused(
      "expected the settings it was begun with, found names: kept before, now left out; "
      "seed: 0 before, now 7");
}

BOOST_AUTO_TEST_CASE(a_changed_source_is_refused_with_the_files) {
  fs::last_write_time(config.source / "cat/1.jpg",
                      fs::last_write_time(config.source / "cat/1.jpg") + std::chrono::seconds(1));
  write_file(config.source / "dog/notes.txt", "longer");
  fs::remove(config.source / "dog/small3.jpg");
  write_picture(config.source / "cat/new.jpg");
  check_refused("expected the source as it was when it was begun, found it changed: ");
  const std::string what = convert_in_child(config).what;
  BOOST_TEST(!contains(what, "\n"), what);  // a message is a line
  for (const char* line : {"cat/1.jpg: written to since; ", "cat/new.jpg: new",
                           "dog/notes.txt: 4 bytes before, now 6", "dog/small3.jpg: gone"}) {
    BOOST_TEST(contains(what, line), what);
  }
}

BOOST_AUTO_TEST_CASE(a_shard_that_is_not_as_it_was_finished_is_made_again) {
  const auto damage = [&](const fs::path& shard, std::streamoff at) {
    std::fstream file(shard, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(at);
    file.put('\xA5');
  };
  damage(partial() / "train-00000.h5", 300);  // within the header
  fs::resize_file(partial() / "train-00001.h5", 5000);
  check_goes_on(num_shards - stopped.num_journalled + 2);
}

// What the header and the index do not tell.
BOOST_AUTO_TEST_CASE(a_sample_or_a_name_that_was_damaged_since_costs_its_shard_and_is_told) {
  const auto flip = [](const fs::path& shard, std::size_t at) {
    std::string bytes = read_text_file(shard);
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    write_file(shard, bytes);
  };
  const fs::path first = partial() / "train-00000.h5";
  const fs::path second = partial() / "train-00001.h5";
  flip(first, fs::file_size(first) / 2);
  const std::size_t name = read_text_file(second).rfind(".jpg");
  BOOST_REQUIRE(name != std::string::npos);
  flip(second, name);
  Listener listener;
  const convert::ConvertSummary summary = convert_folder(config, listener, {});
  BOOST_TEST(summary.num_shards_kept == stopped.num_journalled - 2);
  BOOST_TEST(contains(listener.notices,
                      "2 shards are made again:\n  train-00000.h5: it is not as it was finished\n"
                      "  train-00001.h5: it is not as it was finished\n"),
             listener.notices);
  BOOST_CHECK(contents(config.dataset) == expected);
}

BOOST_AUTO_TEST_CASE(a_torn_line_of_the_journal_is_not_there) {
  const fs::path journal = partial() / "journal";
  const std::string text = read_text_file(journal);
  fs::resize_file(journal, fs::file_size(journal) - 5);
  check_goes_on(num_shards - stopped.num_journalled + 1);
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_ends_the_journal_where_it_stands) {
  const fs::path journal = partial() / "journal";
  std::string text = read_text_file(journal);
  const std::size_t second_shard = text.find("\n", text.find("\n") + 1) + 30;
  text[second_shard] = static_cast<char>(text[second_shard] ^ 4);
  write_file(journal, text);
  check_goes_on(num_shards - 1);
}

BOOST_AUTO_TEST_CASE(without_its_head_it_is_begun_again) {
  write_file(partial() / "journal", "0123456789abcdef {}\n");
  check_goes_on(num_shards);
}

BOOST_AUTO_TEST_CASE(a_second_stop_keeps_more) {
  const ChildResult again = convert_in_child(
      config, {.stops_at = [this](std::uint64_t num_done) { return num_done == num_files; }});
  BOOST_REQUIRE(again.error_code == static_cast<int>(ErrorCode::kStopped));
  BOOST_TEST(again.num_journalled > 0u);
  check_goes_on(num_shards - stopped.num_journalled - again.num_journalled);
}

// And it does: what is finished has none of it.
BOOST_FIXTURE_TEST_CASE(a_reason_to_stop_says_which_policy_goes_on, RestartPlace) {
  const ConvertConfig wanted = config;
  config.policies.set("truncated=stop");
  const ChildResult refused = convert_in_child(config);
  BOOST_TEST(refused.error_code == static_cast<int>(ErrorCode::kTooManyBad));
  BOOST_TEST(contains(refused.what, "expected nothing that is truncated"), refused.what);
  const bool has_finished = refused.num_journalled > 0;
  BOOST_TEST(fs::exists(partial()) == has_finished);
  const auto says = [&](const std::string& words) {
    return refused.hint.find(words) != std::string::npos;
  };
  BOOST_TEST(says("the same command with --on truncated=quarantine goes on from there; where files "
                  "were mended, rm -r " +
                  partial().native() + " first") == has_finished,
             refused.hint);
  config = wanted;  // truncated=fix
  const ChildResult rest = convert_in_child(config);
  BOOST_REQUIRE_MESSAGE(rest.is_done, rest.what);
  BOOST_TEST(rest.num_begun == num_shards - refused.num_journalled);
  BOOST_CHECK(contents(config.dataset) == expected);
}

BOOST_AUTO_TEST_CASE(policies_of_what_no_finished_shard_has_met_may_differ_and_are_kept) {
  const ConvertConfig wanted = config;
  config.policies.set("second_picture=stop");
  config.policies.set("hidden_file=quarantine");
  const ChildResult again = convert_in_child(
      config, {.stops_at = [this](std::uint64_t num_done) { return num_done == num_files - 7; }});
  BOOST_REQUIRE_MESSAGE(again.error_code == static_cast<int>(ErrorCode::kStopped), again.what);
  BOOST_TEST(contains(read_text_file(partial() / "journal"),
                      "second_picture=stop hidden_file=quarantine"));
  config = wanted;
  check_goes_on(num_shards - stopped.num_journalled - again.num_journalled);
}

BOOST_AUTO_TEST_CASE(another_policy_for_what_a_finished_shard_has_met_is_refused) {
  const std::string journal = read_text_file(partial() / "journal");
  const std::string shards = journal.substr(journal.find('\n'));
  for (const char* reason : {"other_format", "progressive", "empty_file", "not_a_picture"}) {
    if (!contains(shards, '"' + std::string(reason) + '"')) continue;
    config.policies.set(std::string(reason) + "=stop");
    check_refused("found --on " + std::string(reason) + ": ");
    return;
  }
  BOOST_FAIL("no finished shard has met any reason");
}

BOOST_AUTO_TEST_CASE(settings_and_policies_that_differ_are_all_named) {
  config.split.seed = 7;
  config.max_px = 50'000'000;
  config.policies.set("duplicate_across_classes=quarantine");
  check_refused(
      "expected the settings it was begun with, found max_pixels: 100000000 before, now 50000000; "
      "seed: 0 before, now 7; --on duplicate_across_classes: keep before, now quarantine");
}

// Shards that are finished hold copies that would have to go, or miss some.
BOOST_AUTO_TEST_CASE(copies_cannot_be_dropped_or_kept_once_a_shard_is_finished) {
  const bool are_dropped =
      config.policies[convert::ReasonCode::kDuplicateWithinClass] == convert::Policy::kQuarantine;
  config.policies.set(std::string("duplicate_within_class=") +
                      (are_dropped ? "keep" : "quarantine"));
  check_refused("found --on duplicate_within_class: ");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(nothing_finished, RestartPlace)

BOOST_AUTO_TEST_CASE(other_settings_or_another_source_begin_anew_where_no_shard_is_finished) {
  const ConvertConfig wanted = config;
  config.split.seed = 7;
  const auto kill_when_begun = [](ConvertPoint here, std::uint64_t) {
    if (here == ConvertPoint::kShardBegun) kill_self();
  };
  BOOST_REQUIRE(convert_in_child(config, {.at_point = kill_when_begun}).signal_number != 0);
  BOOST_REQUIRE(fs::exists(partial() / "journal"));
  config = wanted;
  write_picture(config.source / "cat/new.jpg", {.seed = 50});
  BOOST_REQUIRE(convert_in_child(config, {.at_point = kill_when_begun}).signal_number != 0);
  fs::remove(config.source / "cat/new.jpg");
  const ChildResult rest = convert_in_child(config);
  BOOST_REQUIRE_MESSAGE(rest.is_done, rest.what);
  BOOST_CHECK(contents(config.dataset) == expected);
}

BOOST_AUTO_TEST_SUITE_END()

// One picture takes more than a small limit has for one.
struct LimitPlace : TemporaryFolder {
  LimitPlace() : TemporaryFolder(quick_disk()) {
    config.source = path() / "photos";
    config.shard_size_bytes = 1u << 20;
    config.num_jobs = 2;
    for (std::uint32_t i = 0; i < 8; ++i) {
      const std::string name = std::to_string(i) + ".jpg";
      write_file(config.source / "cat" / name, std::span<const std::byte>(padded_jpeg(i, 6)));
      write_file(config.source / "dog" / name, std::span<const std::byte>(padded_jpeg(50 + i, 6)));
    }
    write_file(config.source / "dog/large.jpg", std::span<const std::byte>(padded_jpeg(99, 620)));
  }

  // Killed when all shards are finished under one limit, gone on with under the other.
  void check_change(std::uint64_t first_bytes, std::uint64_t second_bytes,
                    std::uint64_t num_above) const {
    ConvertConfig first = config;
    first.dataset = path() / "ds";
    first.memory_bytes = first_bytes;
    BOOST_REQUIRE(convert_in_child(first, {.at_point =
                                               [](ConvertPoint here, std::uint64_t) {
                                                 if (here == ConvertPoint::kShardsDone) kill_self();
                                               }})
                      .signal_number != 0);
    ConvertConfig second = first;
    second.memory_bytes = second_bytes;
    Listener listener;
    const convert::ConvertSummary summary = convert_folder(second, listener, {});
    BOOST_TEST(summary.manifest.num_quarantined.value() == num_above);
    BOOST_TEST(summary.num_shards_kept > 0u);
    BOOST_TEST(contains(listener.notices, "1 shard is made again:\n"), listener.notices);
    BOOST_TEST(contains(listener.notices,
                        ": one picture may take " + std::to_string(second_bytes >> 21) + ".0 MiB"),
               listener.notices);
    second.dataset = path() / "whole";
    BOOST_REQUIRE(convert_in_child(second).is_done);
    BOOST_CHECK(contents(first.dataset) == contents(second.dataset));
  }

  ConvertConfig config;
};

BOOST_FIXTURE_TEST_SUITE(another_limit_of_memory, LimitPlace)

BOOST_AUTO_TEST_CASE(a_larger_limit_brings_what_the_smaller_one_left_out_as_in_an_unbroken_run) {
  check_change(70u << 20, 200u << 20, 0);
}

BOOST_AUTO_TEST_CASE(a_smaller_limit_leaves_out_what_an_unbroken_run_with_it_does) {
  check_change(200u << 20, 70u << 20, 1);
}

BOOST_AUTO_TEST_CASE(where_it_makes_no_difference_nothing_is_made_again) {
  fs::remove(config.source / "dog/large.jpg");
  config.dataset = path() / "ds";
  config.memory_bytes = 70u << 20;
  const ChildResult killed =
      convert_in_child(config, {.at_point = [](ConvertPoint here, std::uint64_t) {
                         if (here == ConvertPoint::kShardsDone) kill_self();
                       }});
  BOOST_REQUIRE(killed.num_journalled > 0u);
  config.memory_bytes = 200u << 20;
  Listener listener;
  BOOST_TEST(convert_folder(config, listener, {}).num_shards_kept == killed.num_journalled);
  BOOST_TEST(!contains(listener.notices, "made again"), listener.notices);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(limit_of_bad_files, RestartPlace)

// Three files are bad: an empty one, text that is called a picture, and a copy that is to go.
BOOST_AUTO_TEST_CASE(it_stops_beyond_the_limit_and_a_larger_one_goes_on) {
  config.max_bad = {.num_pictures = 2};
  const ChildResult stopped = convert_in_child(config);
  BOOST_TEST(stopped.error_code == static_cast<int>(ErrorCode::kTooManyBad));
  BOOST_TEST(contains(stopped.what, "expected at most 2 bad among 35 files, found one more"),
             stopped.what);
  BOOST_TEST(contains(stopped.hint, "look at " + partial().native() + "/quarantine.csv, or"),
             stopped.hint);
  const std::string list = read_text_file(partial() / "quarantine.csv");
  for (const char* row : {"cat/empty.jpg,empty_file,0,", ",not_a_picture,", ",duplicate_within"}) {
    BOOST_TEST(contains(list, row), list);
  }
  config.max_bad = {.num_pictures = 3};
  const ChildResult rest = convert_in_child(config);
  BOOST_REQUIRE_MESSAGE(rest.is_done, rest.what);
  BOOST_TEST(rest.num_begun == num_shards - stopped.num_journalled);
  BOOST_CHECK(contents(config.dataset) == expected);
}

BOOST_AUTO_TEST_CASE(a_part_of_all_is_a_limit_too) {
  config.max_bad = {.fraction = 0.06};  // of 35: two
  BOOST_TEST(convert_in_child(config).error_code == static_cast<int>(ErrorCode::kTooManyBad));
  config.max_bad = {.fraction = 0.09};
  BOOST_TEST(convert_in_child(config).is_done);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
