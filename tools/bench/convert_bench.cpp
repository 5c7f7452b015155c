#include "tools/bench/convert_bench.h"

#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/usable_cores.h"
#include "streamer/read/jpeg_decoder.h"
#include "tools/bench/bare_jpeg.h"
#include "tools/bench/bare_resize.h"
#include "tools/bench/bench_threads.h"
#include "tools/bench/crop_sides.h"
#include "tools/convert/convert_job.h"
#include "tools/terminal.h"

extern char** environ;

namespace penstock::tools::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// A folder of its own in `place`, removed with all that is in it.
class WorkFolder {
 public:
  explicit WorkFolder(const fs::path& place) {
    std::string pattern = (place / "penstock-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw_io_error(errno, "make folder", pattern);
    path_ = pattern;
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder() {
    std::error_code ignored;  // a destructor has nobody to tell
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

class Nobody final : public convert::ConvertObserver {
 public:
  void notice(const std::string&) override {}
  void progress(const convert::ConvertProgress&) override {}
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double cpu_seconds(const rusage& usage) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

RunTime copy_folder(const fs::path& from, const fs::path& to) {
  std::string program = "cp";
  std::string flag = "-r";
  std::string source = from.native();
  std::string target = to.native();
  char* const arguments[] = {program.data(), flag.data(), source.data(), target.data(), nullptr};
  const auto start = Clock::now();
  pid_t pid = -1;
  const int failure = ::posix_spawnp(&pid, "cp", nullptr, nullptr, arguments, environ);
  if (failure != 0) throw_io_error(failure, "run", "cp");
  int status = 0;
  rusage usage{};
  while (::wait4(pid, &status, 0, &usage) < 0) {
    if (errno != EINTR) throw_io_error(errno, "wait for", "cp");
  }
  if (status != 0) throw Error(ErrorCode::kIo, "cp -r: " + printable_path(to) + ": failed");
  return {.seconds = seconds_since(start), .cpu_seconds = cpu_seconds(usage)};
}

constexpr std::uint32_t kShortPx = 256;
constexpr int kQuality = 90;

RunTime convert_once(const ConvertBenchConfig& config, convert::CheckDepth depth,
                     const convert::EncodeSettings& encode, const fs::path& target) {
  Nobody nobody;
  const double cpu_before = process_cpu_seconds();
  const auto start = Clock::now();
  const convert::ConvertSummary summary =
      convert::convert_folder({.source = config.source,
                               .dataset = target,
                               .num_jobs = config.num_threads,
                               .encode = encode,
                               .depth = depth,
                               .memory_bytes = config.memory_bytes},
                              nobody, {});
  return {.seconds = seconds_since(start),
          .cpu_seconds = process_cpu_seconds() - cpu_before,
          .num_failed = *summary.manifest.num_quarantined};
}

// What one thread reads into and decodes into.
struct DecodeSpace {
  BareJpeg bare;
  BareResize resize;
  JpegDecoder headers;
  std::vector<std::byte> encoded;
  std::vector<std::byte> pixels;
};

enum class BareWork { kDecode, kDecodeResizeEncode };

bool read_and_decode(const fs::path& path, BareWork work, DecodeSpace& space) {
  const UniqueFd file = open_for_reading(path);
  space.encoded.resize(file_size_bytes(file, path));
  read_at(file, 0, space.encoded, path);
  const bool is_jpeg = space.encoded.size() > 1 && space.encoded[0] == std::byte{0xFF} &&
                       space.encoded[1] == std::byte{0xD8};
  if (!is_jpeg) return true;  // text beside the pictures, which conversions leave out too
  const Result<JpegHeader> header = space.headers.read_header(space.encoded);
  if (!header.ok()) return false;
  const JpegHeader& sides = header.value();
  const std::size_t num_bytes = std::size_t{sides.width_px} * sides.height_px * 3;
  if (space.pixels.size() < num_bytes) space.pixels.resize(num_bytes);
  const bool is_decoded = space.bare.decode_whole(
      space.encoded, {.region = {0, 0, sides.width_px, sides.height_px}, .scale = 1}, space.pixels);
  if (!is_decoded || work == BareWork::kDecode) return is_decoded;
  const ImageView view{.pixels_hwc = reinterpret_cast<const std::uint8_t*>(space.pixels.data()),
                       .width_px = sides.width_px,
                       .height_px = sides.height_px,
                       .channels = 3,
                       .pixel_stride_bytes = 3,
                       .row_stride_bytes = std::size_t{sides.width_px} * 3};
  return !space.resize.encode_resized(view, kShortPx, kQuality).empty();
}

RunTime decode_all(const std::vector<fs::path>& files, BareWork work,
                   std::vector<DecodeSpace>& spaces) {
  std::atomic<std::uint64_t> num_failed = 0;
  RunTime time = run_on_threads(
      static_cast<std::uint32_t>(spaces.size()), files.size(), [&](const Share& share) {
        for (std::size_t i = share.begin; i < share.end; ++i) {
          if (!read_and_decode(files[i], work, spaces[share.thread_idx])) {
            ++num_failed;
          }
        }
      });
  time.num_failed = num_failed;
  return time;
}

std::vector<fs::path> files_beneath(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

ConvertBenchResult bench_convert(const ConvertBenchConfig& asked,
                                 const std::function<void(std::string_view)>& tell) {
  ConvertBenchConfig config = asked;
  if (config.num_threads == 0) config.num_threads = num_usable_cores();
  const bool has_trust = config.row.empty() || config.row == kTrustSideName;
  const bool has_default = config.row.empty() || config.row == kDefaultSideName;
  const bool has_resize = config.row.empty() || config.row == kResizeSideName;
  const bool has_crops = config.row == kCropsRowName;
  if (!has_trust && !has_default && !has_resize && !has_crops) {
    throw Error(ErrorCode::kInvalidArgument,
                "bench convert: row: expected '" + std::string(kTrustSideName) + "', '" +
                    kDefaultSideName + "', '" + kResizeSideName + "' or '" + kCropsRowName +
                    "', found '" + printable(config.row) + "'",
                "--row convert");
  }
  const std::vector<fs::path> files = files_beneath(config.source);
  ConvertBenchResult result{.num_files = files.size(),
                            .num_threads = config.num_threads,
                            .num_rounds = config.num_rounds,
                            .sides = {}};
  for (const fs::path& file : files) result.num_bytes += fs::file_size(file);
  if (has_crops) {
    tell("rewriting pictures");
    const std::vector<CropPicture> pictures = read_crop_pictures(files);
    for (const CropPicture& picture : pictures) {
      result.num_found_bytes += picture.found.size();
      result.num_optimized_bytes += picture.optimized.size();
    }
    if (pictures.empty()) {
      throw Error(ErrorCode::kInvalidArgument, "bench convert: " + printable_path(config.source) +
                                                   ": expected JPEG for its crops, found none");
    }
    tell("crops");
    result.sides = run_rounds(crop_sides(pictures, config.num_threads), config.num_rounds);
    return result;
  }
  const WorkFolder work(config.place);
  const fs::path target = work.path() / "made";
  std::vector<DecodeSpace> spaces(config.num_threads);
  std::vector<Side> sides;
  const auto add = [&](const char* name, const char* ceiling, std::function<RunTime()> run) {
    sides.push_back({.name = name,
                     .ceiling = ceiling,
                     .num_samples = files.size(),
                     .prepare =
                         [&target, &tell, name] {
                           tell(name);
                           fs::remove_all(target);
                         },
                     .run = std::move(run)});
  };
  if (has_trust) {
    add(kCopySideName, "", [&] { return copy_folder(config.source, target); });
    add(kTrustSideName, kCopySideName,
        [&] { return convert_once(config, convert::CheckDepth::kHeader, {}, target); });
  }
  if (has_default) {
    add(kDecodeSideName, "", [&] { return decode_all(files, BareWork::kDecode, spaces); });
    add(kDefaultSideName, kDecodeSideName,
        [&] { return convert_once(config, convert::CheckDepth::kDecode, {}, target); });
  }
  if (has_resize) {
    add(kBareResizeSideName, "",
        [&] { return decode_all(files, BareWork::kDecodeResizeEncode, spaces); });
    add(kResizeSideName, kBareResizeSideName, [&] {
      return convert_once(config, convert::CheckDepth::kDecode,
                          {.resize_short_px = kShortPx, .quality = kQuality}, target);
    });
  }
  result.sides = run_rounds(sides, config.num_rounds);
  return result;
}

}  // namespace penstock::tools::bench
