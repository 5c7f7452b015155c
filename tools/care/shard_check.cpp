#include "tools/care/shard_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <mutex>
#include <utility>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/little_endian.h"
#include "tools/care/moved_records.h"
#include "tools/care/placed_samples.h"

namespace penstock::care {
namespace {

// Of the samples that one thread reads in one go.
constexpr std::uint64_t kRunBytes = 1u << 20;

class ShardChecker {
 public:
  ShardChecker(CareShard& shard, const CheckWatch& watch, CheckCrew& crew, unsigned thread_idx)
      : shard_(shard),
        watch_(watch),
        crew_(crew),
        thread_idx_(thread_idx),
        block_(crew.block(thread_idx)) {}

  ShardCheck run() {
    check_.is_whole.assign(shard_.num_samples(), 0);
    check_.num_by_class.assign(shard_.num_classes(), 0);
    const bool is_index_whole = check_section("index");
    const bool are_sums_whole = check_section("index_page_xxh3");
    check_.are_class_names_whole = check_section("class_names");
    check_.are_names_whole = check_section("name_offsets") && check_section("names");
    if (shard_.guide() == ShardGuide::kHdf5) find_moved_records(shard_, watch_.stop);
    samples_ = place_samples(
        shard_, {.is_index_whole = is_index_whole, .are_page_sums_whole = are_sums_whole},
        watch_.stop, check_);
    read_images();
    check_name_offsets();
    std::ranges::sort(check_.sample_damage, {}, &SampleDamage::sample_idx);
    check_.read_bytes = read_bytes_;
    return std::move(check_);
  }

 private:
  void damage(const std::string& what) { check_.shard_damage.push_back(what); }

  // Reads a piece of the file; false, and why, when that is refused.
  bool read(std::uint64_t at, std::span<std::byte> bytes, std::string& why) {
    if (watch_.stop.stop_requested()) {
      throw Error(ErrorCode::kStopped, "stopped: check: on request");
    }
    read_bytes_ += bytes.size();
    if (watch_.done_bytes != nullptr) watch_.done_bytes->fetch_add(bytes.size());
    try {
      shard_.read(at, bytes);
      return true;
    } catch (const Error& error) {
      why = error.what();
      return false;
    }
  }

  // True when the section is there and holds, or when nobody knows its checksum.
  bool check_section(const char* name) {
    const ShardPart* const part = shard_.find(name);
    if (part == nullptr) return true;
    StreamHasher hasher;
    if (!add_section(name, hasher)) return false;
    return compare_section(*part, hasher.digest_64());
  }

  bool compare_section(const ShardPart& part, std::uint64_t found) {
    if (!part.xxh3 || found == *part.xxh3) return true;
    damage(fmt::format("section {}: expected checksum {}, found {}", part.name, hex(*part.xxh3),
                       hex(found)));
    return false;
  }

  void read_images() {
    const ShardPart& images = *shard_.find("images");
    const bool is_hashed = hashes_images(images);
    const bool is_read = is_hashed ? read_in_one_pass(images) : read_runs();
    if (!is_read) damage("section images: some of it cannot be read");
  }

  // Where samples lie back to back, each run of them stands for itself.
  bool read_runs() {
    const std::vector<std::span<const PlacedSample>> runs = cut_runs(samples_, kRunBytes);
    std::atomic<bool> is_all_read = true;
    std::mutex mutex;  // guards check_.sample_damage
    crew_.help().do_parts(thread_idx_, runs.size(), [&](unsigned thread_idx, std::size_t i) {
      SampleRun run(runs[i], check_.is_whole);
      const std::span<std::byte> block = crew_.block(thread_idx);
      const std::uint64_t end_bytes = runs[i].back().end_bytes();
      for (std::uint64_t at = runs[i].front().offset_bytes; at < end_bytes;) {
        const auto bytes = block.first(std::min<std::uint64_t>(block.size(), end_bytes - at));
        std::string why;
        const bool is_read = read(at, bytes, why);
        if (!is_read) is_all_read = false;
        run.take(at, bytes, is_read ? nullptr : &why);
        at += bytes.size();
      }
      const std::lock_guard lock(mutex);
      std::ranges::move(run.damage(), std::back_inserter(check_.sample_damage));
    });
    return is_all_read;
  }

  // In the order of the file; a sample may reach over several blocks.
  bool read_in_one_pass(const ShardPart& images) {
    StreamHasher section_hasher;
    SampleRun run(samples_, check_.is_whole);
    bool is_section_read = true;
    for (std::uint64_t done = 0; done < images.length_bytes;) {
      const auto size = std::min<std::uint64_t>(block_.size(), images.length_bytes - done);
      const auto block = block_.first(size);
      std::string why;
      const bool is_read = read(images.offset_bytes + done, block, why);
      is_section_read = is_section_read && is_read;
      if (is_read) section_hasher.update(block);
      run.take(images.offset_bytes + done, block, is_read ? nullptr : &why);
      done += size;
    }
    if (is_section_read) {
      compare_section(images, section_hasher.digest_64());
      if (shard_.guide() == ShardGuide::kHdf5) compare_uuid(section_hasher.digest_128());
    }
    std::ranges::move(run.damage(), std::back_inserter(check_.sample_damage));
    return is_section_read;
  }

  bool hashes_images(const ShardPart& images) const {
    std::uint64_t covered_bytes = 0;
    for (const PlacedSample& sample : samples_) covered_bytes += sample.length_bytes;
    return watch_.images == ImagesChecksum::kAlways || shard_.guide() == ShardGuide::kHdf5 ||
           covered_bytes != images.length_bytes;
  }

  // Without a header nothing else vouches for the names. FORMAT.md, section 7.
  void compare_uuid(const Digest128& images) {
    StreamHasher hasher;
    const auto add_number = [&](std::uint64_t value) {
      std::array<std::byte, 8> bytes{};
      store_le(value, bytes.data());
      hasher.update(bytes);
    };
    add_number(kShardFormatVersion);
    add_number(shard_.split().size());
    hasher.update(shard_.split());
    add_number(shard_.num_classes());
    bool is_read = add_section("class_names", hasher);
    hasher.update(std::as_bytes(std::span(images)));
    is_read = add_section("index", hasher) && add_section("names", hasher) && is_read;
    if (is_read && hex(hasher.digest_128()) == shard_.uuid()) return;
    damage(fmt::format("uuid: expected \"{}\", found {}: no checksum vouches for names and classes",
                       shard_.uuid(), hex(hasher.digest_128())));
    check_.are_names_whole = false;
    check_.are_class_names_whole = false;
  }

  bool add_section(const char* name, StreamHasher& hasher) {
    const ShardPart* const part = shard_.find(name);
    if (part == nullptr) return true;
    std::string why;
    for (std::uint64_t done = 0; done < part->length_bytes;) {
      const auto size = std::min<std::uint64_t>(block_.size(), part->length_bytes - done);
      if (!read(part->offset_bytes + done, block_.first(size), why)) {
        damage(fmt::format("section {}: {}", name, why));
        return false;
      }
      hasher.update(block_.first(size));
      done += size;
    }
    return true;
  }

  void check_name_offsets() {
    const ShardPart* const offsets = shard_.find("name_offsets");
    const ShardPart* const names = shard_.find("names");
    if (offsets == nullptr || names == nullptr) return;
    std::uint64_t before = 0;
    for (std::uint64_t done = 0; done < offsets->length_bytes;) {
      const auto size = std::min<std::uint64_t>(block_.size(), offsets->length_bytes - done);
      std::string why;
      if (!read(offsets->offset_bytes + done, block_.first(size), why)) return;  // told
      for (std::size_t i = 0; i < size; i += 8) {
        const auto value = load_le<std::uint64_t>(&block_[i]);
        const bool is_first = done + i == 0;
        if (is_first ? value != 0 : value <= before || value > names->length_bytes) {
          damage(
              fmt::format("name_offsets: expected rising numbers from 0 to {}, found {} after {}",
                          names->length_bytes, value, before));
          check_.are_names_whole = false;
          return;
        }
        before = value;
      }
      done += size;
    }
  }

  CareShard& shard_;
  const CheckWatch& watch_;
  CheckCrew& crew_;
  const unsigned thread_idx_;
  const std::span<std::byte> block_;  // this thread's
  std::vector<PlacedSample> samples_;
  std::atomic<std::uint64_t> read_bytes_ = 0;
  ShardCheck check_;
};

}  // namespace

CheckCrew::CheckCrew(unsigned num_threads, std::size_t num_shards) : help_(num_shards) {
  for (unsigned t = 0; t < num_threads; ++t) {
    blocks_.emplace_back(page_aligned_memory(), kCheckBlockBytes);
  }
}

ShardCheck check_shard(CareShard& shard, const CheckWatch& watch, CheckCrew& crew,
                       unsigned thread_idx) {
  return ShardChecker(shard, watch, crew, thread_idx).run();
}

ShardCheck check_shard(CareShard& shard, const CheckWatch& watch) {
  CheckCrew alone(1, 1);
  return check_shard(shard, watch, alone, 0);
}

}  // namespace penstock::care
