#include "streamer/shard/hdf5_survey.h"

#include <hdf5.h>

#include <boost/test/unit_test.hpp>
#include <functional>

#include "streamer/core/error.h"
#include "tests/streamer/shard/shard_maker.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

using tests::ShardMaker;

struct Fixture {
  tests::TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "train-00000.h5";

  void expect(ErrorCode code, const std::string& part) const {
    BOOST_CHECK_EXCEPTION(survey_hdf5(path), Error, [&](const Error& error) {
      BOOST_TEST(std::string(error.what()).find(part) != std::string::npos, error.what());
      return error.code() == code && !error.hint().empty();
    });
  }

  // Changes a shard by the library itself, as another program would.
  void change(const std::function<void(hid_t file)>& change) const {
    std::filesystem::remove(path);
    ShardMaker{}.write(path);
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    BOOST_REQUIRE(file >= 0);
    change(file);
    BOOST_REQUIRE(H5Fclose(file) >= 0);
  }
};

void create(hid_t file, const char* name, hid_t type, hid_t properties) {
  const hsize_t length = 100;
  const hid_t space = H5Screate_simple(1, &length, nullptr);
  const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
  const std::vector<unsigned char> bytes(800, 1);
  H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data());
  H5Dclose(set);
  H5Sclose(space);
}

BOOST_FIXTURE_TEST_SUITE(hdf5_survey, Fixture)

BOOST_AUTO_TEST_CASE(a_shard_is_surveyed_without_its_header) {
  const ManifestShard written = ShardMaker{}.write(path);
  tests::Bytes bytes = tests::read_bytes(path);
  std::fill_n(bytes.begin(), 4096, std::byte{0});
  tests::write_bytes(path, bytes);
  const Hdf5Survey survey = survey_hdf5(path);
  BOOST_TEST(survey.split == "train");
  BOOST_TEST(survey.uuid == written.uuid);
  BOOST_TEST(survey.num_samples == 3u);
  BOOST_TEST(survey.num_classes == 2u);
  BOOST_REQUIRE(survey.parts.size() == 6u);
  BOOST_TEST(survey.find("images")->offset_bytes == 16384u);            // FORMAT.md, the picture
  BOOST_TEST(survey.find("images")->length_bytes == 3u * (1 + 2 + 3));  // ShardMaker's pixels
  BOOST_TEST(survey.find("index")->length_bytes == 3u * 64);
  BOOST_TEST(survey.find("class_names")->element_bytes == 6u);  // "circle"
}

BOOST_AUTO_TEST_CASE(what_is_no_hdf5_is_damage) {
  tests::write_bytes(path, tests::Bytes(8192, std::byte{'x'}));
  expect(ErrorCode::kCorruptData, "expected HDF5 metadata");
  tests::write_bytes(path, {});
  expect(ErrorCode::kCorruptData, "expected HDF5 metadata");
}

BOOST_AUTO_TEST_CASE(a_missing_part_is_named) {
  change([](hid_t file) { H5Ldelete(file, "index", H5P_DEFAULT); });
  expect(ErrorCode::kCorruptData, "/index: expected a dataset, found none");
}

BOOST_AUTO_TEST_CASE(chunks_external_files_and_links_are_refused) {
  change([](hid_t file) {
    H5Ldelete(file, "images", H5P_DEFAULT);
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk = 10;
    H5Pset_chunk(list, 1, &chunk);
    H5Pset_deflate(list, 1);
    create(file, "images", H5T_STD_U8LE, list);
    H5Pclose(list);
  });
  expect(ErrorCode::kUnsupported, "/images: expected no filter, found one");

  change([&](hid_t file) {
    H5Ldelete(file, "images", H5P_DEFAULT);
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(list, (folder.path() / "elsewhere").c_str(), 0, 100);
    create(file, "images", H5T_STD_U8LE, list);
    H5Pclose(list);
  });
  expect(ErrorCode::kUnsupported, "/images: expected its bytes in the file");

  for (const bool is_external : {false, true}) {
    change([&](hid_t file) {
      H5Ldelete(file, "images", H5P_DEFAULT);
      if (is_external) {
        H5Lcreate_external("other.h5", "/images", file, "images", H5P_DEFAULT, H5P_DEFAULT);
      } else {
        H5Lcreate_soft("/names", file, "images", H5P_DEFAULT, H5P_DEFAULT);
      }
    });
    expect(ErrorCode::kUnsupported, "/images: expected a dataset, found a link");
  }
}

BOOST_AUTO_TEST_CASE(other_types_and_shapes_are_refused) {
  change([](hid_t file) {
    H5Ldelete(file, "images", H5P_DEFAULT);
    create(file, "images", H5T_IEEE_F64LE, H5P_DEFAULT);
  });
  expect(ErrorCode::kUnsupported, "/images: expected the type that the format says");
  change([](hid_t file) {
    H5Ldelete(file, "class_names", H5P_DEFAULT);
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    const hsize_t length = 2;
    const hid_t space = H5Screate_simple(1, &length, nullptr);
    H5Dclose(H5Dcreate2(file, "class_names", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
    H5Tclose(type);
  });
  expect(ErrorCode::kUnsupported, "/class_names: expected the type that the format says");
}

// What take() gives or throws, as one text.
std::string told_by(const std::function<Hdf5Survey()>& take) {
  try {
    const Hdf5Survey survey = take();
    std::string text = survey.split + " " + survey.uuid + " " + std::to_string(survey.num_samples);
    for (const Hdf5Part& part : survey.parts) {
      text += " " + part.name + " " + std::to_string(part.offset_bytes) + " " +
              std::to_string(part.length_bytes) + " " + std::to_string(part.element_bytes);
    }
    return text;
  } catch (const Error& error) {
    return std::string(error_code_name(error.code())) + ": " + error.what() + " | " + error.hint();
  }
}

BOOST_AUTO_TEST_CASE(a_run_of_files_says_of_each_what_it_alone_would) {
  change([](hid_t file) { H5Ldelete(file, "index", H5P_DEFAULT); });
  std::vector<std::filesystem::path> paths = {path};
  const auto at = [&](const char* name) { return folder.path() / name; };
  ShardMaker{}.write(at("train-00001.h5"));
  tests::write_bytes(at("train-00002.h5"), tests::Bytes(8192, std::byte{'x'}));
  tests::write_bytes(at("train-00003.h5"), {});
  ShardMaker{}.write(at("train-00004.h5"));
  for (const char* name :
       {"train-00001.h5", "train-00002.h5", "train-00003.h5", "train-00004.h5", "none.h5"}) {
    paths.push_back(at(name));
  }
  std::vector<std::string> alone;
  for (const auto& one : paths) alone.push_back(told_by([&] { return survey_hdf5(one); }));
  BOOST_TEST(alone[1].find("train ") == 0u, alone[1]);
  BOOST_TEST(alone[5].find("NotFound: ") == 0u, alone[5]);
  Hdf5SurveyRun rising(paths);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    BOOST_TEST(told_by([&] { return rising.take(i); }) == alone[i]);
  }
  Hdf5SurveyRun falling(paths);
  for (std::size_t i = paths.size(); i-- > 0;) {
    BOOST_TEST(told_by([&] { return falling.take(i); }) == alone[i]);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
