#include "tools/convert/duplicate/print_runs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <queue>

#include "streamer/core/error.h"
#include "streamer/core/little_endian.h"

namespace penstock::convert {
namespace {

constexpr std::size_t kBlockPrints = 4096;

void store(const ContentPrint& print, std::byte* at) {
  std::memcpy(at, print.digest.data(), print.digest.size());
  store_le(print.picture_idx, at + print.digest.size());
}

ContentPrint load(const std::byte* at) {
  ContentPrint print;
  std::memcpy(print.digest.data(), at, print.digest.size());
  print.picture_idx = load_le<std::uint32_t>(at + print.digest.size());
  return print;
}

// Writes prints one after another, and tells what lies where.
class RunWriter {
 public:
  RunWriter(const UniqueFd& file, const std::filesystem::path& path, std::uint64_t at_bytes)
      : file_(file), path_(path), run_{.begin_bytes = at_bytes, .end_bytes = at_bytes} {
    block_.reserve(kBlockPrints * kPrintBytes);
  }
  void add(const ContentPrint& print) {
    block_.resize(block_.size() + kPrintBytes);
    store(print, block_.data() + block_.size() - kPrintBytes);
    if (block_.size() >= kBlockPrints * kPrintBytes) write();
  }
  PrintRun finish() {
    write();
    run_.xxh3 = hasher_.digest_64();
    return run_;
  }

 private:
  void write() {
    hasher_.update(block_);
    write_at(file_, run_.end_bytes, block_, path_);
    run_.end_bytes += block_.size();
    block_.clear();
  }

  const UniqueFd& file_;
  const std::filesystem::path& path_;
  std::vector<std::byte> block_;
  StreamHasher hasher_;
  PrintRun run_;
};

class RunReader {
 public:
  RunReader(const UniqueFd& file, const std::filesystem::path& path, const PrintRun& run,
            std::size_t block_bytes)
      : file_(file), path_(path), run_(run), block_bytes_(block_bytes / kPrintBytes * kPrintBytes) {
    next();
  }
  const std::optional<ContentPrint>& print() const noexcept { return print_; }
  void next() {
    if (at_ == block_.size()) fill();
    if (block_.empty()) {
      print_.reset();
      return;
    }
    print_ = load(block_.data() + at_);
    at_ += kPrintBytes;
  }

 private:
  void fill() {
    at_ = 0;
    block_.resize(std::min<std::uint64_t>(block_bytes_, run_.end_bytes - run_.begin_bytes));
    if (read_at(file_, run_.begin_bytes, block_, path_) != block_.size()) {
      throw Error(ErrorCode::kIo, "prints: " + path_.native() + ": expected " +
                                      std::to_string(run_.end_bytes) + " bytes, found fewer");
    }
    run_.begin_bytes += block_.size();
  }

  const UniqueFd& file_;
  const std::filesystem::path& path_;
  PrintRun run_;
  std::size_t block_bytes_;
  std::vector<std::byte> block_;
  std::size_t at_ = 0;
  std::optional<ContentPrint> print_;
};

template <class Visit>
void merge_at_once(const UniqueFd& file, const std::filesystem::path& path,
                   std::span<const PrintRun> runs, std::size_t block_bytes, Visit&& visit) {
  std::vector<RunReader> readers;
  readers.reserve(runs.size());
  for (const PrintRun& run : runs) readers.emplace_back(file, path, run, block_bytes);
  const auto is_later = [&](std::size_t a, std::size_t b) {
    return *readers[b].print() < *readers[a].print();
  };
  std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(is_later)> queue(is_later);
  for (std::size_t i = 0; i < readers.size(); ++i) {
    if (readers[i].print()) queue.push(i);
  }
  while (!queue.empty()) {
    const std::size_t first = queue.top();
    queue.pop();
    visit(*readers[first].print());
    readers[first].next();
    if (readers[first].print()) queue.push(first);
  }
}

// Has no name, so that nothing of it is left whatever ends the process.
UniqueFd create_unnamed(const std::filesystem::path& path) {
  std::filesystem::remove(path);
  UniqueFd file = create_new_file(path);
  std::filesystem::remove(path);
  return file;
}

}  // namespace

PrintFile::PrintFile(const std::filesystem::path& folder, const char* name,
                     std::uint64_t kept_bytes)
    : path_(folder / name), written_bytes_(kept_bytes) {
  file_ = UniqueFd(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!file_) throw_io_error(errno, "open", path_.native());
  if (::ftruncate(file_.get(), static_cast<off_t>(kept_bytes)) != 0) {
    throw_io_error(errno, "cut", path_.native());
  }
}

PrintRun PrintFile::end_run() {
  std::ranges::sort(open_);
  RunWriter writer(file_, path_, written_bytes_);
  for (const ContentPrint& print : open_) writer.add(print);
  open_.clear();
  const PrintRun run = writer.finish();
  written_bytes_ = run.end_bytes;
  return run;
}

void PrintFile::sync() const {
  sync_file(file_, path_);
}

bool PrintFile::is_intact(const PrintRun& run) const {
  if ((run.end_bytes - run.begin_bytes) % kPrintBytes != 0) return false;
  StreamHasher hasher;
  std::vector<std::byte> block(kBlockPrints * kPrintBytes);
  for (std::uint64_t at = run.begin_bytes; at < run.end_bytes;) {
    const auto wanted =
        std::span(block).first(std::min<std::uint64_t>(block.size(), run.end_bytes - at));
    const std::size_t num_read = read_at(file_, at, wanted, path_);
    if (num_read == 0) return false;
    hasher.update(std::span<const std::byte>(wanted).first(num_read));
    at += num_read;
  }
  return hasher.digest_64() == run.xxh3;
}

void merge_runs(const PrintFile& prints, std::span<const PrintRun> runs,
                const std::filesystem::path& folder, const MergeConfig& config,
                const std::function<void(const ContentPrint& print)>& visit) {
  if (runs.size() <= config.max_runs) {
    return merge_at_once(prints.file(), prints.path(), runs, config.block_bytes, visit);
  }
  const std::filesystem::path path = folder / kMergedPrintsName;
  const UniqueFd* from = &prints.file();
  std::vector<PrintRun> level(runs.begin(), runs.end());
  UniqueFd merged;
  while (level.size() > config.max_runs) {
    UniqueFd next = create_unnamed(path);
    std::vector<PrintRun> longer;
    std::uint64_t at_bytes = 0;
    for (std::size_t i = 0; i < level.size(); i += config.max_runs) {
      const auto some = std::span(level).subspan(i, std::min(config.max_runs, level.size() - i));
      RunWriter writer(next, path, at_bytes);
      merge_at_once(*from, path, some, config.block_bytes,
                    [&](const ContentPrint& print) { writer.add(print); });
      longer.push_back(writer.finish());
      at_bytes = longer.back().end_bytes;
    }
    merged = std::move(next);
    from = &merged;
    level = std::move(longer);
  }
  merge_at_once(*from, path, level, config.block_bytes, visit);
}

void visit_groups(const PrintFile& prints, std::span<const PrintRun> runs,
                  const std::filesystem::path& folder, const MergeConfig& config,
                  const std::function<void(std::vector<std::uint32_t>& picture_idxs)>& visit) {
  std::vector<std::uint32_t> group;
  Digest128 digest{};
  const auto end_group = [&] {
    if (group.size() > 1) visit(group);
    group.clear();
  };
  merge_runs(prints, runs, folder, config, [&](const ContentPrint& print) {
    if (!group.empty() && print.digest != digest) end_group();
    digest = print.digest;
    group.push_back(print.picture_idx);
  });
  end_group();
}

}  // namespace penstock::convert
