#include "tools/convert_flags.h"

#include <fmt/core.h>

#include <algorithm>

#include "streamer/core/error.h"
#include "tools/convert/duplicate/look_hash.h"
#include "tools/convert/reason/reason_list.h"
#include "tools/layout_option.h"
#include "tools/size_option.h"
#include "tools/terminal.h"

namespace penstock::tools {
namespace {

convert::CifarLabel label_of(const std::string& text) {
  if (text == "fine") return convert::CifarLabel::kFine;
  if (text == "coarse") return convert::CifarLabel::kCoarse;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("--label: expected fine or coarse, found '{}'", printable(text)),
              "--label fine");
}

unsigned near_bits_of(const std::string& text) {
  if (text.size() == 1 && text[0] >= '0' && text[0] - '0' <= int{convert::kMaxNearBits}) {
    return static_cast<unsigned>(text[0] - '0');
  }
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("--near-duplicates: expected 0 to {} bits, found '{}'",
                          convert::kMaxNearBits, printable(text)),
              fmt::format("--near-duplicates={}", convert::kNearBits));
}

// "a,b" as its parts.
std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// "keep" and "quarantine" of the reason row_without_label, in the words that labels have.
void add_unlabelled_flag(CLI::App& command, convert::ReasonPolicies& policies) {
  add_value(command,
            {"--unlabelled", "POLICY",
             "A row without a label: quarantine, or keep it as a sample of no class (quarantine); "
             "short for --on row_without_label=POLICY"},
            [&policies](const std::string& text) { policies.set("row_without_label=" + text); });
}

void add_class_flags(CLI::App& command, ConvertOptions& options) {
  add_layout_option(command, options.config.layout.choice);
  add_count_option(
      command, "--class-depth", options.class_depth, {.min = 1, .max = 32},
      "Names of folders that make a class (1); 2: animals/cat/1.jpg is an animals/cat");
  add_value(command,
            {.name = "--class-names",
             .type = "FILE",
             .description =
                 "Other names for classes: lines of key,name or number,name, or a name a line"},
            [&options](const std::string& text) { options.config.class_names_file = text; });
}

void add_table_flags(CLI::App& command, ConvertOptions& options) {
  add_values(command,
             {.name = "--labels",
              .type = "FILE[:NAME]",
              .description =
                  "Table of the pictures in SOURCE: CSV, JSON lines, or a list with labels. With "
                  "--images: array of their labels, numbers, one-hot or texts"},
             options.labels);
  convert::TableRequest& table = options.config.table;
  add_text(command, "--path-column", table.path_column,
           "Column of a table that holds paths (path, file, image, ...)");
  add_text(command, "--label-column", table.label_column,
           "Column of labels (label, class, category, ...)");
  add_text(command, "--split-column", table.split_column, "Column of splits (split, subset, set)");
  add_unlabelled_flag(command, options.config.policies);
}

void add_array_flags(CLI::App& command, ConvertOptions& options) {
  add_values(
      command,
      {.name = "--images",
       .type = "FILE[:NAME]",
       .description = "Array of uint8 pictures: .npy, .npz or HDF5; again for another split"},
      options.images);
  add_switch(command, "--channels-first", options.channels_first,
             "Arrays are [n, channels, height, width], where the sizes do not tell");
  add_switch(command, "--channels-last", options.channels_last,
             "Arrays are [n, height, width, channels], where the sizes do not tell");
  add_value(
      command,
      {.name = "--label", .type = "KIND", .description = "Of CIFAR-100: fine or coarse (fine)"},
      [&options](const std::string& text) { options.config.label = label_of(text); });
}

void add_dataset_flags(CLI::App& command, ConvertOptions& options) {
  add_value(command,
            {.name = "--classes",
             .type = "A,B",
             .description = "Of a dataset: the classes to keep, in its own order (all)"},
            [&options](const std::string& text) { options.config.classes = parts_of(text); });
  add_fraction_option(command, "--fraction", options.config.fraction,
                      "Of a dataset: the part of its samples to keep, drawn by --seed (all)");
  add_switch(command, "--split-anew", options.splits_anew,
             "Of a dataset: draw its splits again instead of keeping them");
}

void add_split_flags(CLI::App& command, ConvertOptions& options) {
  add_fraction_option(command, "--validation-split", options.validation_split,
                      "Part of the pictures for validation (0.1; 0 where SOURCE has splits)");
  add_fraction_option(command, "--test-split", options.test_split, "Part for testing (0)");
  add_switch(command, "--stratify", options.stratifies,
             "Make these parts exact in each class; files added later may then move others");
  add_count_option(command, "--seed", options.seed, {.min = 0},
                   "Decides, with each path, split and order (0)");
}

// What is stored of a picture.
void add_encoding_flags(CLI::App& command, ConvertOptions& options) {
  add_count_option(command, "--resize-short", options.resize_short_px, {.min = 8, .max = 65500},
                   "Shrink pictures whose shorter side is longer, in px (no limit)");
  add_count_option(command, "--max-side", options.max_side_px, {.min = 8, .max = 65500},
                   "Shrink pictures whose longer side is longer, in px (no limit)");
  add_count_option(command, "--quality", options.quality, {.min = 1, .max = 100},
                   "Of what is encoded as JPEG (95); given, JPEG coded finer is encoded anew");
  add_switch(command, "--grayscale", options.config.encode.grayscale,
             "Store one channel, the luma");
  add_value(command,
            {.name = "--codec",
             .type = "CODEC",
             .description =
                 "jpeg: all as JPEG; png: PNG as it is, other formats but JPEG as PNG, without "
                 "loss; raw: bare pixels; auto: raw up to 64 px, else jpeg (JPEG and bare "
                 "pixels as found, the rest as JPEG)"},
            [&options](const std::string& text) {
              options.config.encode.codec = convert::parse_codec(text, "--codec");
            });
  add_value(command,
            {.name = "--background",
             .type = "COLOUR",
             .description = "What transparent pictures lie on (white); '#ff8000', black, gray"},
            [&options](const std::string& text) {
              options.config.background = convert::parse_colour(text, "--background");
            });
  add_switch(
      command, "--optimize-crops", options.optimizes_crops,
      "Store JPEG as baseline of the same pixels, a restart marker a row: crops decode faster");
  add_byte_size_option(command, "--max-coefficients", options.config.max_coefficient_bytes,
                       "Progressive JPEG that takes more to decode is stored as baseline (32M)");
  add_switch(command, "--strip-metadata", options.config.strip_metadata,
             "Store JPEG and PNG without EXIF, GPS, text and thumbnails; pixels are untouched");
  add_switch(command, "--no-names", options.no_names, "Do not store the paths of the pictures");
  add_byte_size_option(
      command, "--shard-size", options.config.shard_size_bytes,
      "Size of source files at which a shard is closed, at least 1M (256M); of what is "
      "encoded anew a shard may be larger or smaller");
}

// What is looked for, and what is done about it.
void add_check_flags(CLI::App& command, ConvertOptions& options) {
  add_repeatable_value(
      command,
      {.name = "--on",
       .type = "REASON=POLICY",
       .description = "What to do about a reason: keep, fix, quarantine, stop, skip (as "
                      "--list-reasons says); repeatable"},
      [&options](const std::string& text) { options.config.policies.set(text); });
  add_value(
      command,
      {"--max-bad", "N|P%", "Stop beyond so many bad pictures, or such a part of all (never)"},
      [&options](const std::string& text) {
        options.config.max_bad = convert::parse_bad_limit(text, "--max-bad");
      });
  add_count_option(command, "--max-pixels", options.config.max_px, {.min = 1},
                   "Larger pictures are quarantined (100000000)");
  add_switch(command, "--trust", options.trusts,
             "Store JPEG as its header says, without decoding it: no damage found, no statistics");
  add_optional_value(
      command,
      {.name = "--near-duplicates",
       .type = "BITS",
       .description = "List pictures that look alike in duplicates.csv: whose perceptual "
                      "hashes of 64 bits differ in at most so many, 0 to 7 (" +
                      std::to_string(convert::kNearBits) + ")"},
      std::to_string(convert::kNearBits), [&options](const std::string& text) {
        options.config.near_duplicate_bits = near_bits_of(text);
      });
}

void add_run_flags(CLI::App& command, ConvertOptions& options) {
  add_count_option(command, "--jobs", options.jobs, {.min = 1, .max = 1024},
                   "Threads (one per core); the result is the same for any number");
  add_byte_size_option(
      command, "--memory", options.memory_bytes,
      "Limit of all that is held, at least 69M; half for one picture (0.8 of what is available)");
  add_switch(command, "--dry-run", options.dry_run,
             "Write nothing: say what is there, what disk and time it takes, what headers tell");
  add_switch(command, "--force", options.force,
             "Replace an existing dataset once the new one is complete");
  add_switch(command, "--quiet", options.quiet, "Print errors only");
  add_switch(command, "--json", options.json, "Print the summary as JSON");
  // Last: it reads what the others have set.
  add_listing(
      command, "--list-reasons",
      [&options] {
        return options.json ? convert::reason_list_json(options.config.policies)
                            : convert::reason_list_text(options.config.policies);
      },
      "Print every reason, what it means, and what is done about it");
}

}  // namespace

void add_convert_flags(CLI::App& command, ConvertOptions& options) {
  add_class_flags(command, options);
  add_table_flags(command, options);
  add_array_flags(command, options);
  add_dataset_flags(command, options);
  add_split_flags(command, options);
  add_encoding_flags(command, options);
  add_check_flags(command, options);
  add_run_flags(command, options);
}

}  // namespace penstock::tools
