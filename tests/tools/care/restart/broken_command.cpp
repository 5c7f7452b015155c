#include "tests/tools/care/restart/broken_command.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>

#include "streamer/shard/dataset.h"
#include "tests/contains.h"
#include "tests/tools/folder_contents.h"
#include "tests/tools/picture_folder.h"
#include "tools/care/dataset_check.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

fs::path quick_disk() {
  return fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
}

}  // namespace

CommandResult run_broken(const std::vector<std::string>& arguments, const Fault& fault,
                         const fs::path& files) {
  const char* const sanitizer = std::getenv("ASAN_OPTIONS");
  CommandResult result = run_penstock(
      arguments,
      {{"LD_PRELOAD", PENSTOCK_FAULTY_CALLS},
       {"PENSTOCK_FAULT", fault.call + ":" + std::to_string(fault.number) +
                              (fault.is_lasting ? "+:" : ":") + std::to_string(fault.what)},
       {"PENSTOCK_FAULT_FOLDER", files.native()},
       // AddressSanitizer wants to be the first library of all.
       {"ASAN_OPTIONS", (sanitizer == nullptr ? std::string() : std::string(sanitizer) + ":") +
                            "verify_asan_link_order=0"}});
  BOOST_REQUIRE(result.exit_code <= kKilled);
  if (result.exit_code != kKilled) BOOST_REQUIRE(contains(result.err, "calls bent: "));
  return result;
}

// Shards of three splits, a picture in quarantine, and two of the same bytes.
ChangePlace::ChangePlace() : folder(quick_disk()) {
  write_cats_and_dogs(source, 9);
  write_file(source / "cat/bad.jpg", "\xFF\xD8\xFF broken");
  write_file(source / "dog/worse.jpg", "\xFF\xD8\xFF broken");
  write_picture(source / "dog/twin a.jpg", {.seed = 70});
  write_picture(source / "dog/twin b.jpg", {.seed = 70});
  const CommandResult converted =
      run_penstock({"convert", source, base, "--validation-split", "0.3", "--test-split", "0.2",
                    "--jobs", "1", "--memory", "256M"});
  BOOST_REQUIRE_MESSAGE(converted.exit_code == 0, converted.err);
  BOOST_REQUIRE(fs::exists(base / "test-00000.h5"));
  BOOST_REQUIRE(fs::exists(base / "duplicates.csv"));
}

void ChangePlace::expect(std::vector<std::string> command) {
  arguments = std::move(command);
  make_anew();
  const CommandResult done = run();
  BOOST_REQUIRE_MESSAGE(done.exit_code == 0, done.err);
  BOOST_REQUIRE(is_whole());
  expected = contents(dataset);
  expected_beside = names_beside();
  expected_samples = sample_names();
}

void ChangePlace::make_anew() const {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.path())) {
    if (entry.path().filename().native().starts_with("photos.ds")) fs::remove_all(entry.path());
  }
  fs::copy(base, dataset);
}

bool ChangePlace::is_changed() const {
  return contents(dataset) == expected && names_beside() == expected_beside;
}

bool ChangePlace::is_whole() const {
  const care::DatasetCheck check = care::check_dataset({.dataset = dataset, .num_jobs = 1},
                                                       [](const care::CheckProgress&) {}, {});
  return check.is_whole();
}

std::set<std::string> ChangePlace::names_beside() const {
  std::set<std::string> names;
  for (const fs::path& at : {folder.path(), dataset}) {
    for (const fs::directory_entry& entry : fs::directory_iterator(at)) {
      names.insert(entry.path().filename());
    }
  }
  return names;
}

std::vector<std::string> ChangePlace::sample_names() const {
  const Dataset open = Dataset::open(dataset);
  std::vector<std::string> all;
  for (const ManifestSplit& split : open.manifest().splits) {
    const std::vector<std::string> names = open.split(split.name).read_names();
    all.insert(all.end(), names.begin(), names.end());
  }
  std::ranges::sort(all);
  return all;
}

int for_each_break(const ChangePlace& place, Fault fault, int step,
                   const std::function<void(const CommandResult&)>& check) {
  constexpr int kMaxCalls = 1000;
  for (int num_broken = 0; num_broken < kMaxCalls; ++num_broken, fault.number += step) {
    place.make_anew();
    const CommandResult broken = place.run(fault);
    BOOST_TEST_CONTEXT(fault.call << " number " << fault.number << "\n" << broken.err) {
      if (contains(broken.err, "calls bent: 0\n")) {
        BOOST_TEST(broken.exit_code == 0);
        BOOST_TEST(place.is_changed());
        return num_broken;
      }
      BOOST_TEST(place.is_whole());
      check(broken);
    }
  }
  BOOST_FAIL("a command without an end");
  return kMaxCalls;
}

void check_goes_on(const ChangePlace& place, const std::vector<int>& exit_codes) {
  const CommandResult again = place.run();
  BOOST_TEST(std::ranges::count(exit_codes, again.exit_code) == 1, again.err);
  BOOST_TEST((contents(place.dataset) == place.expected), again.err);
  BOOST_TEST(place.names_beside() == place.expected_beside, boost::test_tools::per_element());
}

}  // namespace penstock::tests
