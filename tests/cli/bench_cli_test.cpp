// penstock bench as it is typed.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "streamer/core/usable_cores.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"
#include "tests/train/has_bfloat16.h"

namespace penstock::tests {
namespace {

using Json = nlohmann::json;

struct Place {
  Place() {
    write_cats_and_dogs(folder.path() / "photos", 8);
    const auto converted = run_penstock({"convert", (folder.path() / "photos").string(), dataset(),
                                         "--validation-split", "0", "--quiet"});
    BOOST_REQUIRE(converted.exit_code == 0);
  }
  std::string dataset() const { return (folder.path() / "photos.ds").string(); }
  CommandResult bench(std::vector<std::string> more, const std::string& memory = "128M") const {
    more.insert(more.begin(), {"bench", "loader", dataset(), "--rounds", "1", "--batch-size", "4",
                               "--image-size", "24", "--memory", memory, "--quiet"});
    return run_penstock(more);
  }
  TemporaryFolder folder;
};

const Json& side(const Json& report, const std::string& name) {
  for (const Json& side : report["sides"]) {
    if (side["name"] == name) return side;
  }
  BOOST_FAIL("no side " + name + " in " + report.dump());
  throw std::logic_error("unreachable");
}

BOOST_AUTO_TEST_SUITE(bench_cli)

BOOST_AUTO_TEST_CASE(each_stage_stands_beside_its_ceiling) {
  const Place place;
  const CommandResult result = place.bench({"--augment", "resized-crop", "--json", "--cold"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const Json report = Json::parse(result.out);
  for (const char* name :
       {"bare pread", "libjpeg-turbo, same crops", "memcpy of batches", "plan", "pread", "checksum",
        "decode", "warp", "collate", "delivery", "loader"}) {
    BOOST_TEST(side(report, name)["images_per_s"]["median"].get<double>() > 0, name);
  }
  BOOST_TEST(side(report, "pread")["ceiling"] == "bare pread");
  BOOST_TEST(side(report, "loader")["ceiling"] == "libjpeg-turbo, same crops");
  const Json& loader = side(report, "loader");
  BOOST_TEST(
      loader["ratio"]["median"].get<double>() ==
          loader["images_per_s"]["median"].get<double>() /
              side(report, "libjpeg-turbo, same crops")["images_per_s"]["median"].get<double>(),
      boost::test_tools::tolerance(1e-9));
  BOOST_TEST(report["limit_bytes"] == 128u << 20);
  BOOST_TEST(report["drawn_bytes"].get<std::uint64_t>() > 0u);
  BOOST_TEST(report["drawn_bytes"].get<std::uint64_t>() <= 128u << 20);
  // Cold: an epoch is 4 batches, of which one warms; the rest is prefetched at once.
  BOOST_TEST(report["num_samples"] == 4);
  BOOST_TEST(report["is_cold"] == true);
  BOOST_TEST(contains(report["notes"].dump(), "an epoch of 4 batches"), report["notes"].dump());
  BOOST_TEST(loader["num_failed"] == 0);
  BOOST_TEST(!report["verdict"]["text"].get<std::string>().empty());
  BOOST_TEST(report["verdict"]["elapsed_us"].get<std::uint64_t>() > 0u);
  for (const char* key : {"commit", "compiler", "flags", "cpu", "dataset_id"}) {
    BOOST_TEST(!report[key].get<std::string>().empty(), key);
  }
}

BOOST_AUTO_TEST_CASE(the_text_names_every_stage_and_what_one_round_cannot_say) {
  const Place place;
  const CommandResult result = place.bench({"--threads", "1", "--num-readers", "1"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  for (const char* part : {"pread", "checksum", "decode", "warp", "collate", "delivery", "loader",
                           "slow consumer:", "verdict:", "memory:", "1 cores",
                           "nothing is recommended by fewer than 3 --rounds"}) {
    BOOST_TEST(contains(result.out, part), result.out);
  }
}

BOOST_AUTO_TEST_CASE(a_cache_and_a_layout_are_measured_and_told) {
  const Place place;
  const CommandResult result = place.bench(
      {"--cache", "encoded", "--layout", "nhwc", "--samples", "64", "--threads", "1", "--json"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const Json report = Json::parse(result.out);
  BOOST_TEST(report["layout"] == "NHWC");
  BOOST_TEST(report["cache"]["form"] == "encoded");
  BOOST_TEST(report["cache"]["num_kept"] == 16);
  BOOST_TEST(report["cache"]["num_hits"] == report["cache"]["num_places"]);
  BOOST_TEST(contains(report["notes"].dump(), "--cache encoded: filled by 1 epoch"));
  BOOST_TEST(side(report, "loader")["ceiling"] == "libjpeg-turbo, same crops");
}

BOOST_AUTO_TEST_CASE(operations_stand_beside_opencv_and_a_copy) {
  const CommandResult result =
      run_penstock({"bench", "augment", "--row", "pad-crop", "--simd", "scalar", "--rounds", "2",
                    "--layout", "nhwc", "--batch-size", "3", "--json"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const Json report = Json::parse(result.out);
  BOOST_TEST(report["layout"] == "nhwc");
  BOOST_TEST(report["batch_size"] == 3);
  BOOST_TEST(report["num_rounds"] == 2);
  BOOST_REQUIRE(report["rows"].size() == 1u);
  const Json& row = report["rows"][0];
  BOOST_TEST(row["name"] == "pad-crop");
  BOOST_TEST(row["bar"]["most_us"] == 1.5);
  BOOST_TEST(row["bar"]["times_opencv"].is_null());
  std::vector<std::string> names;
  for (const Json& side : row["sides"]) {
    names.push_back(side["name"]);
    BOOST_TEST(side["cpu_us"]["median"].get<double>() > 0, names.back());
  }
  BOOST_TEST(
      names == std::vector<std::string>({"plan", "memcpy of the output", "OpenCV", "scalar"}),
      boost::test_tools::per_element());
  const CommandResult text =
      run_penstock({"bench", "augment", "--row", "pad-crop", "--rounds", "1"});
  BOOST_TEST(contains(text.out, "at most 1.5 us"), text.out);
  BOOST_TEST(contains(text.out, "scalar"), text.out);
}

BOOST_AUTO_TEST_CASE(vector_units_are_listed_and_forced_by_name) {
  const CommandResult list = run_penstock({"bench", "augment", "--simd", "list"});
  BOOST_TEST(list.exit_code == 0);
  BOOST_TEST(list.out.ends_with("scalar\n"), list.out);
  const Place place;
  const CommandResult forced = place.bench({"--simd", "scalar", "--json"});
  BOOST_TEST(forced.exit_code == 0, forced.err);
  const CommandResult widest = run_penstock(
      {"bench", "augment", "--row", "pad-crop", "--rounds", "1", "--simd", "auto", "--json"});
  BOOST_TEST(widest.exit_code == 0, widest.err);
  BOOST_TEST(contains(widest.out, "\"" + list.out.substr(0, list.out.find_first_of(" \n")) + "\""),
             widest.out);
  for (const char* command : {"augment", "loader"}) {
    const CommandResult unknown = run_penstock({"bench", command, "--simd", "avx3"});
    BOOST_TEST(unknown.exit_code == 2);
    BOOST_TEST(contains(unknown.err, "found 'avx3'"), unknown.err);
  }
  for (const char* command : {"train", "preview", "evaluate", "predict"}) {
    const CommandResult unknown = run_penstock({command, place.dataset(), "--simd", "avx3"});
    BOOST_TEST(unknown.exit_code == 2);
    BOOST_TEST(contains(unknown.err, "simd: expected auto, "), unknown.err);
  }
  const auto sheet = [&](const std::string& simd) {
    const std::string path = (place.folder.path() / (simd + ".png")).string();
    const CommandResult drawn =
        run_penstock({"preview", place.dataset(), "-o", path, "--simd", simd, "--augment",
                      "standard", "--augment.rotation-range", "20", "--quiet"});
    BOOST_REQUIRE_MESSAGE(drawn.exit_code == 0, drawn.err);
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  BOOST_TEST((sheet("scalar") == sheet("auto")));
  const CommandResult row = run_penstock({"bench", "augment", "--row", "turnt"});
  BOOST_TEST(row.exit_code == 2);
  BOOST_TEST(contains(row.err, "did you mean 'turned'?"), row.err);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_measured_is_refused) {
  const Place place;
  const CommandResult layout = place.bench({"--layout", "nhwcs"});
  BOOST_TEST(layout.exit_code == 2);
  BOOST_TEST(contains(layout.err, "--layout: expected nchw or nhwc, found 'nhwcs'"), layout.err);
  BOOST_TEST(contains(layout.err, "did you mean 'nhwc'?"), layout.err);
  const CommandResult cache = place.bench({"--cache", "lru"});
  BOOST_TEST(cache.exit_code == 2);
  BOOST_TEST(contains(cache.err, "expected none, encoded or decoded, found 'lru'"), cache.err);
  const CommandResult cold = place.bench({"--cold", "--cache", "decoded"});
  BOOST_TEST(cold.exit_code == 1);
  BOOST_TEST(contains(cold.err, "--cold: expected --cache none, found decoded"), cold.err);
  const CommandResult unknown = place.bench({"--augment", "resized-crops"});
  BOOST_TEST(unknown.exit_code == 2);
  BOOST_TEST(contains(unknown.err, "resized-crop"), unknown.err);
  const CommandResult little = place.bench({}, "1M");
  BOOST_TEST(little.exit_code == 1);
  BOOST_TEST(contains(little.err, "memory limit"), little.err);
  const CommandResult much = place.bench({}, "1000T");
  BOOST_TEST(much.exit_code == 1);
  BOOST_TEST(contains(much.err, "1000.0 TiB for the loader"), much.err);
}

BOOST_AUTO_TEST_CASE(convert_is_measured_beside_cp_and_libjpeg) {
  const TemporaryFolder folder;
  write_cats_and_dogs(folder.path() / "photos", 12);
  const std::string source = (folder.path() / "photos").string();
  const std::string place = folder.path().string();
  const CommandResult result = run_penstock(
      {"bench", "convert", source, "--place", place, "--rounds", "2", "--json", "--quiet"});
  BOOST_REQUIRE(result.exit_code == 0);
  BOOST_TEST(result.err == "");
  const auto json = nlohmann::json::parse(result.out);
  BOOST_TEST(json.at("num_files") == 24);
  std::map<std::string, nlohmann::json> sides;
  for (const auto& side : json.at("sides")) {
    BOOST_TEST(side.at("files_per_s").at("median").get<double>() > 0.0);
    BOOST_TEST(side.at("num_failed") == 0);
    sides[side.at("name").get<std::string>()] = side;
  }
  BOOST_TEST(sides.size() == 6u);
  for (const auto& [name, ceiling] :
       {std::pair("convert --trust", "cp -r"), std::pair("convert", "libjpeg-turbo"),
        std::pair("convert --resize-short 256 --quality 90", "decode, resize, encode")}) {
    BOOST_TEST(sides.at(name).at("ceiling") == ceiling);
    BOOST_TEST(sides.at(name).at("ratio").at("median").get<double>() > 0.0);
  }
  BOOST_TEST(count_entries(folder.path()) == 1u);
  const CommandResult text = run_penstock({"bench", "convert", source, "--place", place, "--rounds",
                                           "1", "--row", "convert --trust", "--quiet"});
  BOOST_TEST(contains(text.out, "24 files"), text.out);
  BOOST_TEST(contains(text.out, ", of cp -r"), text.out);
  BOOST_TEST(!contains(text.out, "libjpeg-turbo"), text.out);
  const CommandResult crops = run_penstock(
      {"bench", "convert", source, "--row", "crops", "--rounds", "1", "--json", "--quiet"});
  BOOST_REQUIRE(crops.exit_code == 0);
  const auto crops_json = nlohmann::json::parse(crops.out);
  BOOST_TEST(crops_json["sides"].size() == 4u);
  BOOST_TEST(crops_json["sides"][1]["name"] == "crops, optimized");
  BOOST_TEST(crops_json["sides"][1]["ceiling"] == "crops, as found");
  for (const auto& side : crops_json["sides"]) BOOST_TEST(side["num_failed"] == 0);
  BOOST_TEST(crops_json["num_optimized_bytes"] > 0);
  check_refused(run_penstock({"bench", "convert", source, "--row", "cp"}), 1,
                "bench convert: row: expected 'convert --trust', 'convert', 'convert "
                "--resize-short 256 --quality 90' or 'crops', found 'cp'",
                "--row convert");
}

BOOST_AUTO_TEST_CASE(verify_is_measured_beside_plain_reading) {
  const TemporaryFolder folder;
  std::vector<std::byte> bytes = picture_jpeg({});
  bytes.resize(3u << 20);  // what lies behind the end is kept
  write_file(folder.path() / "photos/a/1.jpg", std::span<const std::byte>(bytes));
  const std::string dataset = (folder.path() / "ds").native();
  BOOST_REQUIRE(run_penstock({"convert", (folder.path() / "photos").native(), dataset, "--quiet"})
                    .exit_code == 0);
  const CommandResult result =
      run_penstock({"bench", "verify", dataset, "--threads", "2", "--rounds", "1", "--json"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const Json report = Json::parse(result.out);
  BOOST_TEST(report["num_threads"] == 2);
  BOOST_TEST(report["num_shards"] == 1);
  const Json& verify = side(report, "verify");
  BOOST_TEST(verify["ceiling"] == "bare pread");
  BOOST_TEST(verify["ratio"]["median"].get<double>() ==
                 verify["mib_per_s"]["median"].get<double>() /
                     side(report, "bare pread")["mib_per_s"]["median"].get<double>(),
             boost::test_tools::tolerance(1e-9));
  const CommandResult text = run_penstock({"bench", "verify", dataset, "--rounds", "1"});
  BOOST_TEST(contains(text.out, "1 shard, 3."), text.out);
}

BOOST_AUTO_TEST_CASE(a_size_of_the_image_that_can_never_be_right_is_usage) {
  const CommandResult result = run_penstock({"bench", "train", "--image-size", "x"});
  BOOST_TEST(result.exit_code == 2, result.err);
  BOOST_TEST(contains(result.err, "\nhint: --image-size 96\n"), result.err);
}

BOOST_AUTO_TEST_CASE(a_training_step_is_measured_beside_its_convolutions) {
  const std::vector<std::string> line = {"bench",        "train",     "--model",      "lenet",
                                         "--color-mode", "grayscale", "--image-size", "28",
                                         "--batch-size", "4",         "--classes",    "10",
                                         "--threads",    "1",         "--rounds",     "1"};
  std::vector<std::string> as_json = line;
  as_json.push_back("--json");
  const CommandResult result = run_penstock(as_json);
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const Json report = Json::parse(result.out);
  BOOST_TEST(report["channels"] == 1);
  BOOST_TEST(report["batch_size"] == 4);
  BOOST_TEST(side(report, "training step")["ceiling"] == "bare convolutions");
  BOOST_TEST(side(report, "training step")["gflop_per_s"].get<double>() > 0.0);
  std::vector<std::string> explained = line;
  explained.push_back("--explain");
  const CommandResult text = run_penstock(explained);
  BOOST_TEST(contains(text.out, "weight gradient"), text.out);
  BOOST_TEST(report["precision"] == "float32");
  check_refused(run_penstock({"bench", "train", "--precision", "half"}), 2,
                "--precision: expected float32, bfloat16, tf32 or float16, found 'half'",
                "--precision float32");
  check_refused(run_penstock({"bench", "train", "--model", "resnet81"}), 1,
                "model: expected lenet, small_cnn, vgg11_bn, resnet9, resnet18, resnet34, "
                "resnet50, mobilenet_v2, mobilenet_v3_small, efficientnet_b0, densenet121 "
                "or convnext_tiny, found 'resnet81'",
                "did you mean 'resnet9'?");
}

BOOST_AUTO_TEST_CASE(training_from_shards_is_measured_beside_a_resident_batch) {
  const Place place;
  const std::vector<std::string> line = {"bench",
                                         "train",
                                         place.dataset(),
                                         "--model",
                                         "lenet",
                                         "--image-size",
                                         "28",
                                         "--batch-size",
                                         "4",
                                         "--threads",
                                         "1",
                                         "--loader-threads",
                                         "2",
                                         "--memory",
                                         "256M",
                                         "--rounds",
                                         "1",
                                         "--json"};
  const CommandResult result = run_penstock(line);
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const Json report = Json::parse(result.out);
  BOOST_TEST(report["batch_size"] == 4);
  BOOST_TEST(report["cores"]["threads"] == 1);
  BOOST_TEST(report["cores"]["loader_threads"] == 2);
  const Json& streamed = side(report, "from shards");
  BOOST_TEST(streamed["ceiling"] == "on a resident batch");
  BOOST_TEST(streamed["ratio"]["median"].get<double>() ==
                 streamed["images_per_s"]["median"].get<double>() /
                     side(report, "on a resident batch")["images_per_s"]["median"].get<double>(),
             boost::test_tools::tolerance(1e-9));
  const double waiting = report["waiting_share"]["median"].get<double>();
  BOOST_TEST(waiting >= 0.0);
  BOOST_TEST(waiting < 1.0);
  // One compute thread cannot become fewer, and a loader takes no more workers than there are cores.
  BOOST_TEST(report["candidates"].size() == (num_usable_cores() >= 2 ? 1u : 0u));
  for (const Json& candidate : report["candidates"]) {
    BOOST_TEST(candidate["loader_threads"] == 1 + std::min(num_usable_cores(), 3u));
  }
  BOOST_TEST(report["recommended"].is_null());  // one round recommends nothing
  BOOST_TEST(report["start_s"].get<double>() > 0.0);
  BOOST_TEST(report["precision"] == "float32");
  check_refused(run_penstock({"bench", "train", place.dataset(), "--classes", "3"}), 2,
                "bench train: --classes: expected no DATASET, which has its own, found one",
                "leave --classes out");
  check_refused(run_penstock({"bench", "train", "--memory", "1G"}), 2,
                "bench train: --memory: expected a DATASET to load, found none",
                "penstock bench train photos.ds --memory ...");
  check_refused(run_penstock({"bench", "train", place.dataset(), "--batch-size", "64"}), 1,
                "bench train: split train: expected samples for a whole batch of 64, found 16",
                "--batch-size 16");
}

// The loader would deliver parts, and none of them is the step that was asked for.
BOOST_AUTO_TEST_CASE(a_step_that_the_memory_limit_cuts_is_refused_with_one_that_fits) {
  const Place place;
  const auto bench = [&](const std::string& batch_size) {
    return run_penstock({"bench", "train", place.dataset(), "--model", "small_cnn", "--image-size",
                         "96", "--batch-size", batch_size, "--threads", "1", "--loader-threads",
                         "2", "--memory", "40M", "--rounds", "1", "--json"});
  };
  for (const char* batch_size : {"16", "13"}) {
    const CommandResult cut = bench(batch_size);
    BOOST_TEST(cut.exit_code == 1);
    BOOST_TEST(contains(cut.err,
                        "penstock: bench train: expected a step that fits the memory limit "
                        "whole, found batch " +
                            std::string(batch_size) + " in parts of "),
               cut.err);
    const std::string hint = "hint: --batch-size ";
    const std::size_t at = cut.err.find(hint);
    BOOST_REQUIRE(at != std::string::npos);
    const std::string fitting = std::to_string(std::stoi(cut.err.substr(at + hint.size())));
    const CommandResult whole = bench(fitting);
    BOOST_REQUIRE_MESSAGE(whole.exit_code == 0, whole.err);
    BOOST_TEST(Json::parse(whole.out)["batch_size"] == std::stoi(fitting));
  }
}

BOOST_AUTO_TEST_CASE(training_is_measured_in_bfloat16_from_memory_and_from_shards,
                     *boost::unit_test::precondition(train::tests::HasBfloat16())) {
  const Place place;
  const std::vector<std::string> step = {
      "--model",  "lenet", "--image-size", "28",       "--batch-size", "4", "--threads", "1",
      "--rounds", "1",     "--precision",  "bfloat16", "--json"};
  for (const bool has_dataset : {false, true}) {
    std::vector<std::string> line = {"bench", "train"};
    if (has_dataset) {
      line.insert(line.end(), {place.dataset(), "--loader-threads", "2", "--memory", "256M"});
    }
    line.insert(line.end(), step.begin(), step.end());
    const CommandResult result = run_penstock(line);
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    const Json report = Json::parse(result.out);
    BOOST_TEST(report["precision"] == "bfloat16");
    const char* name = has_dataset ? "from shards" : "training step";
    BOOST_TEST(side(report, name)["images_per_s"]["median"].get<double>() > 0.0);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
