// Conversions that are stopped or refused, and files that cannot be read: what ends all of it, and what
// costs one picture.
#include <sys/resource.h>
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/temporary_folder.h"
#include "tests/tools/convert/convert_listener.h"
#include "tests/tools/forbidden_folder.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/convert_job.h"
#include "tools/convert/quarantine.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tests::Listener;
using tests::write_file;
using tests::write_picture;

BOOST_AUTO_TEST_SUITE(convert_errors)

BOOST_AUTO_TEST_CASE(a_stop_within_the_first_shard_leaves_nothing_behind) {
  const tests::TemporaryFolder folder;
  tests::write_cats_and_dogs(folder.path() / "photos", 10);
  for (const std::uint64_t stop_at : {1u, 7u}) {
    std::stop_source stop;
    Listener listener;
    listener.at_file = [&](std::uint64_t num_done) {
      if (num_done == stop_at) stop.request_stop();
    };
    BOOST_CHECK_EXCEPTION(
        convert_folder(
            {.source = folder.path() / "photos", .dataset = folder.path() / "ds", .split = {}},
            listener, stop.get_token()),
        Error, [](const Error& error) { return error.code() == ErrorCode::kStopped; });
    BOOST_TEST(tests::count_entries(folder.path()) == 1u);
  }
}

BOOST_AUTO_TEST_CASE(a_file_that_changes_after_it_was_listed_stops_the_conversion) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  write_picture(source / "a/1.jpg", {.seed = 1});
  Listener listener;
  listener.at_notice = [&] { write_picture(source / "a/1.jpg", {.seed = 2}); };
  BOOST_CHECK_EXCEPTION(
      convert_folder({.source = source, .dataset = folder.path() / "ds", .split = {}}, listener,
                     {}),
      Error, [](const Error& error) {
        return std::string(error.what()).find("found it changed") != std::string::npos;
      });
  BOOST_TEST(tests::count_entries(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(what_concerns_one_path_alone_is_quarantined) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  tests::write_cats_and_dogs(source, 4);
  Listener listener;
  listener.at_notice = [&] {
    for (const char* name : {"0.jpg", "1.jpg", "2.jpg"}) fs::remove(source / "cat" / name);
    fs::create_symlink("1.jpg", source / "cat/1.jpg");
    ::mkfifo((source / "cat/2.jpg").c_str(), 0600);
    listener.at_notice = nullptr;
  };
  const ConvertSummary summary = convert_folder(
      {.source = source, .dataset = folder.path() / "ds", .split = {}}, listener, {});
  BOOST_TEST(summary.num_by_reason.at("unreadable") == 3u);
  const std::string csv = read_text_file(folder.path() / "ds" / kQuarantineName);
  for (const char* why : {"No such file or directory", "Too many levels of symbolic links",
                          "expected a regular file"}) {
    BOOST_TEST(csv.find(why) != std::string::npos);
  }
}

// All that is in the training split is in the test split too, and copies are to go.
BOOST_AUTO_TEST_CASE(a_split_that_loses_every_picture_is_told) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  tests::write_cats_and_dogs(source / "test", 3);
  tests::write_cats_and_dogs(source / "train", 2);
  ConvertConfig config{.source = source, .dataset = folder.path() / "ds"};
  config.policies.set("duplicate_across_splits=quarantine");
  Listener listener;
  const ConvertSummary summary = convert_folder(config, listener, {});
  BOOST_TEST(summary.manifest.find_split("train") == nullptr);
  BOOST_TEST(listener.notices.find("warning: split train: none of 4 files became a sample; there "
                                   "are no statistics\n") != std::string::npos,
             listener.notices);
  BOOST_TEST(listener.notices.find("split test") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(bad_files_beyond_the_limit_are_named_and_listed) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  tests::write_cats_and_dogs(source, 2);
  for (int i = 0; i < 12; ++i) write_file(source / "cat" / (std::to_string(100 + i) + ".jpg"), "");
  ConvertConfig config{.source = source, .dataset = folder.path() / "ds"};
  config.max_bad = {.num_pictures = 11};
  Listener listener;
  const fs::path list = folder.path() / "ds.partial" / kQuarantineName;
  BOOST_CHECK_EXCEPTION(convert_folder(config, listener, {}), Error, [&](const Error& error) {
    BOOST_TEST(error.hint() ==
               "look at " + list.native() + ", or type the command with a larger --max-bad");
    return error.code() == ErrorCode::kTooManyBad;
  });
  BOOST_TEST(listener.notices.find("12 bad files so far:\n  cat/100.jpg: empty_file\n") !=
                 std::string::npos,
             listener.notices);
  BOOST_TEST(listener.notices.find("cat/109.jpg: empty_file\n  and 2 more\n") != std::string::npos,
             listener.notices);
  BOOST_TEST(read_text_file(list).find("\ncat/111.jpg,empty_file,0,\n") != std::string::npos);
  config.max_bad = {.num_pictures = 12};
  convert_folder(config, listener, {});
  BOOST_TEST(tests::count_entries(folder.path()) == 2u);
}

BOOST_AUTO_TEST_CASE(a_folder_that_may_not_be_read_is_quarantined_and_counted) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  tests::write_cats_and_dogs(source, 3);
  write_picture(source / "fox/1.jpg");
  Listener listener;
  ConvertSummary summary;
  {
    const tests::ForbiddenFolder fox(source / "fox");
    summary = convert_folder({.source = source, .dataset = folder.path() / "ds", .split = {}},
                             listener, {});
  }
  BOOST_TEST(summary.num_by_reason.at("unreadable") == 1u);
  BOOST_TEST(summary.manifest.num_quarantined.value() == 1u);
  BOOST_CHECK((summary.manifest.class_names == std::vector<std::string>{"cat", "dog", "fox"}));
  BOOST_TEST(read_text_file(folder.path() / "ds" / kQuarantineName) ==
             "path,reason,bytes,detail\nfox/,unreadable,0,Permission denied\n");
  BOOST_TEST(listener.notices.find("1 folder may not be read and will be quarantined:\n  fox/\n") !=
             std::string::npos);
}

// For lack of descriptors no file can be opened any more; a server that drops out is the same.
BOOST_AUTO_TEST_CASE(what_would_meet_every_file_ends_the_conversion) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  // More than are read ahead.
  tests::write_cats_and_dogs(source, 400);
  rlimit before{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  Listener listener;
  listener.at_file = [&](std::uint64_t num_done) {
    if (num_done == 1) ::setrlimit(RLIMIT_NOFILE, &none);
    // Back to life, as a server may come: what was quarantined meanwhile would be missing unseen.
    if (listener.last.num_quarantined > 0) ::setrlimit(RLIMIT_NOFILE, &before);
  };
  std::string what;
  std::string hint;
  try {
    convert_folder({.source = source, .dataset = folder.path() / "ds", .split = {}, .num_jobs = 1},
                   listener, {});
  } catch (const Error& error) {
    what = error.what();
    hint = error.hint();
  }
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  BOOST_TEST(what.rfind("open: " + source.native(), 0) == 0u);
  BOOST_TEST(hint == "raise the limit of open files: ulimit -n 65536");
  BOOST_TEST(!fs::exists(folder.path() / "ds"));
}

BOOST_AUTO_TEST_CASE(when_nothing_decodes_the_reasons_are_counted) {
  const tests::TemporaryFolder folder;
  write_file(folder.path() / "photos/a/1.jpg", "");
  write_file(folder.path() / "photos/b/2.jpg", "no picture");
  Listener listener;
  BOOST_CHECK_EXCEPTION(
      convert_folder(
          {.source = folder.path() / "photos", .dataset = folder.path() / "ds", .split = {}},
          listener, {}),
      Error, [&](const Error& error) {
        BOOST_TEST(error.what() == "source: " + (folder.path() / "photos").string() +
                                       ": expected at least one picture that decodes, found 1 "
                                       "empty_file, 1 not_a_picture");
        return error.code() == ErrorCode::kCorruptData;
      });
  BOOST_TEST(tests::count_entries(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(one_folder_inside_the_other_is_refused) {
  const tests::TemporaryFolder folder;
  tests::write_cats_and_dogs(folder.path() / "photos", 1);
  Listener listener;
  BOOST_CHECK_EXCEPTION(
      convert_folder(
          {.source = folder.path() / "photos", .dataset = folder.path() / "photos/ds", .split = {}},
          listener, {}),
      Error, [](const Error& error) { return error.code() == ErrorCode::kInvalidArgument; });
}

BOOST_AUTO_TEST_CASE(a_source_inside_of_the_dataset_is_refused_by_whatever_path) {
  const tests::TemporaryFolder folder;
  tests::write_cats_and_dogs(folder.path() / "ds/photos", 1);
  fs::create_directory_symlink(folder.path() / "ds", folder.path() / "link");
  Listener listener;
  for (const char* source : {"ds/photos", "link/photos", "ds/../ds/photos/"}) {
    BOOST_CHECK_EXCEPTION(convert_folder({.source = folder.path() / source,
                                          .dataset = folder.path() / "ds",
                                          .split = {},
                                          .existing = ExistingTarget::kReplace},
                                         listener, {}),
                          Error, [](const Error& error) {
                            // It is no dataset, or one that holds more than its own files.
                            return error.code() == ErrorCode::kInvalidArgument ||
                                   error.code() == ErrorCode::kAlreadyExists;
                          });
    BOOST_TEST(fs::exists(folder.path() / "ds/photos/cat/0.jpg"));
  }
}

BOOST_AUTO_TEST_CASE(settings_out_of_range_are_named) {
  const auto names_field = [](const char* field) {
    return [field](const Error& error) {
      return std::string(error.what()).find(field) != std::string::npos;
    };
  };
  BOOST_CHECK_EXCEPTION(ConvertConfig{.shard_size_bytes = 100}.validate(), Error,
                        names_field("shard_size"));
  BOOST_CHECK_EXCEPTION(ConvertConfig{.max_px = 0}.validate(), Error, names_field("max_pixels"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
