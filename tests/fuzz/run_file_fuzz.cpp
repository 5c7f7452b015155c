// The fuzz target of run files. The first byte is left out, the rest is the text.
//
// A text may be refused with InvalidArgument and a hint, nothing else. What is read is written as a text that
// reads as the same settings.
#include <string>
#include <string_view>

#include "streamer/core/error.h"
#include "tests/allocation_ceiling.h"
#include "tests/fuzz/fuzz_target.h"
#include "train/run/settings/run_file.h"

namespace penstock::fuzz {
namespace {

Input seed_of(std::string_view text) {
  Input seed = {0};
  seed.insert(seed.end(), text.begin(), text.end());
  return seed;
}

void check_text_of(const train::RunConfig& config) {
  const std::string text = train::format_run_file(config);
  const train::RunConfig again = train::parse_run_file(text, "again.toml");
  demand(train::format_run_file(again) == text, "the same settings from what was written");
}

/// 10,000 tables, one in the other.
std::string deep_key() {
  std::string key = "a";
  for (int i = 1; i < 10'000; ++i) key += ".a";
  return key;
}

}  // namespace

const char* target_name() {
  return "run_file_fuzz";
}

std::vector<Input> target_seeds() {
  return {
      seed_of("dataset='a.ds'\nout='r'\nmodel='resnet18'\nimage_size='96x128'\nepochs=3\n"
              "color_mode='grayscale'\nbatch_size=8\nmemory='256M'\nseed=7\nthreads=2\nmean=0.5\n"
              "std='dataset'\norder='windowed'\nwindow='1G'\ncache='decoded'\n"),
      seed_of("optimizer='adamw'\nlearning_rate=1e-3\nweight_decay=0.05\nbeta2=0.99\n"
              "schedule='cosine'\nwarmup_epochs=2.5\nend_learning_rate=1e-6\nclip_norm=1\n"
              "label_smoothing=0.1\nmilestone_epochs=[3,6]\n"),
      seed_of("[augment]\npreset='standard'\nhorizontal_flip=true\nzoom_range=0.1\n"
              "brightness_range=[0.9,1.1]\nrandom_resized_crop=true\n"
              "random_resized_crop_scale=[0.08,1]\nfill_mode='constant'\ncval=3\nmixup=0.2\n"),
      seed_of("epochs=2\n[[layer]]\ntype='conv2d'\nfilters=8\nactivation='relu'\n"
              "[[layer]]\ntype='global_avg_pool'\n[[layer]]\ntype='dense'\nunits='num_classes'\n"),
      seed_of("[" + deep_key() + "]\nb=1\n"),
  };
}

}  // namespace penstock::fuzz

using namespace penstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const tests::AllocationCeiling ceiling(1024 * size + (1u << 20));  // the parsed text, twice
  try {
    fuzz::check_text_of(train::parse_run_file(text, "input.toml"));
  } catch (const Error& error) {
    fuzz::demand(error.code() == ErrorCode::kInvalidArgument, error.what());
    fuzz::demand(!error.hint().empty(), error.what());
  }  // anything else, std::bad_alloc too, ends the process
  return 0;
}
