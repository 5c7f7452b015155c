// penstock plan as it is typed, and the conversion option that it may ask for.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "streamer/core/usable_cores.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

using Json = nlohmann::json;

// Eight small pictures and, if asked for, a progressive one of 2,000 x 1,500 pixels, 9 MB of
// coefficients at 4:2:0.
struct Place {
  explicit Place(bool has_large) {
    write_cats_and_dogs(source(), 4);
    if (!has_large) return;
    write_picture(source() / "cat" / "large.jpg",
                  {.width_px = 2000, .height_px = 1500, .jpeg = {.is_progressive = true}});
  }
  std::filesystem::path source() const { return folder.path() / "photos"; }
  std::string dataset() const { return (folder.path() / "photos.ds").string(); }
  CommandResult convert(std::vector<std::string> more) const {
    more.insert(more.begin(), {"convert", source().string(), dataset(), "--validation-split", "0"});
    return run_penstock(more);
  }

  TemporaryFolder folder;
};

CommandResult plan(const Place& place, std::vector<std::string> more) {
  more.insert(more.begin(), {"plan", place.dataset()});
  return run_penstock(more);
}

BOOST_AUTO_TEST_SUITE(plan_cli)

BOOST_AUTO_TEST_CASE(the_lines_add_up_to_the_limit_in_words_and_as_json) {
  const Place place(false);
  BOOST_REQUIRE(place.convert({"--quiet"}).exit_code == 0);
  const CommandResult text = plan(place, {"--memory", "64M", "--image-size", "32x48"});
  BOOST_TEST(text.exit_code == 0);
  BOOST_TEST(text.err == "");
  for (const char* part : {", split train: 8 samples\n", "\n  index ", "\n  shards ", "\n  fixed ",
                           "\n  batch ring ", "4 batches of 32 x 32 x 48 x 3",
                           "\n  samples in flight ", "\n  left ", "\n  limit ", "64.0 MiB\n"}) {
    BOOST_TEST(contains(text.out, part), part << " in " << text.out);
  }
  const CommandResult result = plan(place, {"--memory", "64M", "--json", "--batch-size", "8",
                                            "--loader-threads", "3", "--num-slots", "5"});
  BOOST_TEST(result.exit_code == 0);
  const Json json = Json::parse(result.out);
  BOOST_TEST(json["fits"] == true);
  BOOST_TEST(json["nearest"].is_null());
  BOOST_TEST(json["limit_bytes"] == 64u << 20);
  BOOST_TEST(json["batch_size"] == 8);
  BOOST_TEST(json["num_slots"] == 5);
  BOOST_TEST(json["num_readers"] == 1);
  BOOST_TEST(json["num_workers"] == std::min(num_usable_cores(), 2u));
  std::uint64_t sum = 0;
  for (const Json& line : json["lines"]) {
    if (line["what"] != "limit") sum += line["bytes"].get<std::uint64_t>();
  }
  BOOST_TEST(sum == 64u << 20);
}

// Two classes: cat and dog.
BOOST_AUTO_TEST_CASE(targets_of_mixed_batches_are_counted_with_the_ring_of_the_training_split) {
  const Place place(false);
  BOOST_REQUIRE(place.convert({"--quiet"}).exit_code == 0);
  const CommandResult mixed = plan(place, {"--memory", "64M", "--augment.mixup", "0.2"});
  BOOST_TEST(contains(mixed.out, "x 3, and 2 targets a sample\n"), mixed.out);
  BOOST_TEST(!contains(plan(place, {"--memory", "64M"}).out, "targets"));
}

BOOST_AUTO_TEST_CASE(a_cache_is_a_line_of_what_is_left) {
  const Place place(false);
  BOOST_REQUIRE(place.convert({"--quiet"}).exit_code == 0);
  const auto cache_bytes = [](const Json& json) {
    std::uint64_t bytes = 0;
    std::uint64_t sum = 0;
    for (const Json& line : json["lines"]) {
      const auto line_bytes = line["bytes"].get<std::uint64_t>();
      if (line["what"] != "limit") sum += line_bytes;
      if (line["what"] == "cache") bytes = line_bytes;
    }
    BOOST_TEST(sum == 64u << 20);
    return bytes;
  };
  const std::vector<std::string> arguments = {"--memory", "64M", "--image-size", "32"};
  BOOST_TEST(!contains(plan(place, arguments).out, "\n  cache "));
  std::uint64_t before = 0;  // the decoded form takes more
  for (const char* form : {"encoded", "decoded"}) {
    std::vector<std::string> more = arguments;
    more.insert(more.end(), {"--cache", form});
    const CommandResult text = plan(place, more);
    BOOST_TEST(text.exit_code == 0);
    BOOST_TEST(contains(text.out, "\n  cache "));
    BOOST_TEST(
        contains(text.out, std::string("  ") + form + ", all samples; given back when others"));
    more.push_back("--json");
    const Json json = Json::parse(plan(place, more).out);
    BOOST_TEST(json["cache"] == form);
    BOOST_TEST(cache_bytes(json) > before);
    before = cache_bytes(json);
  }
  const CommandResult wrong = plan(place, {"--cache", "encode"});
  BOOST_TEST(wrong.exit_code == 2);
  BOOST_TEST(contains(wrong.err, "expected none, encoded or decoded, found 'encode'"));
  BOOST_TEST(contains(wrong.err, "did you mean 'encoded'?"));
}

// More than most machines have cores for: the loader starts fewer workers, and the plan says so.
BOOST_AUTO_TEST_CASE(the_threads_are_those_that_the_loader_starts) {
  const Place place(false);
  BOOST_REQUIRE(place.convert({"--quiet"}).exit_code == 0);
  const Json json = Json::parse(plan(place, {"--loader-threads", "256", "--json"}).out);
  BOOST_TEST(json["num_readers"] == 64);
  BOOST_TEST(json["num_workers"] == std::min(num_usable_cores(), 192u));
}

BOOST_AUTO_TEST_CASE(the_tables_of_an_order_are_a_line_of_the_plan) {
  const Place place(false);
  BOOST_REQUIRE(place.convert({"--quiet"}).exit_code == 0);
  const auto order_bytes = [&](std::vector<std::string> arguments) {
    arguments.push_back("--json");
    const Json json = Json::parse(plan(place, arguments).out);
    for (const Json& line : json["lines"]) {
      if (line["what"] == "order") return line["bytes"].get<int>();
    }
    return -1;
  };
  BOOST_TEST(order_bytes({}) == 0);
  BOOST_TEST(order_bytes({"--order", "windowed"}) > 0);
  BOOST_TEST(order_bytes({"--order", "windowed", "--window", "64K"}) >=
             order_bytes({"--order", "windowed"}));
  BOOST_TEST(contains(plan(place, {"--order", "windowed"}).out, "  windowed\n"));
}

// A window may be small, so it is decoded finer than a whole picture is: more of it is held.
BOOST_AUTO_TEST_CASE(the_augmentation_and_a_run_file_enter_the_plan_as_they_do_a_run) {
  const Place place(false);
  write_picture(place.source() / "cat" / "large.jpg", {.width_px = 2000, .height_px = 1500});
  BOOST_REQUIRE(place.convert({"--quiet"}).exit_code == 0);
  const auto costliest_bytes = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--image-size", "224", "--json"});
    return Json::parse(plan(place, arguments).out)["costliest"]["bytes"].get<std::int64_t>();
  };
  const std::int64_t whole = costliest_bytes({});
  const std::int64_t window = costliest_bytes({"--augment.random-resized-crop", "true"});
  BOOST_TEST(window > whole);
  const std::string file = (place.folder.path() / "run.toml").string();
  std::ofstream(file) << "batch_size = 5\n[augment]\nrandom_resized_crop = true\n";
  BOOST_TEST(costliest_bytes({"--config", file}) == window);
  const Json json = Json::parse(plan(place, {"--config", file, "--json"}).out);
  BOOST_TEST(json["batch_size"] == 5);
  const Json typed =
      Json::parse(plan(place, {"--config", file, "--batch-size", "6", "--json"}).out);
  BOOST_TEST(typed["batch_size"] == 6);
  BOOST_TEST(plan(place, {"--config", file + ".not"}).exit_code == 1);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_fails_with_the_nearest_that_does) {
  const Place place(false);
  BOOST_REQUIRE(place.convert({"--quiet"}).exit_code == 0);
  const std::vector<std::string> too_much = {"--memory", "16M",          "--image-size",
                                             "224",      "--batch-size", "32"};
  std::vector<std::string> arguments = too_much;
  const CommandResult text = plan(place, arguments);
  BOOST_TEST(text.exit_code == 1);
  BOOST_TEST(contains(text.out, "\n  missing "));
  BOOST_TEST(
      contains(text.err, "penstock: memory limit: loader: expected at most 16.0 MiB, found "));
  BOOST_TEST(contains(text.err, "\nhint: raise the memory limit (--memory) to "));
  arguments.push_back("--json");
  const Json nearest = Json::parse(plan(place, arguments).out)["nearest"];
  arguments = too_much;
  arguments[1] = std::to_string(nearest["limit_bytes"].get<std::uint64_t>());
  BOOST_TEST(plan(place, arguments).exit_code == 0);
  arguments = too_much;
  arguments[5] = std::to_string(nearest["batch_size"].get<int>());
  BOOST_TEST(plan(place, arguments).exit_code == 0);
  arguments[5] = std::to_string(nearest["batch_size"].get<int>() + 1);
  BOOST_TEST(plan(place, arguments).exit_code == 1);
  arguments.push_back("--quiet");
  const CommandResult quiet = plan(place, arguments);
  BOOST_TEST(quiet.exit_code == 1);
  BOOST_TEST(quiet.out == "");
  BOOST_TEST(!quiet.err.empty());
}

BOOST_AUTO_TEST_CASE(a_progressive_picture_too_large_fits_once_it_is_optimised) {
  const Place place(true);
  BOOST_REQUIRE(place.convert({"--quiet"}).exit_code == 0);
  const std::vector<std::string> arguments = {"--memory", "12M", "--image-size", "32"};
  const CommandResult refused = plan(place, arguments);
  BOOST_TEST(refused.exit_code == 1);
  BOOST_TEST(contains(refused.out, "2000 x 1500 px in several scans, cat/large.jpg"));
  BOOST_TEST(contains(refused.err,
                      "\nhint: convert the source again with --optimize-crops, after "
                      "which no sample takes more than about "));
  const CommandResult converted = place.convert({"--force", "--optimize-crops"});
  BOOST_TEST(converted.exit_code == 0);
  BOOST_TEST(
      contains(converted.out,
               "rewritten     1 picture of several scans, as baseline JPEG of the same pixels"));
  BOOST_TEST(plan(place, arguments).exit_code == 0);
  const Json dataset = Json::parse(run_penstock({"inspect", place.dataset(), "--json"}).out);
  BOOST_TEST(dataset["conversion"]["optimize_crops"] == true);
  BOOST_TEST(dataset["splits"]["train"]["num_progressive"] == 0);
  const CommandResult as_json = place.convert({"--force", "--optimize-crops", "--json"});
  BOOST_TEST(Json::parse(as_json.out)["num_rewritten"] == 1);
}

std::uint64_t role_bytes(const Json& network, const std::string& name) {
  for (const Json& role : network["roles"]) {
    if (role["role"] == name) return role["bytes"].get<std::uint64_t>();
  }
  return 0;
}

// A convolution of 3 x 3 x 3 weights and 4 filters, and two classes of 32 x 32 x 4 values each.
void write_net(const std::filesystem::path& file) {
  std::ofstream(file) << "[[layer]]\ntype = \"conv2d\"\nfilters = 4\n"
                         "[[layer]]\ntype = \"flatten\"\n"
                         "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n";
}

// Parameters: 4 x 27 + 4, and 2 x 4096 + 2, in float32; oneDNN pads channels in its layouts. sgd has one state of each.
BOOST_AUTO_TEST_CASE(a_network_is_a_line_of_the_plan_and_a_table_of_its_own) {
  const Place place(false);
  BOOST_REQUIRE(place.convert({"--quiet"}).exit_code == 0);
  const std::string net = (place.folder.path() / "net.toml").string();
  write_net(net);
  const std::vector<std::string> arguments = {"--memory",     "64M",    "--image-size", "32",
                                              "--batch-size", "4",      "--model",      net,
                                              "--backend",    "onednn", "--precision",  "float32"};
  const CommandResult text = plan(place, arguments);
  BOOST_TEST(text.exit_code == 0, text.err);
  for (const char* part :
       {"\n  network ", "  net, 8,306 parameters, batch 4\n", "\nnetwork net, 8,306 parameters",
        "\n  parameters ", "\n  optimizer state ", "\n  gradients ", "\n  saved activations ",
        "\n  kept ", "\n  passing ", "\nfits    as it is: nothing is cut or computed again\n"}) {
    BOOST_TEST(contains(text.out, part), part << " in " << text.out);
  }
  std::vector<std::string> as_json = arguments;
  as_json.push_back("--json");
  const Json json = Json::parse(plan(place, as_json).out);
  const Json& network = json["network"];
  BOOST_TEST(network["num_params"] == 8306);
  BOOST_TEST(network["step_samples"] == 4);
  BOOST_TEST(network["micro_batch"] == 4);
  BOOST_TEST(network["recompute"] == "none");
  BOOST_TEST(role_bytes(network, "parameters") >= 8306u * 4);
  BOOST_TEST(role_bytes(network, "optimizer state") >= 8306u * 4);
  BOOST_TEST(role_bytes(network, "gradients") >= 8306u * 4);
  BOOST_TEST(network["kept_bytes"].get<std::uint64_t>() >= 2 * 8306u * 4);
  BOOST_TEST(network["arena_bytes"].get<std::uint64_t>() ==
             network["kept_bytes"].get<std::uint64_t>() +
                 network["passing_bytes"].get<std::uint64_t>());
  std::uint64_t sum = 0;
  for (const Json& line : json["lines"]) {
    if (line["what"] != "limit") sum += line["bytes"].get<std::uint64_t>();
    if (line["what"] == "network") BOOST_TEST(line["bytes"] == network["total_bytes"]);
  }
  BOOST_TEST(sum == 64u << 20);
  as_json.insert(as_json.end(), {"--optimizer", "adam"});
  const Json adam = Json::parse(plan(place, as_json).out)["network"];
  BOOST_TEST(role_bytes(adam, "optimizer state") >= 2 * 8306u * 4);
  BOOST_TEST(Json::parse(plan(place, {"--json"}).out)["network"].is_null());
}

// 16 MiB for the values of 8 samples of 128 x 128 pixels in 32 channels, twice; the rest is the loader's.
BOOST_AUTO_TEST_CASE(a_step_that_does_not_fit_is_planned_in_parts_or_refused) {
  const Place place(false);
  BOOST_REQUIRE(place.convert({"--quiet"}).exit_code == 0);
  const std::string file = (place.folder.path() / "run.toml").string();
  std::ofstream(file) << "memory = \"44M\"\nimage_size = 128\nbatch_size = 8\nloader_threads = 2\n"
                         "[[layer]]\ntype = \"conv2d\"\nfilters = 32\n"
                         "[[layer]]\ntype = \"relu\"\n"
                         "[[layer]]\ntype = \"conv2d\"\nfilters = 32\n"
                         "[[layer]]\ntype = \"relu\"\n"
                         "[[layer]]\ntype = \"global_avg_pool\"\n"
                         "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n";
  const CommandResult cut = plan(place, {"--config", file, "--json"});
  BOOST_REQUIRE_MESSAGE(cut.exit_code == 0, cut.err);
  const Json json = Json::parse(cut.out);
  const Json& network = json["network"];
  BOOST_TEST(network["step_samples"] == 8);
  BOOST_TEST(network["micro_batch"].get<int>() < 8);
  BOOST_TEST(json["batch_size"] == network["delivered_batch"]);
  BOOST_TEST(contains(network["note"].get<std::string>(), "batch 8 in parts of "));
  BOOST_TEST(contains(plan(place, {"--config", file}).out, "\nfits    batch 8 in parts of "));
  const CommandResult refused = plan(place, {"--config", file, "--no-auto-batch"});
  BOOST_TEST(refused.exit_code == 1);
  BOOST_TEST(contains(refused.err, "memory: 8 of 8 samples at a time: expected at most 44.0 MiB"));
  BOOST_TEST(contains(refused.err, "hint: one of: leave out --no-auto-batch; --memory "));
}

BOOST_AUTO_TEST_CASE(what_is_typed_wrong_is_a_usage_error_and_an_unknown_split_a_failure) {
  const Place place(false);
  BOOST_REQUIRE(place.convert({"--quiet"}).exit_code == 0);
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"--memory", "0"},
                                                {"--batch-size", "0"},
                                                {"--num-slots", "1"},
                                                {"--num-slots", "65"},
                                                {"--loader-threads", "1"},
                                                {"--order", "weighted"},
                                                {"--window", "1K"},
                                                {"--cache", "all"},
                                                {"--image-size", "x"}}) {
    BOOST_TEST(plan(place, wrong).exit_code == 2, wrong[0] << " " << wrong[1]);
  }
  BOOST_TEST(plan(place, {"--split", "tset"}).exit_code == 1);
  BOOST_TEST(
      contains(run_penstock({"plan", "--help"}).out, "penstock plan photos.ds --memory 256M"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
