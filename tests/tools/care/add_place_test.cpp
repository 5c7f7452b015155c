// Where the source of an addition is converted, and who else changes the dataset meanwhile.
#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>

#include "streamer/core/error.h"
#include "streamer/shard/manifest.h"
#include "tests/tools/care/cared_dataset.h"
#include "tools/care/add_job.h"
#include "tools/care/dataset_change.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using tests::add;
using tests::CaredDataset;
using tests::files_below;

BOOST_AUTO_TEST_SUITE(add_place)

// A rename leads nowhere else.
BOOST_AUTO_TEST_CASE(what_is_added_is_converted_on_the_disk_of_the_dataset_however_that_is_typed) {
  const CaredDataset dataset;
  const fs::path link = dataset.folder() / "links/link";
  fs::create_directories(link.parent_path());
  fs::create_directory_symlink(dataset.path(), link);
  const fs::path beside = dataset.folder() / "photos.ds.adding";
  for (const fs::path& typed : {dataset.path(), dataset.path() / "", dataset.path() / ".", link}) {
    BOOST_TEST(fs::weakly_canonical(adding_folder(typed)) == fs::weakly_canonical(beside), typed);
  }
  BOOST_TEST(adding_folder("/proc") == "/proc/new.adding");  // mounted
  const fs::path more = dataset.folder() / "more";
  tests::write_picture(more / "dog/new.jpg", {.seed = 300});
  struct Watch final : convert::ConvertObserver {
    explicit Watch(fs::path folder) : expected(std::move(folder)) { expected += ".partial"; }
    void notice(const std::string&) override {}
    void progress(const convert::ConvertProgress&) override {}
    void reached(convert::ConvertPoint point) override {
      if (point == convert::ConvertPoint::kFolderMade) is_there = fs::exists(expected);
    }
    fs::path expected;
    bool is_there = false;
  } watch(beside);
  const AddSummary summary = add_to_dataset({.dataset = link, .source = more}, watch, {});
  BOOST_TEST(summary.num_added == 1u);
  BOOST_TEST(watch.is_there);
  BOOST_TEST(dataset.check().is_whole());
  BOOST_TEST(fs::is_symlink(link));
}

BOOST_AUTO_TEST_CASE(a_dataset_of_the_users_that_lies_where_the_source_is_converted_stays) {
  const CaredDataset dataset;
  const fs::path kept = dataset.folder() / "photos.ds.adding";
  const fs::path more = dataset.folder() / "more";
  tests::write_picture(more / "dog/new.jpg", {.seed = 300});
  const auto is_refused = [&](const Error& error) {
    return error.code() == ErrorCode::kAlreadyExists &&
           error.hint() == "mv " + kept.native() + " " + kept.native() + ".kept";
  };
  const auto before = files_below(dataset.path());
  fs::copy(dataset.path(), kept);
  BOOST_CHECK_EXCEPTION(add(dataset.path(), more), Error, is_refused);
  BOOST_TEST((files_below(kept) == before));
  fs::remove_all(kept);
  fs::create_directory(kept);
  BOOST_CHECK_EXCEPTION(add(dataset.path(), more), Error, is_refused);
  BOOST_TEST(fs::exists(kept));
  fs::rename(kept, kept.native() + ".kept");  // the hint
  BOOST_TEST(add(dataset.path(), more).num_added == 1u);
  // The mark of an addition goes with it.
  BOOST_TEST(!read_manifest(dataset.path()).conversion.contains("addition"));
}

// Calls `act` when the first picture is looked at.
struct ActingObserver final : convert::ConvertObserver {
  void notice(const std::string&) override {}
  void progress(const convert::ConvertProgress&) override {
    if (act) act();
    act = nullptr;
  }
  std::function<void()> act;
};

BOOST_AUTO_TEST_CASE(nobody_replaces_a_dataset_while_something_is_added_to_it) {
  const CaredDataset dataset;
  tests::write_picture(dataset.folder() / "more/dog/new.jpg", {.seed = 300});
  ActingObserver observer;
  observer.act = [&] {
    tests::SilentObserver silent;
    BOOST_CHECK_EXCEPTION(
        convert_folder({.source = dataset.source(),
                        .dataset = dataset.path(),
                        .split = {.seed = 7},
                        .existing = convert::ExistingTarget::kReplace},
                       silent, {}),
        Error, [](const Error& error) {
          return std::string(error.what()).find("expected nobody else who changes it, found one") !=
                 std::string::npos;
        });
  };
  const AddSummary summary = add_to_dataset(
      {.dataset = dataset.path(), .source = dataset.folder() / "more"}, observer, {});
  BOOST_TEST(!observer.act);
  BOOST_TEST(summary.num_samples == 17u);
  BOOST_TEST(dataset.check().is_whole());
  BOOST_TEST(!fs::exists(dataset.folder() / "photos.ds.partial"));
}

BOOST_AUTO_TEST_CASE(nothing_is_added_to_a_dataset_while_it_is_replaced) {
  const CaredDataset dataset;
  tests::write_picture(dataset.folder() / "more/dog/new.jpg", {.seed = 300});
  ActingObserver observer;
  observer.act = [&] {
    BOOST_CHECK_EXCEPTION(
        add(dataset.path(), dataset.folder() / "more"), Error,
        [](const Error& error) { return error.code() == ErrorCode::kAlreadyExists; });
  };
  convert_folder({.source = dataset.source(),
                  .dataset = dataset.path(),
                  .split = {.seed = 7},
                  .existing = convert::ExistingTarget::kReplace},
                 observer, {});
  BOOST_TEST(!observer.act);
  BOOST_TEST(dataset.check().is_whole());
}

BOOST_AUTO_TEST_CASE(nothing_is_added_to_another_dataset_that_took_the_place_of_the_first) {
  const CaredDataset dataset;
  tests::write_picture(dataset.folder() / "more/dog/new.jpg", {.seed = 300});
  tests::convert_quietly(dataset.source(), dataset.folder() / "other.ds", 0.0);
  const auto before = files_below(dataset.folder() / "other.ds");
  ActingObserver observer;
  observer.act = [&] {
    fs::rename(dataset.path(), dataset.folder() / "aside.ds");
    fs::rename(dataset.folder() / "other.ds", dataset.path());
  };
  BOOST_CHECK_EXCEPTION(
      add_to_dataset({.dataset = dataset.path(), .source = dataset.folder() / "more"}, observer,
                     {}),
      Error, [](const Error& error) { return error.code() == ErrorCode::kAlreadyExists; });
  BOOST_TEST((files_below(dataset.path()) == before));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::care
