#include "tests/train/backend/cuda/host_gpu/host_gpu.h"

#include <algorithm>
#include <array>
#include <boost/context/fiber.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

uint3 threadIdx;
uint3 blockIdx;
dim3 blockDim;
dim3 gridDim;

namespace penstock::tests {
namespace {

namespace context = boost::context;
using train::cuda::DeviceStatus;
using train::cuda::HostLaunch;
using train::cuda::HostWarpWords;
using train::cuda::Stream;

constexpr std::size_t kStackBytes = 64 * 1024;
constexpr unsigned kLanes = 32;

std::mt19937_64& order_random() {
  static std::mt19937_64 random(1);
  return random;
}

HostLaunchTaker::Take& launch_taker() {
  static HostLaunchTaker::Take take;
  return take;
}

std::uint64_t num_launches = 0;

/// Words that the lanes of a warp give each other, two rounds of them: nobody is two rounds ahead.
struct WarpRound {
  HostWarpWords words{};
  unsigned arrived = 0;
  unsigned left = 0;
};

struct Warp {
  std::array<WarpRound, 2> rounds{};
  std::array<unsigned, kLanes> next_round{};
};

enum class FibreState : std::uint8_t { kReady, kAtBarrier, kInExchange, kEnded };

struct Fibre {
  context::fiber context;
  uint3 idx{};
  FibreState state = FibreState::kReady;
};

/// The threads of one block.
class BlockRun {
 public:
  BlockRun(const HostLaunch& launch, const std::function<void()>& thread)
      : name_(launch.name), dynamic_bytes_(launch.shared_bytes) {
    const unsigned count = launch.block.x * launch.block.y * launch.block.z;
    fibres_.resize(count);
    warps_.resize((count + kLanes - 1) / kLanes);
    for (unsigned i = 0; i < count; ++i) {
      Fibre& fibre = fibres_[i];
      fibre.idx = {i % launch.block.x, i / launch.block.x % launch.block.y,
                   i / (launch.block.x * launch.block.y)};
      fibre.context = context::fiber(std::allocator_arg, stacks(),
                                     [this, &thread, &fibre](context::fiber&& scheduler) {
                                       scheduler_ = std::move(scheduler);
                                       thread();
                                       fibre.state = FibreState::kEnded;
                                       return std::move(scheduler_);
                                     });
    }
  }

  void run() {
    current_block = this;
    std::vector<unsigned> order(warps_.size());
    std::iota(order.begin(), order.end(), 0u);
    while (true) {
      std::ranges::shuffle(order, order_random());
      const std::uint64_t before = progress_;
      // Side by side from exchange to exchange, or one far ahead of the others, up to the barrier.
      const bool runs_ahead = order_random()() % 2 == 0;
      for (const unsigned warp : order) {
        std::uint64_t before_turn = 0;
        do {
          before_turn = progress_;
          run_warp(warp);
        } while (runs_ahead && progress_ != before_turn);
      }
      if (count_of(FibreState::kEnded) == fibres_.size()) break;
      if (progress_ != before) continue;
      if (count_of(FibreState::kInExchange) > 0) fail("lanes of a warp wait for others");
      release_barrier();
    }
    current_block = nullptr;
  }

  void* shared(const void* site, std::size_t bytes) {
    std::unique_ptr<std::byte[]>& memory = shared_[site];
    if (memory == nullptr) memory = poisoned(bytes);
    return memory.get();
  }
  void* dynamic_shared() { return shared(this, dynamic_bytes_); }

  void barrier() { wait_as(FibreState::kAtBarrier); }

  HostWarpWords exchange(unsigned mask, std::uint64_t word) {
    const unsigned number = train::cuda::host_thread_number();
    const unsigned lane = number % kLanes;
    Warp& warp = warps_[number / kLanes];
    WarpRound& round = warp.rounds[warp.next_round[lane]++ % 2];
    round.words.of_lane[lane] = word;
    round.arrived |= 1u << lane;
    ++progress_;
    while ((round.arrived & mask) != mask) wait_as(FibreState::kInExchange);
    const HostWarpWords words = round.words;
    round.left |= 1u << lane;
    if (round.left == round.arrived) round = {};
    return words;
  }

  static BlockRun* current_block;

 private:
  static context::pooled_fixedsize_stack& stacks() {
    static context::pooled_fixedsize_stack pool(kStackBytes);
    return pool;
  }

  static std::unique_ptr<std::byte[]> poisoned(std::size_t bytes) {
    auto memory = std::make_unique_for_overwrite<std::byte[]>(bytes);
    std::memset(memory.get(), 0xFF, bytes);  // NaN in every type
    return memory;
  }

  void run_warp(unsigned warp) {
    const unsigned begin = warp * kLanes;
    const unsigned end = std::min<unsigned>(begin + kLanes, static_cast<unsigned>(fibres_.size()));
    for (unsigned i = begin; i < end; ++i) {
      Fibre& fibre = fibres_[i];
      if (fibre.state != FibreState::kReady && fibre.state != FibreState::kInExchange) continue;
      const bool was_waiting = fibre.state == FibreState::kInExchange;
      threadIdx = fibre.idx;
      running_ = &fibre;
      fibre.state = FibreState::kReady;
      fibre.context = std::move(fibre.context).resume();
      if (!was_waiting || fibre.state != FibreState::kInExchange) ++progress_;
    }
  }

  void wait_as(FibreState state) {
    Fibre& fibre = *running_;
    fibre.state = state;
    scheduler_ = std::move(scheduler_).resume();
  }

  void release_barrier() {
    for (Fibre& fibre : fibres_) {
      if (fibre.state == FibreState::kAtBarrier) fibre.state = FibreState::kReady;
    }
  }

  std::size_t count_of(FibreState state) const {
    return static_cast<std::size_t>(std::ranges::count(fibres_, state, &Fibre::state));
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw std::logic_error("kernel " + std::string(name_) + ": " + what + " that never come");
  }

  const char* name_;
  std::size_t dynamic_bytes_;
  std::vector<Fibre> fibres_;
  std::vector<Warp> warps_;
  std::unordered_map<const void*, std::unique_ptr<std::byte[]>> shared_;
  context::fiber scheduler_;
  Fibre* running_ = nullptr;
  std::uint64_t progress_ = 0;
};

BlockRun* BlockRun::current_block = nullptr;

void run_launch(const HostLaunch& launch, const std::function<void()>& thread) {
  const std::size_t count = std::size_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::shuffle(order, order_random());
  gridDim = launch.grid;
  blockDim = launch.block;
  for (const std::size_t block : order) {
    blockIdx = {static_cast<unsigned>(block % launch.grid.x),
                static_cast<unsigned>(block / launch.grid.x % launch.grid.y),
                static_cast<unsigned>(block / (std::size_t{launch.grid.x} * launch.grid.y))};
    BlockRun(launch, thread).run();
  }
}

/// What CUDA itself refuses, on every device of the targets.
bool is_too_large(const HostLaunch& launch) {
  const unsigned threads = launch.block.x * launch.block.y * launch.block.z;
  return threads == 0 || threads > 1024 || launch.block.z > 64 || launch.grid.x == 0 ||
         launch.grid.x > 0x7FFFFFFFu || launch.grid.y == 0 || launch.grid.y > 65535 ||
         launch.grid.z == 0 || launch.grid.z > 65535 || launch.shared_bytes > 48 * 1024;
}

}  // namespace

void seed_host_gpu(std::uint64_t seed) {
  order_random().seed(seed);
}

std::uint64_t num_host_launches() {
  return num_launches;
}

HostLaunchTaker::HostLaunchTaker(Take take)
    : before_(std::exchange(launch_taker(), std::move(take))) {}

HostLaunchTaker::~HostLaunchTaker() {
  launch_taker() = std::move(before_);
}

}  // namespace penstock::tests

namespace penstock::train::cuda {

using tests::BlockRun;

DeviceStatus host_launch(const HostLaunch& launch, Stream stream, std::function<void()> thread) {
  if (tests::is_too_large(launch)) {
    return {.code = 9,
            .call = launch.name,
            .name = "cudaErrorInvalidConfiguration",
            .text = "invalid configuration argument"};
  }
  ++tests::num_launches;
  if (!tests::launch_taker()) {
    tests::run_launch(launch, thread);
    return {};
  }
  tests::launch_taker()(
      stream, [launch, thread = std::move(thread)] { tests::run_launch(launch, thread); });
  return {};
}

void* host_shared(const void* site, std::size_t bytes) {
  return BlockRun::current_block->shared(site, bytes);
}
void* host_dynamic_shared() {
  return BlockRun::current_block->dynamic_shared();
}
void host_barrier() {
  BlockRun::current_block->barrier();
}
HostWarpWords host_warp_exchange(unsigned mask, std::uint64_t word) {
  return BlockRun::current_block->exchange(mask, word);
}

}  // namespace penstock::train::cuda
