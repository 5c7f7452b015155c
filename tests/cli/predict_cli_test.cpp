#include <sys/stat.h>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "fixtures/gif_bytes.h"
#include "streamer/core/file.h"
#include "streamer/shard/dataset.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/cli/trained_shapes.h"
#include "tests/sanitizer.h"
#include "train/run/inference/evaluation.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

struct Fixture {
  const TrainedShapes& shapes = TrainedShapes::get();
  TemporaryFolder folder;

  /// The pictures of one class in the test split, in the order of their names.
  std::vector<std::string> pictures_of(const std::string& name) const {
    std::vector<std::string> paths;
    for (const auto& entry : fs::directory_iterator(shapes.pictures() / "test" / name)) {
      paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
  }
};

BOOST_FIXTURE_TEST_SUITE(predict_cli, Fixture)

// A picture's file and its sample in the dataset are treated alike: over the whole test split,
// predict recognises as many of each class as evaluate does.
BOOST_AUTO_TEST_CASE(files_give_the_answers_that_their_samples_give) {
  const CommandResult evaluated = run_penstock({"evaluate", shapes.run(), "--json"});
  BOOST_REQUIRE(evaluated.exit_code == 0);
  const Json figures = Json::parse(evaluated.out);
  for (const Json& one : figures["classes"]) {
    const std::string name = one["name"];
    std::vector<std::string> line = {"predict", shapes.run(), "--top", "1", "--json"};
    const std::vector<std::string> pictures = pictures_of(name);
    line.insert(line.end(), pictures.begin(), pictures.end());
    const CommandResult predicted = run_penstock(line);
    BOOST_REQUIRE_MESSAGE(predicted.exit_code == 0, predicted.err);
    std::uint64_t num_correct = 0;
    for (const Json& answer : Json::parse(predicted.out)) {
      num_correct += answer["top"][0]["class"] == name;
    }
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(num_correct == one["num_correct"].get<std::uint64_t>());
    }
  }
}

BOOST_AUTO_TEST_CASE(the_best_classes_are_named_best_first) {
  const std::string picture = pictures_of("circle").front();
  const CommandResult text = run_penstock({"predict", shapes.run(), picture});
  BOOST_TEST(text.exit_code == 0);
  BOOST_TEST(text.out.substr(0, picture.size() + 2) == picture + ": ");
  BOOST_TEST(std::count(text.out.begin(), text.out.end(), '%') == 3);
  const CommandResult all =
      run_penstock({"predict", shapes.run(), picture, "--top", "10", "--json"});
  const Json top = Json::parse(all.out)[0]["top"];
  BOOST_REQUIRE(top.size() == 10u);
  double sum = 0;
  for (std::size_t i = 0; i < top.size(); ++i) {
    sum += top[i]["probability"].get<double>();
    if (i > 0) BOOST_TEST(top[i]["probability"] <= top[i - 1]["probability"]);
  }
  BOOST_TEST(sum == 1.0, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(a_bad_picture_is_named_and_the_others_are_answered) {
  const std::string bad = folder.path() / "bad.jpg";
  publish_file(bad, std::string("\xFF\xD8\xFF\xE0 no picture", 15));
  const std::string missing = folder.path() / "missing.jpg";
  const std::string good = pictures_of("star").front();
  const CommandResult result = run_penstock({"predict", shapes.run(), bad, missing, good});
  BOOST_TEST(result.exit_code == 3);
  BOOST_TEST(result.err.find(bad) != std::string::npos);
  BOOST_TEST(result.err.find(missing) != std::string::npos);
  BOOST_TEST(result.out.substr(0, good.size()) == good);
}

BOOST_AUTO_TEST_CASE(a_missing_picture_is_no_damage) {
  const std::string missing = folder.path() / "missing.jpg";
  check_refused(run_penstock({"predict", shapes.run(), missing}), 1,
                "picture: " + missing + ": expected a file, found none",
                "check the path: ls -l " + missing);
  const std::string bad = folder.path() / "bad.jpg";
  publish_file(bad, std::string("\xFF\xD8\xFF\xE0 no picture", 15));
  check_refused_with(run_penstock({"predict", shapes.run(), bad, "--quiet"}), 3, bad);
}

/// What stderr says of one picture: the complaint, and the hint for what is no picture.
std::string said_of(const std::string& path, const std::string& complaint) {
  return "penstock: picture: " + path + ": " + complaint + "\nhint: file " + path + "\n";
}

// A file for each reason that quarantine.csv knows of contents; the detail behind a colon is
// libjpeg's own (jerror.h).
BOOST_AUTO_TEST_CASE(each_kind_of_file_that_is_no_picture_is_called_by_its_name) {
  using namespace std::string_literals;
  const std::string jpeg = read_text_file(pictures_of("star").front());
  const std::string png_of_65500_px =
      "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\xFF\xDC\0\0\xFF\xDC\x08\x02\0\0\0"s;
  const std::vector<std::array<std::string, 3>> files = {
      {"empty.jpg", "", "expected a picture, found an empty file"},
      {"junk", "\x01\x02\x03", "expected a picture, found no picture format that is known"},
      {"page.jpg", "<html>", "expected a picture, found text"},
      {"README", "read me", "expected a picture, found text"},
      {"a.zip", "PK\x03\x04\x14\0\0\0"s, "expected a picture, found a ZIP archive"},
      {"a.jxl", "\xFF\x0A\xFA\x7F",
       "expected a picture format that this build reads, found JPEG XL"},
      {"a.gif", "GIF89a\x01\x02",
       "expected a picture that decodes, found: GIF without a whole header"},
      {"large.png", png_of_65500_px,
       "expected at most 100,000,000 pixels and sides of at most 65,500, found 65500 x 65500"},
      {"cut.jpg", jpeg.substr(0, jpeg.size() / 2),
       "expected a whole picture, found one cut short: Premature end of JPEG file"},
      {"cut.png", png_of_65500_px.substr(0, 20),
       "expected a picture that decodes, found: PNG without a whole header"},
      // SOF3, lossless.
      {"lossless.jpg", "\xFF\xD8\xFF\xC3\0\x0B\x08\0\x08\0\x08\x01\x01\x11\0"s,
       "expected a kind of JPEG that this build reads, found another: Unsupported JPEG process: "
       "SOF "
       "type 0xc3"},
  };
  std::vector<std::string> line = {"predict", shapes.run()};
  std::string expected;
  for (const auto& [name, content, complaint] : files) {
    line.push_back(folder.path() / name);
    publish_file(line.back(), content);
    expected += said_of(line.back(), complaint);
  }
  const CommandResult result = run_penstock(line);
  BOOST_TEST(result.exit_code == 3);
  BOOST_TEST(result.out == "");
  BOOST_TEST(result.err == expected);
}

// The same 16 colours as GIF and as PNG, which are both without loss.
BOOST_AUTO_TEST_CASE(a_gif_has_the_answer_of_a_png_of_the_same_pixels) {
  fixtures::GifPicture gif{.width_px = 64, .height_px = 48, .palette = fixtures::gif_palette(16)};
  gif.frames.push_back({.width_px = 64, .height_px = 48});
  cv::Mat pixels(48, 64, CV_8UC3);
  for (int y = 0; y < 48; ++y) {
    for (int x = 0; x < 64; ++x) {
      const auto index = static_cast<std::uint8_t>((x / 7 + y / 5) % 16);
      gif.frames[0].indices.push_back(index);
      const std::uint32_t colour = gif.palette[index];
      pixels.at<cv::Vec3b>(y, x) = {static_cast<std::uint8_t>(colour),
                                    static_cast<std::uint8_t>(colour >> 8),
                                    static_cast<std::uint8_t>(colour >> 16)};
    }
  }
  const fs::path gif_path = folder.path() / "a.gif";
  const fs::path png_path = folder.path() / "a.png";
  const std::vector<std::byte> bytes = fixtures::gif_file(gif);
  publish_file(gif_path, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  BOOST_REQUIRE(cv::imwrite(png_path.native(), pixels));
  const CommandResult result =
      run_penstock({"predict", shapes.run(), gif_path, png_path, "--json"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const Json answers = Json::parse(result.out);
  BOOST_REQUIRE(answers.size() == 2u);
  BOOST_TEST(answers[0]["top"].dump() == answers[1]["top"].dump());
}

// libpng reports to stderr by itself when a file ends too early.
BOOST_AUTO_TEST_CASE(codec_libraries_are_not_heard) {
  using namespace std::string_literals;
  const std::string cut = folder.path() / "cut.png";
  // Signature, and an IHDR chunk of 8 x 8 RGB without its end.
  publish_file(cut, "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\0\x08\0\0\0\x08\x08\x02\0\0\0"s);
  const CommandResult result = run_penstock({"predict", shapes.run(), cut});
  BOOST_TEST(result.exit_code == 3);
  BOOST_TEST(result.err == said_of(cut,
                                   "expected a whole picture, found one cut short: PNG without "
                                   "its last bytes"));
}

// 24 Mpx in passes: libjpeg keeps two bytes for each of 1.5 coefficients a pixel (4:2:0). As PNG:
// OpenCV keeps the pixels. As a file: the file. Each is above the limit that does for the others.
BOOST_AUTO_TEST_CASE(a_picture_above_the_memory_limit_costs_the_others_nothing) {
  const fs::path many_passes = folder.path() / "passes.jpg";
  const fs::path png = folder.path() / "large.png";
  const fs::path file = folder.path() / "large.jpg";
  cv::Mat pixels(4000, 6000, CV_8UC3, cv::Scalar(10, 20, 30));
  BOOST_REQUIRE(cv::imwrite(many_passes.native(), pixels, {cv::IMWRITE_JPEG_PROGRESSIVE, 1}));
  BOOST_REQUIRE(cv::imwrite(png.native(), pixels));
  publish_file(file, "x");
  fs::resize_file(file, 100u << 20);
  const std::string first = pictures_of("star").front();
  const std::string last = pictures_of("circle").front();
  const CommandResult result = run_penstock(
      {"predict", shapes.run(), first, many_passes, png, file, last, "--memory", "64M", "--json"});
  BOOST_TEST(result.exit_code == 1);
  const Json answers = Json::parse(result.out);
  BOOST_REQUIRE(answers.size() == 5u);
  for (const std::size_t good : {0u, 4u}) BOOST_TEST(answers[good]["top"].size() == 3u);
  const char* const reasons[] = {"decoding a picture", "re-encoding a picture that is no JPEG",
                                 "reading a file"};
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string path = answers[i + 1]["path"];
    const std::string error = answers[i + 1]["error"];
    const std::string head = "picture: " + path + ": memory limit: " + reasons[i] + ": expected ";
    BOOST_TEST(error.substr(0, head.size()) == head);
    BOOST_TEST(result.err.find("penstock: " + error +
                               "\nhint: raise --memory, or make the picture smaller\n") !=
               std::string::npos);
  }
}

/// Scores by sample id, as the evaluation hears them.
struct Scores final : train::ScoreObserver {
  std::map<std::uint64_t, std::vector<float>> logits;
  void on_scores(const train::ScoredBatch& batch) override {
    for (std::size_t i = 0; i < batch.sample_ids.size(); ++i) {
      const auto own = batch.logits.subspan(i * batch.num_classes, batch.num_classes);
      logits[batch.sample_ids[i]] = {own.begin(), own.end()};
    }
  }
};

/// A JPEG with an Exif segment behind its start: TIFF 6.0, tag 0x0112 (orientation) = 6.
std::string turned_jpeg(const fs::path& upright) {
  using namespace std::string_literals;
  const std::string jpeg = read_text_file(upright);
  const std::string exif =
      "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"s;
  return jpeg.substr(0, 2) + "\xFF\xE1"s + '\0' + static_cast<char>(exif.size() + 2) + exif +
         jpeg.substr(2);
}

/// Pictures of two classes, with a PNG and a turned JPEG in the test split.
fs::path mixed_pictures(const Fixture& fixture) {
  const fs::path source = fixture.folder.path() / "mixed";
  for (const char* name : {"circle", "star"}) {
    for (const char* split : {"train", "test"}) {
      fs::create_directories(source / split);
      fs::copy(fixture.shapes.pictures() / split / name, source / split / name);
    }
  }
  const fs::path star = fixture.pictures_of("star").front();
  publish_file(source / "test/star/turned.jpg", turned_jpeg(star));
  BOOST_REQUIRE(
      cv::imwrite((source / "test/circle/other.png").native(), cv::imread(star.native())));
  return source;
}

/// Every file of the test split against its sample, of two classes. Both sides compute softmax of 32-bit scores;
/// batches differ, so sums may differ in their last bits.
void check_files_against_samples(const fs::path& source, const fs::path& dataset,
                                 const fs::path& run) {
  Scores scores;
  train::evaluate_run({.run = run, .dataset = {}, .split = "test", .inference = {.threads = 2}},
                      nullptr, {}, &scores);
  const std::vector<std::string> names =
      penstock::Dataset::open(dataset).split("test").read_names();
  BOOST_REQUIRE(names.size() == scores.logits.size());
  BOOST_TEST((std::find(names.begin(), names.end(), "test/circle/other.png") != names.end()));
  const CommandResult predicted = run_penstock(
      {"predict", run, source / "test", "--top", "2", "--format", "json", "--threads", "2"});
  BOOST_REQUIRE_MESSAGE(predicted.exit_code == 0, predicted.err);
  std::map<std::string, Json> answers;
  for (const Json& answer : Json::parse(predicted.out)) answers[answer["path"]] = answer["top"];
  BOOST_REQUIRE(answers.size() == names.size());
  for (std::size_t id = 0; id < names.size(); ++id) {
    const std::vector<float>& logits = scores.logits.at(id);
    const double difference = double{logits[0]} - double{logits[1]};
    for (const Json& one : answers.at(source / names[id])) {
      const double expected = 1 / (1 + std::exp(one["class_idx"] == 1 ? difference : -difference));
      BOOST_TEST_CONTEXT(names[id]) {
        BOOST_TEST(one["probability"].get<double>() == expected,
                   boost::test_tools::tolerance(1e-5));
      }
    }
  }
}

// The pictures are 40 to 64 pixels wide: those that are encoded anew are made smaller first, or lose what
// quality 40 leaves out.
BOOST_AUTO_TEST_CASE(each_file_gives_the_probabilities_of_its_sample) {
  const fs::path source = mixed_pictures(*this);
  const std::vector<std::vector<std::string>> conversions = {
      {},
      {"--resize-short", "36", "--quality", "40"},
      {"--codec", "png", "--max-side", "44"},
      {"--codec", "raw"}};
  for (const std::vector<std::string>& conversion : conversions) {
    const std::string name = conversion.empty() ? "plain" : conversion[0] + conversion[1];
    BOOST_TEST_CONTEXT(name) {
      const fs::path dataset = folder.path() / (name + ".ds");
      std::vector<std::string> line = {"convert", source, dataset};
      line.insert(line.end(), conversion.begin(), conversion.end());
      const CommandResult converted = run_penstock(line);
      BOOST_REQUIRE_MESSAGE(converted.exit_code == 0, converted.err);
      const fs::path run = folder.path() / name;
      const CommandResult trained =
          run_penstock({"train", dataset, "-o", run, "--image-size", "32x40", "--epochs", "1",
                        "--batch-size", "4", "--threads", "2"});
      BOOST_REQUIRE_MESSAGE(trained.exit_code == 0, trained.err);
      check_files_against_samples(source, dataset, run);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_folder_a_list_and_the_files_themselves_have_the_same_answers) {
  const fs::path stars = shapes.pictures() / "test/star";
  std::vector<std::string> line = {"predict", shapes.run()};
  std::string list;
  for (const std::string& path : pictures_of("star")) {
    line.push_back(path);
    list += path + "\n";
  }
  const CommandResult named = run_penstock(line);
  BOOST_REQUIRE_MESSAGE(named.exit_code == 0, named.err);
  BOOST_TEST(std::count(named.out.begin(), named.out.end(), '\n') == 4);  // 40 of ten classes
  BOOST_TEST(run_penstock({"predict", shapes.run(), stars}).out == named.out);
  BOOST_TEST(run_penstock_on(list, {"predict", shapes.run(), "-"}).out == named.out);
}

BOOST_AUTO_TEST_CASE(what_is_no_picture_in_a_folder_is_counted_and_what_is_broken_is_named) {
  const fs::path photos = folder.path() / "photos";
  fs::create_directories(photos / "deeper");
  fs::copy(pictures_of("star").front(), photos / "deeper/star.jpg");
  publish_file(photos / "README", "read me");
  publish_file(photos / "notes.zip", std::string("PK\x03\x04\x14\0\0\0", 8));
  const CommandResult result = run_penstock({"predict", shapes.run(), photos});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.out.starts_with((photos / "deeper/star.jpg").native() + ": "));
  BOOST_TEST(result.err.ends_with(
      "left out  2 files that are no pictures: " + (photos / "README").native() + ", " +
      (photos / "notes.zip").native() + "\n"));

  publish_file(photos / "cut.jpg", std::string("\xFF\xD8\xFF\xE0 no picture", 15));
  const CommandResult broken = run_penstock({"predict", shapes.run(), photos, "--quiet"});
  BOOST_TEST(broken.exit_code == 3);
  BOOST_TEST(broken.err.find((photos / "cut.jpg").native()) != std::string::npos);
  BOOST_TEST(broken.err.find("README") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_a_folder_only_calls_pictures_is_counted_and_named) {
  const fs::path photos = folder.path() / "photos";
  fs::create_directories(photos);
  fs::copy(pictures_of("star").front(), photos / "star.jpg");
  publish_file(photos / "broken.jpg", "text");
  publish_file(photos / "README", "read me");
  BOOST_REQUIRE(::mkfifo((photos / "pipe.jpg").c_str(), 0600) == 0);
  fs::create_symlink("nowhere.jpg", photos / "dangling.jpg");
  const CommandResult result = run_penstock({"predict", shapes.run(), photos});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.err.ends_with(
      "left out  4 files that are no pictures: " + (photos / "broken.jpg").native() + ", " +
      (photos / "dangling.jpg").native() + " (link), " + (photos / "pipe.jpg").native() +
      " (no regular file) and 1 more\n"));
}

BOOST_AUTO_TEST_CASE(nothing_to_look_at_is_an_error) {
  const fs::path empty = folder.path() / "empty";
  fs::create_directories(empty);
  const std::string hint =
      "name picture files or a folder of them, or write paths to a list: find FOLDER -type f | "
      "penstock predict RUN -";
  check_refused(run_penstock({"predict", shapes.run(), empty}), 1,
                "predict: expected pictures, found none", hint);
  check_refused(run_penstock({"predict", shapes.run(), "-"}), 1,
                "predict: expected pictures, found none", hint);
  publish_file(empty / "a.txt", "text");
  check_refused(run_penstock({"predict", shapes.run(), empty}), 1,
                "predict: expected pictures, found none: 1 file that is no picture: " +
                    (empty / "a.txt").native(),
                hint);
}

BOOST_AUTO_TEST_CASE(csv_goes_to_a_file_that_is_replaced_on_request_only) {
  const fs::path file = folder.path() / "answers.csv";
  const std::string star = pictures_of("star").front();
  const std::string missing = folder.path() / "missing.jpg";
  const std::vector<std::string> line = {"predict", shapes.run(), star,  missing, "--top",
                                         "2",       "--format",   "csv", "-o",    file};
  const CommandResult result = run_penstock(line);
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(result.out == "");
  const std::string csv = read_text_file(file);
  BOOST_TEST(csv.starts_with("path,rank,class,class_idx,probability,error\n" + star + ",1,"));
  BOOST_TEST(csv.find("\n" + star + ",2,") != std::string::npos);
  // The comma stands in the message.
  BOOST_TEST(csv.ends_with("\n" + missing + ",,,,,\"picture: " + missing +
                           ": expected a file, found none\"\n"));
  check_refused(run_penstock(line), 1,
                "output: " + file.native() + ": expected nothing there, found a file",
                "--force replaces it; or name another file");
  std::vector<std::string> forced = line;
  forced.push_back("--force");
  publish_file(file, "old");
  BOOST_TEST(run_penstock(forced).exit_code == 1);
  BOOST_TEST(read_text_file(file) == csv);
  check_refused(run_penstock({"predict", shapes.run(), star, "--format", "xml"}), 2,
                "--format: expected text, csv or json, found 'xml'", "--format csv");
}

// All answers to 1,500 pictures took 9 MiB when they were kept to the end.
BOOST_AUTO_TEST_CASE(many_pictures_take_no_more_memory_than_few) {
  if (kHasSanitizer) {
    std::cout << "SKIPPED: a sanitizer's memory counts as the process's\n";
    return;
  }
  const std::vector<std::string> line = {"predict", shapes.run(), "-",  "--top",
                                         "10",      "--json",     "-o", folder.path() / "a.json",
                                         "--force"};
  const auto peak_of = [&](int num_pictures) {
    std::string list;
    for (int i = 0; i < num_pictures; ++i) list += pictures_of("star").front() + "\n";
    const CommandResult result = run_penstock_on(list, line);
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    BOOST_TEST(Json::parse(read_text_file(folder.path() / "a.json")).size() ==
               static_cast<std::size_t>(num_pictures));
    return static_cast<double>(result.peak_rss_bytes);
  };
  const double few = peak_of(64);
  const double many = peak_of(1500);
  BOOST_TEST(many < few + (3 << 20));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
