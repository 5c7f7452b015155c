#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "fixtures/damage.h"
#include "streamer/core/file.h"
#include "streamer/core/memory_budget.h"
#include "streamer/core/usable_cores.h"
#include "tests/cli/json_events.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/cli/trained_shapes.h"
#include "tests/contains.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

struct Fixture : ShapesRun {
  /// Trains for a moment, with more arguments.
  CommandResult train(const fs::path& dataset, std::vector<std::string> more = {}) const {
    if (std::find(more.begin(), more.end(), "--epochs") == more.end()) {
      more.insert(more.end(), {"--epochs", "1"});
    }
    return ShapesRun::train(dataset, {"--batch-size", "16"}, more);
  }

  fs::path dataset_copy() const {
    fs::copy(shapes.dataset(), folder.path() / "copy.ds", fs::copy_options::recursive);
    return folder.path() / "copy.ds";
  }
  /// The shard of the training split, and where its pictures start.
  static fs::path train_shard(const fs::path& dataset) {
    for (const auto& entry : fs::directory_iterator(dataset)) {
      if (entry.path().filename().native().find("train") != std::string::npos) return entry.path();
    }
    throw std::runtime_error("no training shard in " + dataset.native());
  }
  /// The picture whose bytes stand at `offset` of a shard, by its path below pictures().
  std::string picture_at(const fs::path& shard, std::size_t offset) const {
    const std::string bytes = read_text_file(shard);
    for (const auto& entry : fs::recursive_directory_iterator(shapes.pictures())) {
      if (!entry.is_regular_file()) continue;
      const std::string picture = read_text_file(entry.path());
      if (bytes.compare(offset, picture.size(), picture) != 0) continue;
      return fs::relative(entry.path(), shapes.pictures()).native();
    }
    throw std::runtime_error("no picture at " + std::to_string(offset));
  }
  static std::vector<std::size_t> picture_offsets(const fs::path& shard) {
    const std::string bytes = read_text_file(shard);
    std::vector<std::size_t> offsets;
    for (std::size_t at = 0; (at = bytes.find("\xFF\xD8\xFF", at)) != std::string::npos; ++at) {
      offsets.push_back(at);
    }
    return offsets;
  }
};

BOOST_FIXTURE_TEST_SUITE(train_cli, Fixture)

BOOST_AUTO_TEST_CASE(a_run_says_what_it_does_and_leaves_its_files) {
  BOOST_TEST(contains(shapes.train_err(), "80 training, 40 validation, 10 classes"));
  BOOST_TEST(contains(shapes.train_err(), "small_cnn, 32x32 pixels"));
  BOOST_TEST(contains(shapes.train_err(), "2 compute, 1 reader, 1 worker"));
  BOOST_TEST(contains(shapes.train_err(), "network and its activations"));
  for (const char* part : {"\n    kept  ", ": parameters ", "optimizer state ", "\n    passing  ",
                           "gradients ", "saved activations ", ", sharing places\n"}) {
    BOOST_TEST(contains(shapes.train_err(), part), part);
  }
  BOOST_TEST(contains(shapes.train_err(), "\n  batch buffers  "));
  BOOST_TEST(contains(shapes.train_err(), "epoch 2/2: 80 of 80 samples, each once, 0 skipped"));
  BOOST_TEST(contains(shapes.train_err(), "; validation loss "));
  BOOST_TEST(contains(shapes.train_out(), "penstock evaluate " + shapes.run().native()));
  // 6 batches: one more round than the ring of 4.
  BOOST_TEST(contains(shapes.train_out(), "loader: "));
  BOOST_TEST(contains(shapes.train_out(), " is the bottleneck: "));
  for (const char* name : {"run.toml", "weights.safetensors", "model.json", "metrics.csv",
                           "metrics.jsonl", "checkpoints"}) {
    BOOST_TEST(fs::exists(shapes.run() / name));
  }
  BOOST_TEST(count_entries(shapes.run()) == 6u);
}

BOOST_AUTO_TEST_CASE(the_same_seed_and_threads_give_the_same_weights) {
  const CommandResult again = train(shapes.dataset(), {"--epochs", "2", "--seed", "3"});
  BOOST_REQUIRE_MESSAGE(again.exit_code == 0, again.err);
  BOOST_TEST((read_text_file(out / "weights.safetensors") ==
              read_text_file(shapes.run() / "weights.safetensors")));
}

BOOST_AUTO_TEST_CASE(the_stored_run_file_gives_the_same_weights_and_another_seed_others) {
  const CommandResult again = run_penstock(
      {"train", "--config", shapes.run() / "run.toml", "-o", out, "--loader-threads", "4"});
  BOOST_REQUIRE_MESSAGE(again.exit_code == 0, again.err);
  const std::string weights = read_text_file(shapes.run() / "weights.safetensors");
  BOOST_TEST((read_text_file(out / "weights.safetensors") == weights));
  fs::remove_all(out);
  const CommandResult other = train(shapes.dataset(), {"--epochs", "2", "--seed", "4"});
  BOOST_REQUIRE(other.exit_code == 0);
  BOOST_TEST((read_text_file(out / "weights.safetensors") != weights));
}

BOOST_AUTO_TEST_CASE(
    mixed_batches_are_the_same_for_any_loader_threads_and_after_a_stored_run_file) {
  const std::vector<std::string> mixing = {"--augment.mixup", "0.2", "--augment.cutmix", "1",
                                           "--seed",          "3",   "--epochs",         "2"};
  const CommandResult mixed = train(shapes.dataset(), mixing);
  BOOST_REQUIRE_MESSAGE(mixed.exit_code == 0, mixed.err);
  const std::string weights = read_text_file(out / "weights.safetensors");
  BOOST_TEST((weights != read_text_file(shapes.run() / "weights.safetensors")));
  const std::string settings = read_text_file(out / "run.toml");
  BOOST_TEST(contains(settings, "mixup = 0.2\n"));
  BOOST_TEST(contains(settings, "cutmix = 1.0\n"));

  const fs::path again = folder.path() / "again";
  const CommandResult second =
      run_penstock({"train", "--config", out / "run.toml", "-o", again, "--loader-threads", "4"});
  BOOST_REQUIRE_MESSAGE(second.exit_code == 0, second.err);
  BOOST_TEST((read_text_file(again / "weights.safetensors") == weights));
}

BOOST_AUTO_TEST_CASE(a_cache_changes_no_weight_and_is_told_and_stored) {
  const std::string weights = read_text_file(shapes.run() / "weights.safetensors");
  BOOST_TEST(contains(read_text_file(shapes.run() / "run.toml"), "cache = \"none\""));
  BOOST_TEST(!contains(shapes.train_out(), "cache: "));
  for (const char* form : {"encoded", "decoded"}) {
    fs::remove_all(out);
    const CommandResult cached =
        run_penstock({"train", "--config", shapes.run() / "run.toml", "-o", out, "--cache", form});
    BOOST_REQUIRE_MESSAGE(cached.exit_code == 0, cached.err);
    BOOST_TEST((read_text_file(out / "weights.safetensors") == weights));
    BOOST_TEST(contains(cached.err, "\n  samples kept "));
    BOOST_TEST(contains(cached.out, "\ncache: "));
    BOOST_TEST(contains(cached.out, " of 160 places served from it\n"));
    BOOST_TEST(contains(read_text_file(out / "run.toml"), "cache = \"" + std::string(form) + "\""));
  }
  fs::remove_all(out);
  const CommandResult json = train(shapes.dataset(), {"--json", "--quiet", "--cache", "encoded"});
  BOOST_TEST(json.exit_code == 0);
  BOOST_TEST(contains(json.out, "\"form\":\"encoded\""));
  BOOST_TEST(contains(json.out, "\"num_kept\":80"));
  fs::remove_all(out);
  check_refused(train(shapes.dataset(), {"--cache", "lru"}), 2,
                "run: --cache: cache: expected none, encoded or decoded, found 'lru'",
                "--cache encoded");
}

BOOST_AUTO_TEST_CASE(no_dataset_is_a_failure_that_names_the_argument) {
  const CommandResult none = run_penstock({"train", "-o", out});
  check_refused(none, 2, "train: DATASET: expected a dataset, found none",
                "penstock train flowers.ds -o runs/first");
  check_refused(run_penstock({"train", "x.ds"}), 2,
                "train: --out: expected a folder for the run, found none",
                "penstock train x.ds -o runs/first");
  check_refused(train("/nowhere/x.ds"), 1, "dataset: /nowhere/x.ds: expected a folder, found none",
                "check the path");
  const std::string no_run = "train: --out: expected the run to go on with, found none";
  check_refused(run_penstock({"train", "--resume"}), 2, no_run, "penstock train -o RUN --resume");
  check_refused(run_penstock({"train", "--resume", shapes.run()}), 2, no_run,
                "penstock train -o " + shapes.run().native() + " --resume");
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_CASE(a_folder_of_pictures_comes_with_the_convert_line_and_its_disk_space) {
  std::uint64_t num_bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(shapes.pictures())) {
    if (entry.is_regular_file()) num_bytes += entry.file_size();
  }
  const std::string pictures = shapes.pictures();
  check_refused(train(pictures), 1, "dataset: " + pictures + ": expected dataset.json, found none",
                "penstock convert " + pictures + " " + pictures + ".penstock   (takes about " +
                    format_bytes(num_bytes) + " of disk)");
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_CASE(a_shard_cut_short_is_damage) {
  const fs::path dataset = dataset_copy();
  const fs::path shard = train_shard(dataset);
  fixtures::truncate_file(shard, fs::file_size(shard) - 1);
  const CommandResult result = train(dataset);
  check_refused_with(result, 3, shard.native());
  BOOST_TEST(contains(result.err, "or save what is left: penstock repair " + dataset.native()));
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_CASE(one_flipped_byte_costs_one_sample_which_is_counted_and_named) {
  const fs::path dataset = dataset_copy();
  const fs::path shard = train_shard(dataset);
  const std::vector<std::size_t> pictures = picture_offsets(shard);
  BOOST_REQUIRE(pictures.size() >= 80u);
  const std::string name = picture_at(shard, pictures[5]);
  fixtures::flip_byte(shard, pictures[5] + 400);
  const CommandResult result = train(dataset);
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.err, "epoch 1/1: 80 of 80 samples, each once, 1 skipped"));
  BOOST_TEST(contains(result.err, "skipped   sample 5 of split train (" + name + ", " +
                                      shard.filename().native() + "): checksum mismatch: "));
  const std::string list = read_text_file(out / "skipped.csv");
  BOOST_TEST(contains(list, "epoch,split,sample_id,name,shard,reason,detail\n1,train,5,"));
  BOOST_TEST(std::count(list.begin(), list.end(), '\n') == 2);
}

BOOST_AUTO_TEST_CASE(more_flipped_bytes_than_the_limit_end_the_run) {
  const fs::path dataset = dataset_copy();
  const fs::path shard = train_shard(dataset);
  const std::vector<std::size_t> pictures = picture_offsets(shard);
  for (const std::size_t i : {5, 20, 40, 60}) fixtures::flip_byte(shard, pictures[i] + 400);
  const CommandResult result = train(dataset, {"--quiet"});
  check_refused_with(result, 3, "failed samples: expected at most 1, found ");
  BOOST_TEST(contains(result.err, "hint: penstock verify " + dataset.native() +
                                      " lists what is damaged, penstock repair " +
                                      dataset.native() + " leaves it out"));
  BOOST_TEST(contains(result.err, "the weights after 0 whole epochs and the steps since are in "));
  BOOST_TEST(run_penstock({"evaluate", out, dataset}).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(a_model_that_does_not_fit_the_pictures_names_the_layer) {
  const fs::path model = folder.path() / "net.toml";
  publish_file(model,
               "[[layer]]\ntype = \"max_pool\"\nwindow = 64\n[[layer]]\ntype = \"flatten\"\n"
               "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n");
  check_refused(train(shapes.dataset(), {"--model", model}), 1,
                "model: max_pool_1: expected an input of at least [3, 64, 64], found [3, 32, 32]",
                "a larger image, or fewer pooling layers before this one");
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_CASE(an_unknown_layer_comes_with_the_nearest_one) {
  const fs::path model = folder.path() / "net.toml";
  publish_file(model, "[[layer]]\ntype = \"conv2\"\nfilters = 4\n");
  check_refused(train(shapes.dataset(), {"--model", model}), 1,
                "model: layer 1 (conv2): type: expected a known layer type, found 'conv2'",
                "did you mean 'conv2d'?");
  check_refused(train(shapes.dataset(), {"--model", "small_cn"}), 1,
                "model: expected lenet, small_cnn, vgg11_bn, resnet9, resnet18, resnet34, "
                "resnet50, mobilenet_v2, mobilenet_v3_small, efficientnet_b0, densenet121 "
                "or convnext_tiny, found 'small_cn'",
                "did you mean 'small_cnn'?");
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_CASE(a_model_file_of_ones_own_is_trained_and_stored_with_the_run) {
  const fs::path model = folder.path() / "net.toml";
  publish_file(model,
               "[[layer]]\ntype = \"conv2d\"\nfilters = 4\n[[layer]]\ntype = \"relu\"\n"
               "[[layer]]\ntype = \"global_avg_pool\"\n"
               "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n");
  const CommandResult trained = train(shapes.dataset(), {"--model", model});
  BOOST_REQUIRE_MESSAGE(trained.exit_code == 0, trained.err);
  fs::remove(model);
  const CommandResult evaluated = run_penstock({"evaluate", out});
  BOOST_TEST(evaluated.exit_code == 0);
  const fs::path again = folder.path() / "again";
  const CommandResult repeated =
      run_penstock({"train", "--config", out / "run.toml", "-o", again, "--quiet"});
  BOOST_TEST(repeated.exit_code == 0);
  BOOST_TEST((read_text_file(again / "weights.safetensors") ==
              read_text_file(out / "weights.safetensors")));
}

// oneDNN writes each norm of small_cnn with its activation and pooling: there is nothing to drop.
BOOST_AUTO_TEST_CASE(values_computed_again_that_save_nothing_are_told_at_the_start) {
  const auto start = [&](const char* level) {
    const CommandResult result = train(shapes.dataset(), {"--dry-run", "--recompute", level});
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    return result.err;
  };
  BOOST_TEST(
      contains(start("norms"),
               "\nfits      batch 16 with norms computed again, as asked for; recompute norms "
               "saves nothing: the network takes "));
  BOOST_TEST(
      contains(start("blocks"), "\nfits      batch 16 with blocks computed again, as asked for\n"));
}

BOOST_AUTO_TEST_CASE(an_unknown_flag_is_a_usage_error) {
  check_refused(train(shapes.dataset(), {"--epoch", "3"}), 2,
                "unknown flag: penstock train: --epoch",
                "did you mean --epochs? penstock train --help lists all flags");
}

BOOST_AUTO_TEST_CASE(values_that_can_never_be_right_are_usage_errors) {
  const auto refusal = [&](std::vector<std::string> flags) {
    const CommandResult result = train(shapes.dataset(), flags);
    check_refused_with(result, 2, ": expected ");
    BOOST_TEST(contains(result.err, "\nhint: " + flags.front() + " "));
    return result.err;
  };
  BOOST_TEST(contains(refusal({"--epochs", "0"}), "run: epochs: expected 1 to 100000, found 0"));
  BOOST_TEST(contains(refusal({"--learning-rate", "nan"}),
                      "sgd: learning_rate: expected a finite number above 0, found nan"));
  BOOST_TEST(
      contains(refusal({"--learning-rate", "fast"}),
               "--learning-rate: learning_rate: expected a number, found the text \"fast\""));
  BOOST_TEST(contains(refusal({"--memory", "much"}), "expected a size such as \"256M\""));
  BOOST_TEST(contains(refusal({"--epochs", "0x10"}), "expected a whole number"));
  BOOST_TEST(contains(refusal({"--epochs", "7 #x"}), "found the text \"7 #x\""));
  BOOST_TEST(contains(refusal({"--backend", "foo"}), "expected onednn or reference"));
  BOOST_TEST(contains(refusal({"--precision", "half"}),
                      "expected \"float32\", \"bfloat16\", \"tf32\" or \"float16\""));
  BOOST_TEST(contains(refusal({"--model", "\xFF"}), "expected text in UTF-8, found '\\xff'"));
  BOOST_TEST(contains(refusal({"--augment", "strong"}), "expected one of none, keras_default"));
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_CASE(a_run_file_with_a_wrong_type_names_key_and_type) {
  const fs::path file = folder.path() / "run.toml";
  publish_file(file, "epochs = \"many\"\n");
  const CommandResult result =
      run_penstock({"train", shapes.dataset(), "-o", out, "--config", file});
  check_refused(
      result, 2,
      "run: " + file.native() + ": epochs: expected a whole number, found the text \"many\"",
      "epochs = 30");
}

BOOST_AUTO_TEST_CASE(files_that_are_not_there_are_named_with_a_way_on) {
  const std::string missing = folder.path() / "x.toml";
  check_refused(train(shapes.dataset(), {"--config", missing}), 1,
                "run: " + missing + ": expected a run file, found none",
                "check the path, or leave --config away: every setting has a default");
  check_refused(train(shapes.dataset(), {"--model", missing}), 1,
                "model: " + missing + ": expected a file of layers, found none",
                "check the path, or take a known model: --model small_cnn");
}

// The line of the hint is typed as it stands, but for the name.
BOOST_AUTO_TEST_CASE(a_dataset_without_pictures_to_train_on_says_what_it_has_and_how_to_divide_it) {
  const fs::path table = folder.path() / "table.csv";
  std::string lines = "path,label,split\n";
  for (const auto& entry : fs::directory_iterator(shapes.pictures() / "test")) {
    const std::string label = entry.path().filename();
    for (const auto& picture : fs::directory_iterator(entry.path())) {
      lines += label + "/" + picture.path().filename().native() + "," + label + ",test\n";
    }
  }
  publish_file(table, lines);
  const std::string dataset = folder.path() / "test_only.ds";
  const CommandResult made =
      run_penstock({"convert", shapes.pictures() / "test", dataset, "--labels", table, "--quiet"});
  BOOST_REQUIRE_MESSAGE(made.exit_code == 0, made.err);
  check_refused(
      train(dataset), 1,
      "dataset: " + dataset + ": expected a split train with samples, found test of 40 samples",
      "to draw the splits again: penstock convert " + dataset + " OTHER.ds --split-anew");
  const std::string other = folder.path() / "other.ds";
  const CommandResult drawn = run_penstock({"convert", dataset, other, "--split-anew"});
  BOOST_REQUIRE_MESSAGE(drawn.exit_code == 0, drawn.err);
  BOOST_TEST(train(other).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(a_run_file_that_says_nothing_leaves_the_flags_and_the_defaults) {
  const fs::path file = folder.path() / "empty.toml";
  publish_file(file, "");
  const std::vector<std::string> flags = {"--memory", "256M", "--seed", "5"};
  std::vector<std::string> more = flags;
  more.insert(more.end(), {"--config", file});
  const CommandResult result = train(shapes.dataset(), more);
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const std::string with_file = read_text_file(out / "run.toml");
  fs::remove_all(out);
  BOOST_REQUIRE(train(shapes.dataset(), flags).exit_code == 0);
  BOOST_TEST(read_text_file(out / "run.toml") == with_file);
  check_refused(train(shapes.dataset(), {"--config", "/dev/null"}), 2,
                "run: /dev/null: expected a file of TOML, found a pipe or a device",
                "put what it holds into a file");
}

BOOST_AUTO_TEST_CASE(paths_that_are_no_utf8_are_refused_before_the_start) {
  const std::string odd = folder.path().native() + "/b\xFF.ds";
  check_refused(
      train(odd), 2,
      "train: DATASET: expected a path in UTF-8, found '" + folder.path().native() + "/b\\xff.ds'",
      "rename it, or give it another name: ln -s OLD NEW");
  const CommandResult result = run_penstock({"train", shapes.dataset(), "-o", odd});
  check_refused_with(result, 2, "train: --out: expected a path in UTF-8");
  BOOST_TEST(!fs::exists(odd));
}

BOOST_AUTO_TEST_CASE(sizes_and_rates_are_read_as_people_write_them) {
  const CommandResult result =
      train(shapes.dataset(), {"--memory", "256m", "--learning-rate", ".1"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const std::string file = read_text_file(out / "run.toml");
  BOOST_TEST(contains(file, "memory = \"256M\"\n"));
  BOOST_TEST(contains(file, "learning_rate = 0.1\n"));
}

BOOST_AUTO_TEST_CASE(a_run_that_exists_is_left_alone) {
  const std::string before = read_text_file(shapes.run() / "model.json");
  const std::string run = shapes.run();
  check_refused(run_penstock({"train", shapes.dataset(), "-o", run}), 1,
                "run: " + run + ": expected no such folder, found a finished run of 2 epochs",
                "to go on with it: penstock train -o " + run +
                    " --resume --epochs 4; or choose another folder with -o");
  BOOST_TEST(read_text_file(shapes.run() / "model.json") == before);
}

BOOST_AUTO_TEST_CASE(a_limit_that_is_too_small_is_refused_with_the_arithmetic) {
  const CommandResult tiny = train(shapes.dataset(), {"--memory", "1M"});
  check_refused_with(tiny, 1,
                     "memory: 1 of 16 samples at a time: expected at most 1.0 MiB, found ");
  BOOST_TEST(contains(tiny.err, "network and its activations "));
  for (const char* part : {" (kept ", ": parameters ", ", optimizer state ", "; passing ",
                           "gradients ", "saved activations ", "hint: one of: --memory "}) {
    BOOST_TEST(contains(tiny.err, part), part);
  }
  BOOST_TEST(contains(tiny.err, "M; a smaller --image-size; a smaller --model"));
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_no_run_is_left_alone) {
  fs::create_directories(out / "mine");
  check_refused(train(shapes.dataset()), 1,
                "run: " + out.native() + ": expected no such folder, found a folder of other files",
                "choose another folder with -o");
  BOOST_TEST(fs::exists(out / "mine"));
}

BOOST_AUTO_TEST_CASE(a_signal_finishes_the_step_and_stores_the_weights) {
  RunningCommand command({"train", shapes.dataset(), "-o", out, "--image-size", "32",
                          "--batch-size", "16", "--epochs", "10000"});
  // The first line of metrics says that an epoch has ended.
  for (int i = 0; i < 3000 && !fs::exists(out / "metrics.csv"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // a minute: then it has failed
  }
  BOOST_REQUIRE(fs::exists(out / "metrics.csv"));
  command.send(SIGTERM);
  const CommandResult result = command.wait();
  BOOST_TEST(result.exit_code == 4);
  BOOST_TEST(contains(result.err, "train: stopped after "));
  BOOST_TEST(run_penstock({"evaluate", out}).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(fewer_threads_than_asked_for_do_not_hang_the_run) {
  const CommandResult result = run_penstock({"train", shapes.dataset(), "-o", out, "--image-size",
                                             "32", "--epochs", "1", "--threads", "2"},
                                            {{"OMP_THREAD_LIMIT", "1"}});
  BOOST_TEST(result.exit_code == 0);
}

BOOST_AUTO_TEST_CASE(more_threads_than_cores_and_a_single_class_are_remarked_on) {
  fs::create_directory(folder.path() / "one");
  fs::copy(shapes.pictures() / "train" / "circle", folder.path() / "one" / "circle");
  const fs::path dataset = folder.path() / "one.ds";
  BOOST_REQUIRE(run_penstock({"convert", folder.path() / "one", dataset}).exit_code == 0);
  const auto start = [&](const fs::path& of, std::uint32_t num_threads) {
    return run_penstock({"train", of, "--dry-run", "--image-size", "32", "--threads",
                         std::to_string(num_threads)})
        .err;
  };
  const std::uint32_t num_cores = num_usable_cores();
  const std::string single = start(dataset, num_cores + 1);
  BOOST_TEST(contains(single, "\nwarning   there is only one class: nothing to tell apart\n"));
  BOOST_TEST(contains(single, "\nwarning   " + std::to_string(num_cores + 1) +
                                  " compute threads share " + std::to_string(num_cores) + " core"));
  BOOST_TEST(contains(single, "than with --threads " + std::to_string(num_cores) + "\n"));
  BOOST_TEST(!contains(start(shapes.dataset(), num_cores), "warning"));
}

// What `train 2>&1 | tee log` sees when the terminal of tee is gone.
BOOST_AUTO_TEST_CASE(a_reader_of_the_progress_that_goes_away_does_not_end_the_run) {
  const std::string line = "'" + std::string(PENSTOCK_PROGRAM) + "' train '" +
                           shapes.dataset().native() + "' -o '" + out.native() +
                           "' --image-size 32 --epochs 2 --threads 2 2>&1 | true";
  BOOST_TEST(run_program("/bin/sh", {"-c", line}).exit_code == 0);
  BOOST_TEST(contains(read_text_file(out / "model.json"), "\"num_epochs\": 2"));
}

// /dev/full takes nothing (full(4)); a reader that goes away is head -1.
BOOST_AUTO_TEST_CASE(results_that_nobody_took_leave_a_run_and_say_where) {
  const std::string line = std::string(PENSTOCK_PROGRAM) + " train " + shapes.dataset().native() +
                           " -o " + out.native() +
                           " --image-size 32 --batch-size 16 --epochs 1 --json > /dev/full";
  const CommandResult result = run_program("/bin/sh", {"-c", line});
  BOOST_TEST(result.exit_code == 1);
  const std::string told =
      "penstock: write: standard output: the results could not be written; the run is stored in " +
      out.native() + "\nhint: penstock evaluate " + out.native() + "\n";
  BOOST_TEST(result.err.ends_with("\n" + told), result.err);
  BOOST_TEST(run_penstock({"evaluate", out}).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(json_events_go_to_stdout_alone_one_a_line) {
  const CommandResult result = train(shapes.dataset(), {"--json", "--quiet", "--epochs", "2"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.err.empty());
  const std::vector<nlohmann::json> events = events_of(result.out);
  BOOST_REQUIRE(events.size() > 6u);
  const nlohmann::json& start = events.front();
  BOOST_TEST(start["event"] == "start");
  BOOST_TEST(start["num_train_samples"] == 80u);
  BOOST_TEST(start["limit_bytes"].is_number());
  BOOST_TEST(start["memory"].size() > 3u);
  BOOST_TEST(start["network_memory"]["roles"][0]["role"] == "parameters");
  const auto steps = of_kind(events, "step");
  BOOST_REQUIRE(!steps.empty());
  BOOST_TEST(steps[0]["num_samples"] == 16u);
  BOOST_TEST(steps[0]["num_expected"] == 80u);
  BOOST_TEST(of_kind(events, "checkpoint").back()["step"] == 10u);
  const nlohmann::json& end = events.back();
  BOOST_TEST(end["event"] == "end");
  BOOST_TEST(end["train"]["num_distinct"] == 80u);
  BOOST_TEST(end["was_stopped"] == false);
  BOOST_TEST(end["loader_verdict"].is_string());
}

BOOST_AUTO_TEST_CASE(json_events_of_epochs_are_the_lines_of_metrics_jsonl) {
  const CommandResult result =
      train(shapes.dataset(), {"--json", "--quiet", "--validate-every-steps", "3"});
  BOOST_TEST(result.exit_code == 0);
  std::vector<std::string> found;
  for (const std::string& line : lines_of(result.out)) {
    const auto event = nlohmann::json::parse(line)["event"];
    if (event == "epoch" || event == "validation") found.push_back(line);
  }
  const std::vector<std::string> stored = lines_of(read_text_file(out / "metrics.jsonl"));
  BOOST_TEST(stored.size() == 3u);  // within the epoch, at its end, the epoch
  BOOST_TEST(found == stored, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(json_events_name_what_was_left_out_and_what_failed) {
  const fs::path dataset = dataset_copy();
  const fs::path shard = train_shard(dataset);
  const std::size_t at = picture_offsets(shard).front();
  const std::string name = picture_at(shard, at);
  fixtures::flip_byte(shard, at + 200);
  const CommandResult skipped = train(dataset, {"--json", "--quiet"});
  BOOST_TEST(skipped.exit_code == 0);
  const auto samples = of_kind(events_of(skipped.out), "skipped_sample");
  BOOST_REQUIRE(samples.size() == 1u);
  BOOST_TEST(samples[0]["name"] == name);
  BOOST_TEST(samples[0]["split"] == "train");

  const CommandResult refused = train(dataset, {"--json", "--quiet"});
  BOOST_TEST(refused.exit_code == 1);
  const auto errors = events_of(refused.out);
  BOOST_REQUIRE(errors.size() == 1u);
  BOOST_TEST(errors[0]["event"] == "error");
  BOOST_TEST(contains(errors[0]["text"].get<std::string>(), "found a finished run of 1 epoch"));
  BOOST_TEST(contains(errors[0]["hint"].get<std::string>(), "--resume"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
