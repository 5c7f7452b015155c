// penstock bench: speed beside its ceiling.
#include <filesystem>
#include <memory>
#include <string>

#include "augment/simd_target.h"
#include "tools/bench/augment_bench.h"
#include "tools/bench/augment_bench_report.h"
#include "tools/bench/convert_bench.h"
#include "tools/bench/convert_bench_report.h"
#include "tools/bench/loader_bench.h"
#include "tools/bench/loader_bench_report.h"
#include "tools/bench/verify_bench.h"
#include "tools/bench_train_command.h"
#include "tools/command.h"
#include "tools/convert/convert_config.h"
#include "tools/exit_code.h"
#include "tools/simd_option.h"
#include "tools/size_option.h"
#include "tools/terminal.h"

namespace penstock::tools {
namespace {

struct LoaderOptions {
  std::string dataset;
  std::string split = "train";
  std::string augment;
  std::uint64_t memory_bytes = 0;
  std::uint64_t num_threads = 0;
  std::uint64_t batch_size = 0;
  std::uint64_t image_side_px = 0;
  std::uint64_t num_rounds = 5;
  std::uint64_t num_samples = 0;
  std::uint64_t num_readers = 0;
  std::uint64_t num_workers = 0;
  std::uint64_t num_slots = 0;
  std::uint64_t seed = 0;
  PixelLayout layout = PixelLayout::kNchw;
  CacheForm cache = CacheForm::kNone;
  bool is_cold = false;
  bool json = false;
  bool is_quiet = false;
};

bench::LoaderBenchConfig config_of(const LoaderOptions& options) {
  const auto small = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
  return {.dataset = options.dataset,
          .split = options.split,
          .workload = options.augment,
          .wish = {.batch_size = small(options.batch_size),
                   .image_side_px = small(options.image_side_px),
                   .layout = options.layout},
          .memory_bytes = options.memory_bytes,
          .num_threads = small(options.num_threads),
          .threads = {.num_readers = small(options.num_readers),
                      .num_workers = small(options.num_workers),
                      .num_slots = small(options.num_slots)},
          .num_rounds = small(options.num_rounds),
          .num_samples = options.num_samples,
          .seed = options.seed,
          .is_cold = options.is_cold,
          .cache = options.cache};
}

int run_loader_bench(const LoaderOptions& options) {
  const Verbosity verbosity = options.is_quiet ? Verbosity::kQuiet : Verbosity::kNormal;
  const auto result = bench::bench_loader(config_of(options), [&](std::string_view what) {
    print_notice(verbosity, std::string("measuring: ") + std::string(what));
  });
  print_result(options.json ? bench::loader_bench_json(result) : bench::loader_bench_text(result));
  return kExitDone;
}

void add_loader_flags(CLI::App& command, LoaderOptions& options) {
  add_argument(command, "DATASET", options.dataset, "A dataset's folder");
  add_value(command, {"--split", "NAME", "Split to stream (train)"},
            [&options](const std::string& text) { options.split = text; });
  add_value(command,
            {"--augment", "NAME",
             "resized-crop, shift-zoom or pad-crop (pad-crop for pictures up to 64 px, else "
             "resized-crop)"},
            [&options](const std::string& text) {
              (void)bench::workload_named(text, {});
              options.augment = text;
            });
  add_byte_size_option(command, "--memory", options.memory_bytes,
                       "Limit of the loader (0.8 of what is available)");
  add_count_option(command, "--threads", options.num_threads, {.min = 1, .max = 256},
                   "Cores that everything is measured on (all)");
  add_count_option(command, "--image-size", options.image_side_px, {.min = 1, .max = 16384},
                   "Side of the batches in pixels (224; 32 with pad-crop)");
  add_count_option(command, "--batch-size", options.batch_size, {.min = 1, .max = 65536},
                   "Samples per batch (32; 128 with pad-crop)");
  add_value(command, {"--layout", "LAYOUT", "nchw or nhwc: order of the batches' pixels (nchw)"},
            [&options](const std::string& text) { options.layout = bench::parse_layout(text); });
  add_value(command,
            {"--cache", "FORM",
             "none, encoded or decoded: what the loader keeps in memory; full on the clock (none)"},
            [&options](const std::string& text) { options.cache = parse_cache_form(text); });
  add_count_option(command, "--num-readers", options.num_readers, {.min = 1, .max = 256},
                   "Threads that read and verify (one a core)");
  add_count_option(command, "--num-workers", options.num_workers, {.min = 1, .max = 256},
                   "Threads that decode and augment (one a core, and no more)");
  add_count_option(command, "--num-slots", options.num_slots, {.min = 2, .max = 64},
                   "Batches in flight or lent out (4)");
  add_count_option(command, "--rounds", options.num_rounds, {.min = 1, .max = 1000},
                   "Times that each side is measured (5)");
  add_count_option(command, "--samples", options.num_samples, {},
                   "Samples of a round (an epoch, 16 rings of batches at least; at most 50000, and "
                   "256 MiB stored)");
  add_count_option(command, "--seed", options.seed, {.min = 0}, "Order and augmentation (0)");
  add_simd_option(command);
  add_switch(command, "--cold", options.is_cold,
             "Drop the shards from the page cache before whatever reads them; not with --cache");
  add_switch(command, "--json", options.json, "Print as JSON");
  add_switch(command, "--quiet", options.is_quiet, "Print no progress");
}

struct AugmentOptions {
  bench::AugmentBenchConfig config;
  std::uint64_t batch_size = 1;
  std::uint64_t num_rounds = 31;
  bool lists_simd = false;
  bool json = false;
};

int run_augment_bench(const AugmentOptions& options) {
  if (options.lists_simd) {
    print_result(bench::simd_list_text());
    return kExitDone;
  }
  bench::AugmentBenchConfig config = options.config;
  config.batch = static_cast<std::uint32_t>(options.batch_size);
  config.num_rounds = static_cast<std::uint32_t>(options.num_rounds);
  const auto result = bench::bench_augment(config);
  print_result(options.json ? bench::augment_bench_json(result)
                            : bench::augment_bench_text(result));
  return kExitDone;
}

void add_augment_flags(CLI::App& command, AugmentOptions& options) {
  add_value(command, {"--row", "NAME", "Measure this operation only (all)"},
            [&options](const std::string& text) {
              (void)bench::augment_row_named(text);
              options.config.row = text;
            });
  add_value(command,
            {"--simd", "NAME",
             "Vector unit to measure (each of this machine); auto: the widest; list: name them"},
            [&options](const std::string& text) {
              options.lists_simd = text == "list";
              if (options.lists_simd) return;
              const std::vector<augment::SimdTarget> targets = augment::simd_targets();
              augment::check_simd_target(text, targets);
              options.config.simd =
                  text == "auto"
                      ? std::ranges::find(targets, true, &augment::SimdTarget::is_supported)->name
                      : text;
            });
  add_value(
      command, {"--layout", "LAYOUT", "nchw or nhwc: order of the batches' pixels (nchw)"},
      [&options](const std::string& text) { options.config.layout = bench::parse_layout(text); });
  add_count_option(command, "--batch-size", options.batch_size, {.min = 1, .max = 1024},
                   "Places written in turn (1: stays in the cache; 64 do not)");
  add_count_option(command, "--rounds", options.num_rounds, {.min = 1, .max = 100000},
                   "Times that each side is measured (31)");
  add_switch(command, "--json", options.json, "Print as JSON");
}

void add_bench_augment_command(CLI::App& group, CommandChoice& choice) {
  auto options = std::make_shared<AugmentOptions>();
  CLI::App& command =
      add_command(group, "augment", "Each operation on one thread, beside OpenCV and a copy");
  add_augment_flags(command, *options);
  end_help(command, example("penstock bench augment --row turned --simd avx2"));
  choose_when_given(command, choice, [options] { return run_augment_bench(*options); });
}

struct ConvertBenchOptions {
  std::string source;
  std::string place;
  bench::ConvertBenchConfig config;
  std::uint64_t num_threads = 0;
  std::uint64_t num_rounds = 5;
  bool json = false;
  bool is_quiet = false;
};

int run_convert_bench(const ConvertBenchOptions& options) {
  bench::ConvertBenchConfig config = options.config;
  config.source = options.source;
  config.place = options.place.empty() ? std::filesystem::temp_directory_path()
                                       : std::filesystem::path(options.place);
  config.num_threads = static_cast<std::uint32_t>(options.num_threads);
  config.num_rounds = static_cast<std::uint32_t>(options.num_rounds);
  const Verbosity verbosity = options.is_quiet ? Verbosity::kQuiet : Verbosity::kNormal;
  const auto result = bench::bench_convert(config, [&](std::string_view what) {
    print_notice(verbosity, std::string("measuring: ") + std::string(what));
  });
  print_result(options.json ? bench::convert_bench_json(result)
                            : bench::convert_bench_text(result));
  return kExitDone;
}

void add_bench_convert_command(CLI::App& group, CommandChoice& choice) {
  auto options = std::make_shared<ConvertBenchOptions>();
  CLI::App& command =
      add_command(group, "convert",
                  "Conversions beside cp -r, libjpeg-turbo and OpenCV alone, on your pictures");
  add_argument(command, "SOURCE", options->source, "Folder of class folders");
  add_value(command,
            {"--place", "FOLDER", "Where datasets and copies are made (the temporary folder)"},
            [options](const std::string& text) { options->place = text; });
  add_value(command,
            {"--row", "NAME",
             "One conversion, as typed in the table ('convert'; all three); 'crops': what "
             "--optimize-crops gains"},
            [options](const std::string& text) { options->config.row = text; });
  add_byte_size_option(command, "--memory", options->config.memory_bytes,
                       "Limit of a conversion, at least 64M (1G)");
  add_count_option(command, "--threads", options->num_threads, {.min = 1, .max = 256},
                   "Threads of a conversion and of libjpeg-turbo (one per core)");
  add_count_option(command, "--rounds", options->num_rounds, {.min = 1, .max = 1000},
                   "Times that each side is measured (5)");
  add_switch(command, "--json", options->json, "Print as JSON");
  add_switch(command, "--quiet", options->is_quiet, "Print no progress");
  end_help(command, example("penstock bench convert photos/ --place /mnt/ssd"));
  choose_when_given(
      command, choice, [options] { return run_convert_bench(*options); },
      [options] {
        convert::ConvertConfig{.memory_bytes = options->config.memory_bytes}.validate();
      });
}

struct VerifyBenchOptions {
  std::string dataset;
  std::uint64_t num_threads = 0;
  std::uint64_t num_rounds = 9;
  bool json = false;
};

int run_verify_bench(const VerifyBenchOptions& options) {
  const auto result =
      bench::bench_verify({.dataset = options.dataset,
                           .num_threads = static_cast<std::uint32_t>(options.num_threads),
                           .num_rounds = static_cast<std::uint32_t>(options.num_rounds)});
  print_result(options.json ? bench::verify_bench_json(result) : bench::verify_bench_text(result));
  return kExitDone;
}

void add_bench_verify_command(CLI::App& group, CommandChoice& choice) {
  auto options = std::make_shared<VerifyBenchOptions>();
  CLI::App& command =
      add_command(group, "verify", "Every checksum of a dataset beside reading its shards");
  add_argument(command, "DATASET", options->dataset, "A dataset of at least 1 MiB");
  add_count_option(command, "--threads", options->num_threads, {.min = 1, .max = 256},
                   "Threads of both (one per core)");
  add_count_option(command, "--rounds", options->num_rounds, {.min = 1, .max = 1000},
                   "Times that each side is measured (9)");
  add_switch(command, "--json", options->json, "Print as JSON");
  end_help(command, example("penstock bench verify photos.ds --threads 2"));
  choose_when_given(command, choice, [options] { return run_verify_bench(*options); });
}

}  // namespace

void add_bench_command(CLI::App& program, CommandChoice& choice) {
  CLI::App& group =
      add_command_group(program, "bench", "Measure speed beside its ceiling, in one run");
  end_help(group, example("penstock bench loader photos.ds"));
  auto options = std::make_shared<LoaderOptions>();
  CLI::App& command =
      add_command(group, "loader", "The stages alone and together, and the libraries alone");
  add_loader_flags(command, *options);
  end_help(command, example("penstock bench loader photos.ds --augment resized-crop --json"));
  choose_when_given(command, choice, [options] { return run_loader_bench(*options); });
  add_bench_augment_command(group, choice);
  add_bench_convert_command(group, choice);
  add_bench_verify_command(group, choice);
  add_bench_train_command(group, choice);
}

}  // namespace penstock::tools
