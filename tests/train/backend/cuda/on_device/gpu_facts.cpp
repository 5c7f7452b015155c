// What a GPU is and how fast batches reach it, as JSON: the first things that tools/gpu_check.sh asks.
//
//   gpu_facts device      properties as cuDNN takes them of a device that is not here; asks the driver alone
//   gpu_facts bandwidth   batches of bytes through the backend beside plain copies of page-locked memory
//
// Ends with 77 where there is no device.
#include <dlfcn.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "streamer/core/error.h"
#include "tests/train/backend/cuda/on_device/device_under_test.h"
#include "tests/train/backend/cuda/on_device/json_number.h"
#include "train/backend/cuda/device_handles.h"

namespace penstock::tests {
namespace {

constexpr int kSkipped = 77;

/// Source  cuda.h 13.0, CUdevice_attribute; names as nlohmann's of cudnn_frontend's DeviceProperties
struct Attribute {
  const char* name;
  int number;
};
constexpr Attribute kAttributes[] = {{"computeCapabilityMajor", 75},
                                     {"computeCapabilityMinor", 76},
                                     {"multiProcessorCount", 16},
                                     {"warpSize", 10},
                                     {"maxThreadsPerBlock", 1},
                                     {"maxThreadsPerSM", 39},
                                     {"maxCtasPerSM", 106},
                                     {"maxBlockSizeX", 2},
                                     {"maxBlockSizeY", 3},
                                     {"maxBlockSizeZ", 4},
                                     {"maxGridSizeX", 5},
                                     {"maxGridSizeY", 6},
                                     {"maxGridSizeZ", 7},
                                     {"regsPerBlock", 12},
                                     {"maxRegistersPerSM", 82},
                                     {"maxSharedMemoryPerBlock", 8},
                                     {"maxSharedMemoryPerBlockOptin", 97},
                                     {"maxSharedMemoryPerSM", 81},
                                     {"reservedSharedMemoryPerBlock", 111},
                                     {"smClockRateKHz", 13},
                                     {"memClockRateKHz", 36},
                                     {"memoryBusBits", 37},
                                     {"l2CacheSize", 38},
                                     {"pciDeviceId", 34},
                                     {"integrated", 18},
                                     {"unifiedAddressing", 41},
                                     {"hostPointerIsDevicePointer", 91}};

template <class Function>
Function* driver_function(void* driver, const char* name) {
  return reinterpret_cast<Function*>(dlsym(driver, name));
}

int print_device() {
  void* const driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (driver == nullptr) {
    std::printf("SKIPPED: gpu_facts: %s\n", dlerror());
    return kSkipped;
  }
  const auto init = driver_function<int(unsigned)>(driver, "cuInit");
  const auto version = driver_function<int(int*)>(driver, "cuDriverGetVersion");
  const auto device = driver_function<int(int*, int)>(driver, "cuDeviceGet");
  const auto name = driver_function<int(char*, int, int)>(driver, "cuDeviceGetName");
  const auto memory = driver_function<int(std::size_t*, int)>(driver, "cuDeviceTotalMem_v2");
  const auto attribute = driver_function<int(int*, int, int)>(driver, "cuDeviceGetAttribute");
  int idx = 0;
  if (init == nullptr || init(0) != 0 || device(&idx, 0) != 0) {
    std::printf("SKIPPED: gpu_facts: the driver finds no device\n");
    return kSkipped;
  }
  int number = 0;
  version(&number);
  std::array<char, 256> text{};
  name(text.data(), static_cast<int>(text.size()), idx);
  std::size_t bytes = 0;
  memory(&bytes, idx);
  std::printf("FIGURES: {\"deviceName\": \"%s\", \"driverVer\": %d, \"totalGlobalMem\": %zu",
              text.data(), number, bytes);
  for (const Attribute& wanted : kAttributes) {
    int value = 0;
    if (attribute(&value, wanted.number, idx) == 0) {
      std::printf(", \"%s\": %d", wanted.name, value);
    }
  }
  std::printf("}\n");
  return 0;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Bytes a second of copies of that size from page-locked memory, one after the other.
double plain_bandwidth(const DeviceUnderTest& device, std::size_t bytes, unsigned num_copies) {
  const auto from = train::cuda::allocate_pinned(device.api(), bytes);
  const auto to = train::cuda::allocate_on_device(device.api(), bytes);
  std::memset(from.get(), 1, bytes);
  const auto copy = [&] {
    train::cuda::check_device(
        device.api().copy_to_device(to.get(), from.get(), bytes, device.stream()));
  };
  copy();
  train::cuda::check_device(device.api().synchronize(device.stream()));
  const auto start = std::chrono::steady_clock::now();
  for (unsigned i = 0; i < num_copies; ++i) copy();
  train::cuda::check_device(device.api().synchronize(device.stream()));
  return static_cast<double>(bytes) * num_copies / seconds_since(start);
}

struct CountingOwner : LeaseOwner {
  void give_back(std::uint32_t) noexcept override { ++num_back; }
  std::atomic<unsigned> num_back = 0;
};

/// The same of batches that are uploaded, until the last lease is back.
double upload_bandwidth(const DeviceUnderTest& device, std::uint32_t batch, unsigned num_batches) {
  train::ModelGraph graph("bare", {3, 224, 224});
  graph.set_output(graph.dense("head", graph.global_avg_pool("pool", graph.input()), {.units = 2}));
  const auto backend = device.backend({.batch_element = ElementType::kUint8});
  const auto program = backend->lower(graph, {.batch = batch, .mode = train::Mode::kEvaluate});
  const std::vector<train::Program*> programs{program.get()};
  const train::BoundArena arena(*backend, programs, train::plan_programs(programs));
  const BatchSpec spec = backend->input_spec(graph, batch);
  const auto memory = backend->batch_memory();
  void* const pixels = memory->allocate(spec.pixels_bytes());
  const std::vector<std::uint32_t> labels(batch);
  const std::vector<float> weights(batch, 1.0f);
  const auto owner = std::make_shared<CountingOwner>();
  const auto upload = [&](unsigned i) {
    BatchView view;
    view.spec = &spec;
    view.pixels = static_cast<const std::byte*>(pixels);
    view.class_idx = labels;
    view.weights = weights;
    view.num_valid = batch;
    backend->upload(BatchLease(view, owner, 0), i % 2);
    backend->release(i % 2);
  };
  upload(0);
  upload(1);
  while (owner->num_back < 2) backend->finish();
  const auto start = std::chrono::steady_clock::now();
  for (unsigned i = 0; i < num_batches; ++i) upload(i);
  while (owner->num_back < 2 + num_batches) backend->finish();
  const double per_s =
      static_cast<double>(spec.pixels_bytes()) * num_batches / seconds_since(start);
  memory->free(pixels, spec.pixels_bytes());
  return per_s;
}

int print_bandwidth() {
  const DeviceUnderTest& device = DeviceUnderTest::get();
  if (!device.is_there("bandwidth")) return kSkipped;
  const std::uint32_t batch = device.is_stand_in() ? 2 : 256;
  const std::size_t batch_bytes = std::size_t{batch} * 3 * 224 * 224;
  const unsigned num_copies = device.is_stand_in() ? 2 : 50;
  const double large =
      device.is_stand_in() ? 0 : plain_bandwidth(device, std::size_t{256} << 20, 20);
  const double plain = plain_bandwidth(device, batch_bytes, num_copies);
  const double uploaded = upload_bandwidth(device, batch, num_copies);
  std::printf(
      "FIGURES: {\"plain_256_mib_bytes_per_s\": %s, \"plain_batch_bytes_per_s\": %s, "
      "\"uploaded_batch_bytes_per_s\": %s, \"share_of_plain\": %s, \"bar\": 0.9}\n",
      json_number(large).c_str(), json_number(plain).c_str(), json_number(uploaded).c_str(),
      json_number(uploaded / plain).c_str());
  return 0;
}

}  // namespace
}  // namespace penstock::tests

int main(int argc, char** argv) {
  const std::string_view what = argc == 2 ? argv[1] : "";
  try {
    if (what == "device") return penstock::tests::print_device();
    if (what == "bandwidth") return penstock::tests::print_bandwidth();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_facts: error: %s\n", error.what());
    return 1;
  }
  std::fprintf(stderr, "usage: gpu_facts device|bandwidth\n");
  return 2;
}
