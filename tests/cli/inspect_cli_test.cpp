// penstock inspect and penstock info as they are typed.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "fixtures/damage.h"
#include "fixtures/jpeg_edit.h"
#include "streamer/core/checksum.h"
#include "streamer/core/file.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

// Three cats and three dogs, all for training.
class SmallDataset {
 public:
  SmallDataset() {
    write_cats_and_dogs(folder_.path() / "photos", 3);
    const CommandResult result = run_penstock({"convert", (folder_.path() / "photos").string(),
                                               path(), "--validation-split", "0", "--quiet"});
    BOOST_REQUIRE(result.exit_code == 0);
  }

  std::string path() const { return (folder_.path() / "photos.ds").string(); }
  std::string shard() const { return path() + "/train-00000.h5"; }

 private:
  TemporaryFolder folder_;
};

BOOST_AUTO_TEST_SUITE(inspect_cli)

BOOST_AUTO_TEST_CASE(a_dataset_is_described_in_words) {
  const SmallDataset dataset;
  const CommandResult result = run_penstock({"inspect", dataset.path()});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.err == "");
  BOOST_TEST(contains(result.out, dataset.path() + ": dataset, 6 samples in 2 classes"));
  BOOST_TEST(contains(result.out, "6 jpeg"));
  BOOST_TEST(contains(result.out, "up to 24 x 20 px"));
  BOOST_TEST(contains(result.out, "\n  longer side 16 to 31 px 6\n"));
  // 24 x 16 px (1.50) and 24 x 20 px (1.20), three of each.
  BOOST_TEST(contains(result.out, "\n  width by height 1.11 to 1.41 3, 1.41 to 1.67 3\n"));
  BOOST_TEST(!contains(result.out, "saved"));  // nothing was
  BOOST_TEST(contains(result.out, "re-encoded 0, quarantined 0"));
}

BOOST_AUTO_TEST_CASE(quiet_leaves_the_exit_code_and_the_errors) {
  const SmallDataset dataset;
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"inspect", dataset.path(), "--quiet"}, {"info", "--quiet"}}) {
    const CommandResult result = run_penstock(arguments);
    BOOST_TEST(result.exit_code == 0);
    BOOST_TEST(result.out == "");
    BOOST_TEST(result.err == "");
  }
  const CommandResult missing = run_penstock({"inspect", dataset.path() + ".not", "--quiet"});
  BOOST_TEST(missing.exit_code == 1);
  BOOST_TEST(missing.err != "");
}

BOOST_AUTO_TEST_CASE(a_dataset_is_described_as_json) {
  const SmallDataset dataset;
  const auto json = nlohmann::json::parse(run_penstock({"inspect", dataset.path(), "--json"}).out);
  BOOST_TEST(json["kind"] == "dataset");
  BOOST_TEST(json["class_names"] == (nlohmann::json{"cat", "dog"}));
  BOOST_TEST(json["splits"]["train"]["num_samples"] == 6);
  BOOST_TEST(json["splits"]["train"]["num_by_class"] == (nlohmann::json{3, 3}));
  BOOST_TEST(json["splits"]["train"]["num_by_codec"]["jpeg"] == 6);
  BOOST_TEST(json["splits"]["train"]["shards"][0]["size_bytes"] == fs::file_size(dataset.shard()));
  // All six are 24 px wide and lower than that: between 16 and 31.
  BOOST_TEST(json["size_histogram"] ==
             nlohmann::json::parse(R"([{"long_side_px": 16, "num_samples": 6}])"));
  BOOST_TEST(
      json["aspect_histogram"] ==
      nlohmann::json::parse(
          R"([{"num_samples": 3, "width_percent": 111}, {"num_samples": 3, "width_percent": 141}])"));
  BOOST_TEST(json["sample_bytes"]["saved_bytes"] == 0);
  BOOST_TEST(json["splits"]["train"]["shards"][0]["header_xxh3"] ==
             hex(xxh3_64(std::string_view(read_text_file(dataset.shard())).substr(0, 4096))));
  BOOST_TEST(json["largest"]["num_px"] == 24 * 20);
  BOOST_TEST(json["median_width_px"] == 24);
  BOOST_TEST(json["mean"].size() == 3u);
  BOOST_TEST(json["path"] == dataset.path());
  // Numbers and booleans, not texts.
  BOOST_TEST(json["conversion"]["seed"] == 0);
  BOOST_TEST(json["conversion"]["grayscale"] == false);
  BOOST_TEST(json["conversion"]["names"] == "kept");
  BOOST_TEST(run_penstock({"inspect", dataset.path(), "--json", "--quiet"}).out ==
             run_penstock({"inspect", dataset.path(), "--json"}).out);
}

BOOST_AUTO_TEST_CASE(a_shard_is_described_too) {
  const SmallDataset dataset;
  const CommandResult text = run_penstock({"inspect", dataset.shard()});
  BOOST_TEST(text.exit_code == 0);
  BOOST_TEST(contains(text.out, ": shard of split train, 6 samples in 2 classes"));
  BOOST_TEST(contains(text.out,
                      ", format version 1, written by penstock " + std::string(PENSTOCK_VERSION)));
  BOOST_TEST(contains(text.out, "; largest class 1.0 times the smallest\n"));
  const auto json = nlohmann::json::parse(run_penstock({"inspect", dataset.shard(), "--json"}).out);
  BOOST_TEST(json["kind"] == "shard");
  BOOST_TEST(json["path"] == dataset.shard());
  BOOST_TEST(json["split"] == "train");
  BOOST_TEST(json["writer"] == "penstock " PENSTOCK_VERSION);
  BOOST_TEST(json["format_version"] == 1);
  BOOST_TEST(json["num_by_class"] == (nlohmann::json{3, 3}));
  BOOST_TEST(json["imbalance"] == 1.0);
  BOOST_TEST(json["size_bytes"] == fs::file_size(dataset.shard()));
}

BOOST_AUTO_TEST_CASE(one_sample_is_described_and_written) {
  const SmallDataset dataset;
  const TemporaryFolder folder;
  const std::string out = folder.path() / "sample.jpg";
  const CommandResult text =
      run_penstock({"inspect", dataset.path(), "--sample", "4", "--split", "train", "-o", out});
  BOOST_TEST(text.exit_code == 0);
  const auto json = nlohmann::json::parse(
      run_penstock({"inspect", dataset.path(), "--sample", "4", "--json"}).out);
  BOOST_TEST(contains(text.out, "sample 4: " + json["name"].get<std::string>()));
  // The stored bytes are those of the file that was converted.
  BOOST_TEST(read_text_file(out) == read_text_file(fs::path(dataset.path()).parent_path() /
                                                   "photos" / json["name"].get<std::string>()));
  const auto of_shard = nlohmann::json::parse(
      run_penstock({"inspect", dataset.shard(), "--sample", "4", "--json"}).out);
  BOOST_TEST(of_shard["xxh3"] == json["xxh3"]);
  BOOST_TEST(of_shard["class_name"] == json["class_name"]);
  check_refused_with(run_penstock({"inspect", dataset.path(), "--sample", "6"}), 1,
                     "expected 0 to 5, found 6");
  check_refused_with(run_penstock({"inspect", dataset.path(), "--sample", "0", "-o", out}), 1,
                     "expected nothing there, found a file");
}

BOOST_AUTO_TEST_CASE(flags_that_would_do_nothing_are_refused) {
  const SmallDataset dataset;
  const auto refused = [](std::vector<std::string> arguments, const std::string& part) {
    arguments.insert(arguments.begin(), "inspect");
    check_refused_with(run_penstock(arguments), 2, part);
  };
  refused({dataset.path(), "-o", "x.jpg"}, "expected a sample");
  refused({dataset.path(), "--force"}, "--force: expected a file to replace");
  refused({dataset.path(), "--sample", "0", "--force"}, "--force: expected a file to replace");
  refused({dataset.path(), "--sample", "0", "--metadata"}, "--metadata: expected a dataset");
  refused({dataset.shard(), "--sample", "0", "--split", "validation"}, "--split: expected a data");
}

// Twelve pictures: two of one class, six of another, the rest without a label.
BOOST_AUTO_TEST_CASE(classes_are_those_of_the_dataset_and_what_has_none_is_told_apart) {
  const TemporaryFolder folder;
  const std::string photos = folder.path() / "photos";
  std::string table = "path,label\n";
  for (int i = 0; i < 12; ++i) {
    const std::string name = std::to_string(i) + ".jpg";
    write_picture(photos + "/" + name, {.seed = static_cast<std::uint32_t>(i)});
    table += name + (i < 2 ? ",ape\n" : i < 8 ? ",cat\n" : ",\n");
  }
  write_file(folder.path() / "labels.csv", table);
  const std::string dataset = folder.path() / "photos.ds";
  BOOST_REQUIRE(run_penstock({"convert", photos, dataset, "--layout", "flat", "--labels",
                              folder.path() / "labels.csv", "--unlabelled", "keep",
                              "--validation-split", "0", "--quiet"})
                    .exit_code == 0);
  const std::string shard = dataset + "/train-00000.h5";
  for (const std::string& path : {dataset, shard}) {
    const CommandResult text = run_penstock({"inspect", path});
    BOOST_TEST(contains(text.out, "12 samples in 2 classes"), text.out);
    BOOST_TEST(contains(text.out, "largest class 3.0 times the smallest"), text.out);
    BOOST_TEST(contains(text.out, "\n  (without a label)"), text.out);
    auto json = nlohmann::json::parse(run_penstock({"inspect", path, "--json"}).out);
    if (json.contains("splits")) json = json["splits"]["train"];
    BOOST_TEST(json["num_by_class"] == (nlohmann::json{2, 6}), json);
    BOOST_TEST(json["num_unlabelled"] == 4, json);
  }
}

BOOST_AUTO_TEST_CASE(a_class_without_samples_is_counted_and_said) {
  const SmallDataset dataset;
  const TemporaryFolder folder;
  write_file(folder.path() / "dogs", "dog/0.jpg\ndog/1.jpg\ndog/2.jpg\ncat/0.jpg\ncat/1.jpg\n");
  BOOST_REQUIRE(
      run_penstock({"remove", dataset.path(), "--list", folder.path() / "dogs"}).exit_code == 0);
  const CommandResult text = run_penstock({"inspect", dataset.path()});
  BOOST_TEST(contains(text.out, "1 sample  "), text.out);
  BOOST_TEST(contains(text.out, "that is not empty; 1 class empty"), text.out);
  const CommandResult shard = run_penstock({"inspect", dataset.path() + "/train-00001.h5"});
  BOOST_TEST(contains(shard.out, "1 sample in 2 classes"), shard.out);
  BOOST_TEST(contains(shard.out, "\n  dog: 0"), shard.out);
}

// Both as they are stored; JSON has escapes of its own.
BOOST_AUTO_TEST_CASE(names_and_classes_of_a_sample_are_written_alike_in_json) {
  const TemporaryFolder folder;
  const std::string photos = folder.path() / "photos";
  write_picture(photos + "/b\nc/a.jpg");
  const std::string dataset = folder.path() / "photos.ds";
  BOOST_REQUIRE(
      run_penstock({"convert", photos, dataset, "--validation-split", "0", "--quiet"}).exit_code ==
      0);
  const auto json =
      nlohmann::json::parse(run_penstock({"inspect", dataset, "--sample", "0", "--json"}).out);
  BOOST_TEST(json["name"] == "b\nc/a.jpg");
  BOOST_TEST(json["class_name"] == "b\nc");
  BOOST_TEST(json["path"] == dataset);
}

BOOST_AUTO_TEST_CASE(metadata_is_counted_on_request) {
  const SmallDataset dataset;
  const auto json =
      nlohmann::json::parse(run_penstock({"inspect", dataset.path(), "--metadata", "--json"}).out);
  BOOST_TEST(json["splits"]["train"]["metadata"]["num_gps"] == 0);
  BOOST_TEST(json["splits"]["train"]["imbalance"] == 1.0);
  const TemporaryFolder folder;
  const std::string photos = folder.path() / "photos";
  constexpr std::string_view kXmp("http://ns.adobe.com/xap/1.0/\0<x/>", 33);
  write_file(photos + "/a/told.jpg",
             std::span<const std::byte>(fixtures::with_segment(
                 picture_jpeg({}), fixtures::JpegMarker::kApp1, fixtures::bytes_of(kXmp))));
  write_picture(photos + "/a/plain.jpg", {.seed = 1});
  const std::string told = folder.path() / "photos.ds";
  BOOST_REQUIRE(
      run_penstock({"convert", photos, told, "--validation-split", "0", "--quiet"}).exit_code == 0);
  BOOST_TEST(contains(run_penstock({"inspect", told + "/train-00000.h5", "--metadata"}).out,
                      "carry EXIF 0, of these a place (GPS) 0; XMP 1,"));
}

BOOST_AUTO_TEST_CASE(what_is_no_dataset_is_refused) {
  const TemporaryFolder folder;
  const std::string missing = folder.path() / "none";
  check_refused(run_penstock({"inspect", missing}), 1,
                "dataset: " + missing + ": expected a folder, found none", "check the path");
  const std::string photos = folder.path() / "photos";
  write_cats_and_dogs(photos, 1);
  check_refused(run_penstock({"inspect", photos}), 1,
                "dataset: " + photos + ": expected dataset.json, found none",
                "penstock convert " + photos + " " + photos + ".penstock");
  const std::string file = folder.path() / "file";
  write_file(file, "no shard");
  const auto refused = [](const std::string& path, const std::string& hint) {
    for (const bool is_sample : {false, true}) {
      std::vector<std::string> arguments = {"inspect", path};
      if (is_sample) arguments.insert(arguments.end(), {"--sample", "0"});
      check_refused(
          run_penstock(arguments), 1,
          "inspect: " + path + ": expected a dataset's folder or a shard, found another file",
          hint);
    }
  };
  refused(file, "convert it first: penstock convert " + file + " " + file + ".penstock");
  refused(photos + "/cat/0.jpg",
          "pictures are converted first, a folder of them at once: penstock convert " + photos +
              "/cat DATASET");
  const SmallDataset dataset;
  refused(dataset.path() + "/dataset.json", "penstock inspect " + dataset.path());
}

BOOST_AUTO_TEST_CASE(a_shard_without_its_header_is_a_damaged_shard_whatever_its_name) {
  const SmallDataset dataset;
  const std::string hint =
      "restore the file from a copy, or save what is left: penstock repair " + dataset.path();
  std::string bytes = read_text_file(dataset.shard());
  bytes.replace(0, 4096, std::string(4096, '\0'));
  for (const char* name : {"train-00000.h5", "kept aside"}) {
    const std::string path = dataset.path() + "/" + name;
    write_file(path, bytes);
    check_refused(run_penstock({"inspect", path}), 3,
                  "shard: " + path + ": expected a Penstock header, found none", hint);
  }
  write_file(dataset.shard(), "no shard");  // 8 bytes; a header has 4096 (FORMAT.md)
  check_refused(run_penstock({"inspect", dataset.shard()}), 3,
                "shard: " + dataset.shard() + ": expected at least 4096 bytes, found 8", hint);
}

BOOST_AUTO_TEST_CASE(a_shard_cut_short_and_a_flipped_byte_are_damage) {
  const SmallDataset cut;
  fixtures::truncate_file(cut.shard(), fs::file_size(cut.shard()) - 1);
  const std::uintmax_t cut_bytes = fs::file_size(cut.shard());
  for (const std::string& path : {cut.path(), cut.shard()}) {
    check_refused(
        run_penstock({"inspect", path}), 3,
        "shard: " + cut.shard() + ": expected " + std::to_string(cut_bytes + 1) + " bytes, found " +
            std::to_string(cut_bytes),
        "restore the file from a copy, or save what is left: penstock repair " + cut.path());
  }
  const SmallDataset flipped;
  fixtures::flip_byte(flipped.shard(), 20);  // in the header
  check_refused_with(run_penstock({"inspect", flipped.path()}), 3,
                     "shard: " + flipped.shard() + ": ");
  const SmallDataset manifest;
  fixtures::flip_byte(manifest.path() + "/dataset.json", 40);
  check_refused_with(run_penstock({"inspect", manifest.path()}), 3,
                     "manifest: " + manifest.path() + "/dataset.json: ");
}

BOOST_AUTO_TEST_CASE(info_names_libraries_and_limits) {
  const CommandResult text = run_penstock({"info"});
  BOOST_TEST(text.exit_code == 0);
  for (const char* part : {"penstock " PENSTOCK_VERSION, "libjpeg-turbo", "HDF5", "oneDNN", "SIMD",
                           "GPU", "memory", "--memory"}) {
    BOOST_TEST(contains(text.out, part), part);
  }
  const auto json = nlohmann::json::parse(run_penstock({"info", "--json"}).out);
  BOOST_TEST(json["version"] == PENSTOCK_VERSION);
  for (const auto& [name, version] : json["libraries"].items()) {
    BOOST_TEST(!version.get<std::string>().empty(), name);
  }
  const auto& memory = json["memory"];
  BOOST_TEST(memory["machine_bytes"] >= memory["available_bytes"]);
  BOOST_TEST(memory["available_bytes"] > memory["default_limit_bytes"]);
  BOOST_TEST(json["num_cores"] >= 1);
  BOOST_TEST(!json["simd_targets"].empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
