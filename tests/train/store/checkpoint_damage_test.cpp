// A checkpoint whose bytes are not those that were written is never gone on from: the one before is, and a
// line says why.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iostream>
#include <map>
#include <random>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/train/store/small_checkpoint.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFiles[] = {"state.json", "model.safetensors", "optimizer.safetensors",
                                  "ema.safetensors"};

void overwrite(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

struct Fixture {
  tests::TemporaryFolder run{tests::quick_disk()};
  fs::path folder = run.path() / "checkpoints";
  CheckpointEntry earlier = write_checkpoint(folder, tests::small_checkpoint(100));
  CheckpointEntry newest = write_checkpoint(folder, tests::small_checkpoint(200));
  int num_damaged = 0;

  /// The line about the newest one.
  std::string check_falls_back(const std::string& file) {
    ++num_damaged;
    const ResumableCheckpoint found = find_resumable(folder);
    BOOST_TEST(tests::difference_from_small(found.checkpoint) == "");
    BOOST_TEST(found.checkpoint.state().step == 100u);
    BOOST_REQUIRE(found.damaged.size() == 1u);
    const std::string& line = found.damaged[0].what;
    BOOST_TEST(tests::contains(line, newest.name() + "/" + file + ": "));
    BOOST_TEST(tests::contains(line, "expected "));
    BOOST_TEST(tests::contains(line, ", found "));
    BOOST_TEST(line.find('\n') == std::string::npos);
    return line;
  }

  /// Makes `file` of the newest one `bytes`, and seals as they would be of such a file.
  void forge(TensorGroup group, const std::string& bytes) const {
    const fs::path path = newest.path / tensor_file_name(group);
    overwrite(path, bytes);
    const fs::path state_path = newest.path / kCheckpointStateName;
    SealedState sealed = parse_checkpoint_state(read_text_file(state_path), "state");
    sealed.seals[group] = seal_of_file(path);
    overwrite(state_path, format_checkpoint_state(sealed));
  }
};

BOOST_FIXTURE_TEST_SUITE(checkpoint_damage, Fixture)

BOOST_AUTO_TEST_CASE(whole_it_is_gone_on_from) {
  const ResumableCheckpoint found = find_resumable(folder);
  BOOST_TEST(found.checkpoint.state().step == 200u);
  BOOST_TEST(found.damaged.empty());
}

BOOST_AUTO_TEST_CASE(every_cut_of_every_file_falls_back) {
  for (const char* file : kFiles) {
    const std::string whole = read_text_file(newest.path / file);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      BOOST_TEST_CONTEXT(file << " cut to " << size) {
        overwrite(newest.path / file, whole.substr(0, size));
        check_falls_back(file);
      }
    }
    overwrite(newest.path / file, whole);
  }
  std::cout << "{\"harness\": \"checkpoint_cuts\", \"cuts\": " << num_damaged << "}\n";
  BOOST_TEST(find_resumable(folder).checkpoint.state().step == 200u);
}

BOOST_AUTO_TEST_CASE(every_changed_byte_of_every_file_falls_back) {
  for (const char* file : kFiles) {
    const std::string whole = read_text_file(newest.path / file);
    for (std::size_t at = 0; at < whole.size(); ++at) {
      BOOST_TEST_CONTEXT(file << " byte " << at) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ 1 << at % 8);
        overwrite(newest.path / file, changed);
        check_falls_back(file);
      }
    }
    overwrite(newest.path / file, whole);
  }
  std::cout << "{\"harness\": \"checkpoint_bits\", \"flips\": " << num_damaged << "}\n";
  BOOST_TEST(find_resumable(folder).checkpoint.state().step == 200u);
}

BOOST_AUTO_TEST_CASE(zeros_more_bytes_and_files_of_another_checkpoint_fall_back) {
  for (const char* file : kFiles) {
    const std::string whole = read_text_file(newest.path / file);
    for (const std::string& other :
         {std::string(whole.size(), '\0'), whole + "x", whole.substr(8) + whole.substr(0, 8),
          read_text_file(earlier.path / file)}) {
      overwrite(newest.path / file, other);
      check_falls_back(file);
    }
    overwrite(newest.path / file, whole);
  }
}

BOOST_AUTO_TEST_CASE(a_missing_file_and_a_folder_in_its_place_fall_back_and_are_named) {
  for (const char* file : kFiles) {
    const std::string whole = read_text_file(newest.path / file);
    fs::remove(newest.path / file);
    const ResumableCheckpoint found = find_resumable(folder);
    BOOST_TEST(found.checkpoint.state().step == 100u);
    BOOST_TEST(found.damaged.at(0).what ==
               "open: " + (newest.path / file).native() + ": No such file or directory");
    fs::create_directory(newest.path / file);  // no file either
    BOOST_TEST(check_falls_back(file) == "checkpoint: " + (newest.path / file).native() +
                                             ": expected a file, found a folder");
    fs::remove(newest.path / file);
    overwrite(newest.path / file, whole);
  }
}

BOOST_AUTO_TEST_CASE(files_that_do_not_belong_to_it_change_nothing) {
  overwrite(newest.path / "notes.txt", "mine");
  BOOST_TEST(find_resumable(folder).checkpoint.state().step == 200u);
}

// What an attacker makes has seals that hold: the headers themselves are then all there is to check.
BOOST_AUTO_TEST_CASE(a_forged_file_is_refused_or_keeps_its_promises) {
  const unsigned seed = std::random_device()();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const std::string whole = read_text_file(newest.path / "model.safetensors");
  const std::size_t header_bytes = whole.find("}}") + 2;
  int num_refused = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string forged = whole;
    for (std::size_t k = 1 + random() % 3; k > 0; --k) {
      forged[random() % header_bytes] = static_cast<char>(random());
    }
    if (i % 4 == 0) forged.resize(random() % forged.size());
    forge(TensorGroup::kModel, forged);
    BOOST_TEST_CONTEXT("seed " << seed << ", forgery " << i) {
      try {
        const CheckpointReader reader = CheckpointReader::open(newest.path);
        const SafetensorsReader& model = reader.tensors(TensorGroup::kModel);
        std::size_t num_values = 0;
        for (const TensorSpec& tensor : model.tensors()) {
          std::size_t size = 1;
          for (const std::uint64_t side : tensor.shape) size *= side;
          num_values += size;
          BOOST_REQUIRE(num_values <= forged.size() / sizeof(float));
          std::vector<float> values(size);
          model.read(tensor, values);
        }
      } catch (const Error& error) {
        ++num_refused;
        BOOST_TEST(
            (error.code() == ErrorCode::kCorruptData || error.code() == ErrorCode::kUnsupported));
      }
    }
  }
  std::cout << "{\"harness\": \"checkpoint_forgeries\", \"seed\": " << seed
            << ", \"forgeries\": 2000, \"refused\": " << num_refused << "}\n";
  BOOST_TEST(num_refused > 1000);
  BOOST_TEST(num_refused < 2000);  // another letter in a name is another name
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
