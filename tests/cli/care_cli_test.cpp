// penstock verify, extract, repair, add and remove as they are typed.
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "fixtures/damage.h"
#include "streamer/core/file.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

// Four cats and four dogs, all for training.
struct Fixture {
  Fixture() {
    write_cats_and_dogs(photos, 4);
    BOOST_REQUIRE(run_penstock({"convert", photos, dataset, "--validation-split", "0", "--quiet"})
                      .exit_code == 0);
  }
  // A byte of the first sample: images begin at 16384 (FORMAT.md, section 10).
  void damage() const { fixtures::flip_byte(shard, 16384 + 40); }

  TemporaryFolder folder;
  std::string photos = folder.path() / "photos";
  std::string dataset = folder.path() / "photos.ds";
  std::string shard = folder.path() / "photos.ds" / "train-00000.h5";
};

nlohmann::json json_of(const CommandResult& result) {
  return nlohmann::json::parse(result.out);
}

BOOST_FIXTURE_TEST_SUITE(care_cli, Fixture)

BOOST_AUTO_TEST_CASE(every_command_has_help_with_an_example_and_refuses_what_it_does_not_know) {
  for (const char* command : {"verify", "extract", "repair", "add", "remove"}) {
    const CommandResult help = run_penstock({command, "--help"});
    BOOST_TEST(help.exit_code == 0, command);
    BOOST_TEST(contains(help.out, std::string("penstock ") + command + " photos.ds"), command);
    BOOST_TEST(run_penstock({command, "x", "--no-such-flag"}).exit_code == 2, command);
    BOOST_TEST(run_penstock({command}).exit_code == 2, command);
  }
}

BOOST_AUTO_TEST_CASE(verify_says_whole_or_lists_damage_with_exit_code_3) {
  const CommandResult whole = run_penstock({"verify", dataset, "--deep"});
  BOOST_TEST(whole.exit_code == 0);
  BOOST_TEST(whole.err == "");
  BOOST_TEST(contains(whole.out, dataset + ": 8 samples in 1 shard, 8 decoded: whole"));
  BOOST_TEST(json_of(run_penstock({"verify", dataset, "--json"}))["is_whole"] == true);
  const CommandResult quiet = run_penstock({"verify", dataset, "--quiet"});
  BOOST_TEST(quiet.out == "");

  damage();
  const CommandResult text = run_penstock({"verify", dataset});
  BOOST_TEST(text.exit_code == 3);
  BOOST_TEST(contains(text.out, "train-00000.h5: train sample 0 ("));
  BOOST_TEST(contains(text.err, "expected a whole dataset, found 1 finding\n"));
  BOOST_TEST(contains(text.err, "hint: penstock repair " + dataset));
  const auto json = json_of(run_penstock({"verify", dataset, "--json"}));
  BOOST_TEST(json["num_damaged_samples"] == 1);
  BOOST_TEST(json["damage"][0]["split"] == "train");
  BOOST_TEST(json["damage"][0]["sample"] == 0);
  BOOST_TEST(run_penstock({"verify", dataset, "--quiet"}).exit_code == 3);

  check_refused_with(run_penstock({"verify", photos}), 1, "expected dataset.json, found none");
  fixtures::flip_byte(dataset + "/dataset.json", 30);
  check_refused_with(run_penstock({"verify", dataset}), 3, "manifest: ");
}

BOOST_AUTO_TEST_CASE(extract_gives_the_folder_back) {
  const std::string again = folder.path() / "again";
  const CommandResult text = run_penstock({"extract", dataset, again});
  BOOST_TEST(text.exit_code == 0);
  BOOST_TEST(contains(text.out, again + ": 8 files, "));
  BOOST_TEST(read_text_file(again + "/dog/3.jpg") == read_text_file(photos + "/dog/3.jpg"));
  check_refused_with(run_penstock({"extract", dataset, again}), 1, "expected nothing there yet");
  check_refused_with(run_penstock({"extract", dataset, again + "2", "--split", "test"}), 1,
                     "expected a split \"test\", found train");
  damage();
  const CommandResult partly = run_penstock({"extract", dataset, again + "3", "--json"});
  BOOST_TEST(partly.exit_code == 3);
  BOOST_TEST(json_of(partly)["num_files"] == 7);
  BOOST_TEST(json_of(partly)["left_out"].size() == 1u);
}

BOOST_AUTO_TEST_CASE(repair_says_what_it_would_do_and_does_it) {
  const CommandResult whole = run_penstock({"repair", dataset});
  BOOST_TEST(whole.exit_code == 0);
  BOOST_TEST(contains(whole.out, dataset + ": whole, 8 samples; nothing to do"));
  damage();
  const CommandResult dry = run_penstock({"repair", dataset, "--dry-run"});
  BOOST_TEST(contains(dry.out, dataset + ": would have 7 samples, 1 dropped; nothing was changed"));
  BOOST_TEST(run_penstock({"verify", dataset, "--quiet"}).exit_code == 3);
  const auto json = json_of(run_penstock({"repair", dataset, "--json"}));
  BOOST_TEST(json["dropped"].size() == 1u);
  BOOST_TEST(json["shards"][0]["kept_as"] == "train-00000.h5.damaged");
  BOOST_TEST(fs::exists(shard + ".damaged"));
  BOOST_TEST(run_penstock({"verify", dataset, "--deep"}).exit_code == 0);

  fixtures::truncate_file(shard, 9000);
  check_refused_with(run_penstock({"repair", dataset}), 3, "found none");
  check_refused_with(run_penstock({"repair", photos}), 1, "expected dataset.json or shards");
}

// What repair brings back without a loss: bytes of the header, and of dataset.json.
BOOST_AUTO_TEST_CASE(damage_that_repair_mends_is_answered_with_the_line_that_mends_it) {
  const std::string list = folder.path() / "list.txt";
  write_file(list, "cat/1.jpg\n");
  const auto expect_line = [&] {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"inspect", dataset},
          {"plan", dataset},
          {"remove", dataset, "--list", list},
          {"add", dataset, photos},
          {"convert", dataset, folder.path() / "other.ds"},
          {"train", dataset, "-o", folder.path() / "run"}}) {
      const CommandResult result = run_penstock(arguments);
      BOOST_TEST(result.exit_code == 3, arguments[0]);
      BOOST_TEST(contains(result.err, ": penstock repair " + dataset + "\n"),
                 arguments[0] + ": " + result.err);
    }
  };
  const std::string before = read_text_file(shard);
  std::string zeroed = before;
  zeroed.replace(0, 4096, std::string(4096, '\0'));
  write_file(shard, zeroed);
  expect_line();
  write_file(shard, before);
  fixtures::flip_byte(shard, 20);
  expect_line();
  write_file(shard, before);
  fixtures::flip_byte(dataset + "/dataset.json", 40);
  expect_line();
  BOOST_TEST(contains(run_penstock({"extract", dataset, folder.path() / "files"}).err,
                      "make it anew from the shards: penstock repair " + dataset));
}

// quarantine.csv says how many there were; nothing says how many were re-encoded.
BOOST_AUTO_TEST_CASE(what_was_quarantined_is_counted_from_its_list_where_the_manifest_was_lost) {
  write_file(photos + "/cat/bad1.jpg", "\xFF\xD8\xFF one");
  write_file(photos + "/dog/bad2.jpg", "\xFF\xD8\xFF two");
  const std::string other = folder.path() / "other.ds";
  BOOST_REQUIRE(
      run_penstock({"convert", photos, other, "--validation-split", "0", "--quiet"}).exit_code ==
      0);
  fs::remove(other + "/dataset.json");
  const CommandResult repaired = run_penstock({"repair", other});
  BOOST_TEST(contains(repaired.out, "how many files were re-encoded\n"), repaired.out);
  const CommandResult text = run_penstock({"inspect", other});
  BOOST_TEST(contains(text.out, "\n  quarantined 2\n"), text.out);
  auto json = json_of(run_penstock({"inspect", other, "--json"}));
  BOOST_TEST(json["num_quarantined"] == 2);
  BOOST_TEST(json["num_reencoded"].is_null());
  // One more is bad; the two are in the source again and stay listed once.
  write_file(photos + "/dog/bad3.jpg", "\xFF\xD8\xFF three");
  write_picture(photos + "/dog/new.jpg", {.seed = 900});
  BOOST_TEST(run_penstock({"add", other, photos, "--quiet"}).exit_code == 0);
  json = json_of(run_penstock({"inspect", other, "--json"}));
  BOOST_TEST(json["num_quarantined"] == 3);
  BOOST_TEST(json["num_reencoded"].is_null());

  fs::remove(other + "/dataset.json");
  fs::remove(other + "/quarantine.csv");
  BOOST_TEST(contains(run_penstock({"repair", other}).out, "how many files were quarantined, and"));
  const CommandResult unknown = run_penstock({"inspect", other});
  BOOST_TEST(!contains(unknown.out, "quarantined"), unknown.out);
  BOOST_TEST(json_of(run_penstock({"inspect", other, "--json"}))["num_quarantined"].is_null());
}

BOOST_AUTO_TEST_CASE(a_split_that_is_lost_or_removed_whole_is_told_with_its_statistics) {
  const std::string warning =
      "warning: split train has no sample left; mean and deviation are gone\n";
  const std::string source = folder.path() / "splits";
  for (const char* split : {"train", "validation"}) {
    write_picture(source + "/" + split + "/cat/" + split + ".jpg", {.seed = 1});
    write_picture(source + "/" + split + "/dog/" + split + ".jpg", {.seed = 2});
  }
  const std::string two = folder.path() / "two.ds";
  BOOST_REQUIRE(run_penstock({"convert", source, two, "--quiet"}).exit_code == 0);
  const std::string copy = folder.path() / "copy.ds";
  fs::copy(two, copy);
  fs::remove(copy + "/train-00000.h5");
  BOOST_TEST(contains(run_penstock({"repair", copy, "--dry-run"}).out, warning));
  const CommandResult repaired = run_penstock({"repair", copy});
  BOOST_TEST(repaired.exit_code == 0);
  BOOST_TEST(contains(repaired.out, warning), repaired.out);
  BOOST_TEST(!contains(run_penstock({"repair", copy}).out, "warning"));  // said once

  const std::string list = folder.path() / "list.txt";
  write_file(list, "train/cat/train.jpg\ntrain/dog/train.jpg\n");
  fs::copy(two, copy + "2");
  const CommandResult removed = run_penstock({"remove", two, "--list", list});
  BOOST_TEST(removed.exit_code == 0);
  BOOST_TEST(contains(removed.out, warning), removed.out);
  const auto json = json_of(run_penstock({"remove", copy + "2", "--list", list, "--json"}));
  BOOST_TEST(json["emptied_splits"] == nlohmann::json{"train"});
}

BOOST_AUTO_TEST_CASE(a_manifest_that_is_gone_is_told_with_the_line_that_brings_it_back) {
  fs::remove(dataset + "/dataset.json");
  check_refused(
      run_penstock({"inspect", dataset}), 1,
      "dataset: " + dataset + ": expected dataset.json, found none",
      "there are shards here: penstock repair " + dataset + " writes dataset.json anew from them");
  const auto json = json_of(run_penstock({"repair", dataset, "--dry-run", "--json"}));
  BOOST_TEST(json["facts_lost"].size() == 4u);
  BOOST_TEST(json["num_dropped"] == 0);
  const CommandResult repaired = run_penstock({"repair", dataset, "--remove-damaged"});
  BOOST_TEST(repaired.exit_code == 0);
  BOOST_TEST(
      contains(repaired.out, "no longer known: the settings of the conversion (add takes the"));
  BOOST_TEST(run_penstock({"verify", dataset}).exit_code == 0);
  const std::string more = folder.path() / "more";
  write_picture(more + "/cat/new.jpg", {.seed = 900});
  const CommandResult added = run_penstock({"add", dataset, more});
  BOOST_TEST(added.exit_code == 0);
  BOOST_TEST(contains(added.err, "keeps no settings of a conversion: the defaults are taken"));
}

BOOST_AUTO_TEST_CASE(remove_takes_names_out_and_lists_those_it_does_not_find) {
  const std::string list = folder.path() / "list.txt";
  write_file(list, "cat/1.jpg\ncat/none.jpg\n");
  const CommandResult text = run_penstock({"remove", dataset, "--list", list});
  BOOST_TEST(text.exit_code == 1);
  BOOST_TEST(contains(text.out, "not found: cat/none.jpg\n"));
  BOOST_TEST(contains(text.err, "found no cat/none.jpg in the dataset"));
  BOOST_TEST(contains(text.out, "1 sample removed, 1 shard written anew, 1 not found; 7 left"));
  BOOST_TEST(contains(text.err, "hint: the rest is done; names are as"));
  const CommandResult nothing = run_penstock({"remove", dataset, "--list", list, "--json"});
  BOOST_TEST(contains(nothing.err, "hint: names are as"), nothing.err);
  const auto json = json_of(nothing);
  BOOST_TEST(json["num_removed"] == 0);
  BOOST_TEST(json["not_found"].size() == 2u);
  BOOST_TEST(run_penstock({"verify", dataset, "--deep"}).exit_code == 0);
  write_file(list, "dog/1.jpg\n");
  const CommandResult met = run_penstock({"remove", dataset, "--list", list});
  BOOST_TEST(met.exit_code == 0);
  BOOST_TEST(met.err == "");
  write_file(dataset + "/train-00009.h5.tmp", "half of a shard");
  write_file(list, "dog/2.jpg\n");
  const CommandResult held = run_penstock({"remove", dataset, "--list", list, "--quiet"});
  BOOST_TEST(held.exit_code == 1);
  BOOST_TEST(contains(held.err, "found train-00009.h5.tmp that may hold what shall be removed"));
  check_refused_with(run_penstock({"remove", dataset, "--list", list + "x"}), 1, "list.txtx");
  check_refused_with(run_penstock({"remove", dataset}), 2, "--list: expected a file of names");
}

BOOST_AUTO_TEST_CASE(add_brings_new_pictures_and_refuses_new_classes) {
  const std::string more = folder.path() / "more";
  write_picture(more + "/cat/new.jpg", {.seed = 900});
  write_picture(more + "/dog/new.jpg", {.seed = 901});
  const CommandResult text = run_penstock({"add", dataset, more});
  BOOST_TEST(text.exit_code == 0);
  BOOST_TEST(contains(text.out, "2 samples added in 1 shard, 0 already there"));
  const auto json = json_of(run_penstock({"add", dataset, more, "--json", "--quiet"}));
  BOOST_TEST(json["num_already_there"] == 2);
  BOOST_TEST(json["num_samples"] == 10);
  write_picture(more + "/ape/new.jpg", {.seed = 902});
  check_refused_with(run_penstock({"add", dataset, more, "--quiet"}), 1, "found new ones: ape");
  BOOST_TEST(run_penstock({"add", dataset, more, "--new-classes", "--quiet"}).exit_code == 0);
  BOOST_TEST(run_penstock({"verify", dataset, "--deep"}).exit_code == 0);
}

// A flat folder whose classes a table tells.
BOOST_AUTO_TEST_CASE(add_takes_labels_from_a_table) {
  const std::string more = folder.path() / "more";
  write_picture(more + "/a.jpg", {.seed = 900});
  write_picture(more + "/b.jpg", {.seed = 901});
  const std::string table = folder.path() / "labels.csv";
  write_file(table, "path,label\na.jpg,dog\nb.jpg,cat\n");
  check_refused_with(run_penstock({"add", dataset, more, "--layout", "flat", "--quiet"}), 1,
                     "--labels");
  const auto json = json_of(run_penstock({"add", dataset, more, "--layout", "flat", "--labels",
                                          table, "--memory", "128M", "--json", "--quiet"}));
  BOOST_TEST(json["num_added"] == 2);
  const auto before = json_of(run_penstock({"inspect", dataset, "--json"}));
  BOOST_TEST(before["class_names"] == nlohmann::json({"cat", "dog"}), before);
  check_refused_with(run_penstock({"add", dataset, more, "--memory", "1M", "--quiet"}), 2,
                     "convert: memory: expected at least 69M, found 1M");
}

// "train" is a class where the user says so.
BOOST_AUTO_TEST_CASE(add_is_told_what_the_folders_are) {
  const std::string more = folder.path() / "more";
  write_picture(more + "/train/dog/a.jpg", {.seed = 900});
  check_refused_with(run_penstock({"add", dataset, more, "--layout", "class-folders", "--quiet"}),
                     1, "found new ones: train");
  check_refused_with(run_penstock({"add", dataset, more, "--layout", "round"}), 2,
                     "--layout: expected auto, class-folders, flat, split-folders, found 'round'");
  const CommandResult added = run_penstock({"add", dataset, more, "--layout", "split-folders"});
  BOOST_TEST(contains(added.out, "1 sample added"), added.out);
}

BOOST_AUTO_TEST_CASE(add_gives_classes_other_names) {
  const std::string more = folder.path() / "more";
  write_picture(more + "/n01/a.jpg", {.seed = 900});
  const std::string names = folder.path() / "names.csv";
  write_file(names, "n01,dog\n");
  check_refused_with(run_penstock({"add", dataset, more, "--quiet"}), 1, "found new ones: n01");
  const auto json =
      json_of(run_penstock({"add", dataset, more, "--class-names", names, "--json", "--quiet"}));
  BOOST_TEST(json["num_added"] == 1);
  BOOST_TEST(json["new_classes"].empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
