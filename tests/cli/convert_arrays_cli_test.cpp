// penstock convert of arrays and of datasets, as it is typed.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/convert/source/array_files.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

using namespace std::string_literals;

struct Place {
  std::string path(const std::string& name) const { return (folder.path() / name).string(); }
  void write(const std::string& name, const std::string& bytes) const {
    write_file(folder.path() / name, bytes);
  }
  TemporaryFolder folder;
};

nlohmann::json inspected(const std::string& dataset) {
  return nlohmann::json::parse(run_penstock({"inspect", "--json", dataset}).out);
}

BOOST_AUTO_TEST_SUITE(convert_arrays_cli)

BOOST_AUTO_TEST_CASE(arrays_become_a_dataset_whose_statistics_are_those_of_their_pixels) {
  const Place place;
  // Two gray pictures: 0 and 51 (0.2), 102 (0.4) and 255 (1). Mean 1.6 / 4 = 0.4; mean of squares
  // (0 + 0.04 + 0.16 + 1) / 4 = 0.3, deviation sqrt(0.3 - 0.16) = 0.374165738677394.
  place.write("x.npy", npy_file("|u1", "(2, 1, 2)", "\x00\x33\x66\xff"s));
  place.write("y.npy", npy_file("<i8", "(2,)", "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"s));
  const CommandResult result =
      run_penstock({"convert", "--images", place.path("x.npy"), "--labels", place.path("y.npy"),
                    place.path("x.ds"), "--validation-split", "0"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.err, place.path("x.npy") + ": arrays, 2 classes, 2 files\n"));
  const nlohmann::json found = inspected(place.path("x.ds"));
  for (int c = 0; c < 3; ++c) {
    BOOST_TEST(found["mean"][c].get<double>() == 0.4, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(found["std"][c].get<double>() == 0.374165738677394,
               boost::test_tools::tolerance(1e-12));
  }
}

BOOST_AUTO_TEST_CASE(arguments_that_do_not_go_together_are_refused) {
  const Place place;
  const auto refused = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "convert");
    const CommandResult result = run_penstock(arguments);
    BOOST_TEST(result.exit_code == 2);
    return result.err;
  };
  BOOST_TEST(contains(refused({"--images", "x.npy", "photos", "x.ds"}),
                      "--images: expected DATASET alone, found SOURCE beside it\n"));
  BOOST_TEST(contains(refused({"--labels", "y.csv", "--labels", "z.csv", "photos", "x.ds"}),
                      "--labels: expected one table, found 2\n"));
  BOOST_TEST(
      contains(refused({"--images", "a.npy", "--images", "b.npy", "--labels", "y.npy", "x.ds"}),
               "--labels: expected 2, one for each --images, found 1\n"));
  BOOST_TEST(contains(refused({"--images", "a.npy", "--channels-first", "--channels-last", "x.ds"}),
                      "expected --channels-first or --channels-last, found both\n"));
  BOOST_TEST(contains(refused({"photos"}), "SOURCE... DATASET: At least 2 required"));
  BOOST_TEST(count_entries(place.folder.path()) == 0u);
}

BOOST_AUTO_TEST_CASE(floats_are_refused_with_the_line_that_makes_bytes_of_them) {
  const Place place;
  place.write("x.npy", npy_file("<f4", "(1, 1, 2)", std::string(8, '\0')));
  place.write("y.npy", npy_file("|u1", "(1,)", "\0"s));
  const CommandResult result = run_penstock({"convert", "--images", place.path("x.npy"), "--labels",
                                             place.path("y.npy"), place.path("x.ds")});
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(
      contains(result.err, "images: " + place.path("x.npy") + ": expected uint8, found float32\n"));
  BOOST_TEST(contains(result.err, "(x * 255).round().astype('uint8')"));
}

BOOST_AUTO_TEST_CASE(two_datasets_and_an_array_file_become_one) {
  const Place place;
  write_cats_and_dogs(place.folder.path() / "photos", 8);
  write_picture(place.folder.path() / "birds" / "bird" / "1.jpg");
  for (const char* name : {"photos", "birds"}) {
    BOOST_TEST(run_penstock({"convert", place.path(name), place.path(name) + ".ds",
                             "--validation-split", "0"})
                   .exit_code == 0);
  }
  place.write("data.npz",
              zip_file({{.name = "images.npy", .bytes = npy_file("|u1", "(2, 1, 2)", "\0\1\2\3"s)},
                        {.name = "labels.npy", .bytes = npy_file("|S3", "(2,)", "catowl")}}));
  const CommandResult result =
      run_penstock({"convert", place.path("photos.ds"), place.path("birds.ds"),
                    place.path("data.npz"), place.path("all.ds"), "--validation-split", "0"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.err,
                      "photos.ds: a dataset; birds.ds: a dataset; data.npz: arrays, "
                      "4 classes, 19 files\n"));
  BOOST_TEST(run_penstock({"verify", place.path("all.ds"), "--deep"}).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(a_dry_run_of_a_dataset_and_of_arrays_writes_nothing) {
  const Place place;
  write_cats_and_dogs(place.folder.path() / "photos", 4);
  BOOST_TEST(run_penstock({"convert", place.path("photos"), place.path("a.ds")}).exit_code == 0);
  place.write("x.npy", npy_file("|u1", "(2, 1, 2)", "\0\1\2\3"s));
  place.write("y.npy", npy_file("|u1", "(2,)", "\0\1"s));
  const std::size_t before = count_entries(place.folder.path());
  const CommandResult dataset =
      run_penstock({"convert", place.path("a.ds"), place.path("b.ds"), "--dry-run"});
  BOOST_TEST(dataset.exit_code == 0);
  BOOST_TEST(contains(dataset.out, "headers       all 8: no reason found"));
  const CommandResult arrays = run_penstock({"convert", "--images", place.path("x.npy"), "--labels",
                                             place.path("y.npy"), place.path("b.ds"), "--dry-run"});
  BOOST_TEST(arrays.exit_code == 0);
  BOOST_TEST(contains(arrays.out, "headers       all 2: 2 grayscale, 2 one_pixel_side; "));
  BOOST_TEST(count_entries(place.folder.path()) == before);
}

BOOST_AUTO_TEST_CASE(a_part_of_a_dataset_becomes_another) {
  const Place place;
  write_cats_and_dogs(place.folder.path() / "photos", 20);
  BOOST_TEST(run_penstock({"convert", place.path("photos"), place.path("all.ds")}).exit_code == 0);
  const CommandResult result =
      run_penstock({"convert", place.path("all.ds"), place.path("dogs.ds"), "--classes", "dog",
                    "--fraction", "0.5", "--split-anew"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.err, ": a dataset, 1 class, "));
  BOOST_TEST(contains(result.err, "warning: there is only one class (dog): nothing to tell apart"));
  const nlohmann::json found = inspected(place.path("dogs.ds"));
  BOOST_TEST(found["conversion"]["classes"] == "dog");
  BOOST_TEST(found["conversion"]["fraction"] == 0.5);
  BOOST_TEST(found["conversion"]["dataset_splits"] == "drawn anew");
  const CommandResult other =
      run_penstock({"convert", place.path("photos"), place.path("dogs2.ds"), "--classes", "dog"});
  BOOST_TEST(other.exit_code == 1);
  BOOST_TEST(contains(other.err, "expected a dataset, found another source\n"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
