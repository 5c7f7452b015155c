// Batches on their way to a device that takes its time: nothing is read after it went back, nothing is written
// over while it is computed from.
#include "train/backend/cuda/device_inputs.h"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <memory>
#include <vector>

#include "streamer/core/error.h"
#include "tests/train/backend/cuda/stand_in/stand_in_device.h"

namespace penstock::train::cuda {
namespace {

using penstock::tests::StandInDevice;

/// Takes batches back, and spoils them, as a loader that fills them anew would.
struct Source : LeaseOwner {
  static constexpr std::size_t kSlots = 3;

  BatchSpec spec{
      .batch = 4, .height_px = 2, .width_px = 2, .channels = 3, .element = ElementType::kUint8};
  std::vector<std::vector<std::byte>> pixels =
      std::vector<std::vector<std::byte>>(kSlots, std::vector<std::byte>(48));
  std::vector<std::uint32_t> labels = std::vector<std::uint32_t>(4);
  std::vector<float> weights = std::vector<float>(4, 1.0f);
  std::vector<bool> is_lent = std::vector<bool>(kSlots);
  int num_given_back = 0;

  void give_back(std::uint32_t slot) noexcept override {
    std::ranges::fill(pixels[slot], std::byte{0xEE});
    is_lent[slot] = false;
    ++num_given_back;
  }
};

struct Fixture {
  std::shared_ptr<Source> source = std::make_shared<Source>();

  /// A batch whose pixels are all `number`, in a slot that is free.
  BatchLease batch(std::uint8_t number) {
    for (std::uint32_t slot = 0; slot < Source::kSlots; ++slot) {
      if (source->is_lent[slot]) continue;
      source->is_lent[slot] = true;
      std::ranges::fill(source->pixels[slot], std::byte{number});
      std::ranges::fill(source->labels, number);
      BatchView view;
      view.spec = &source->spec;
      view.pixels = source->pixels[slot].data();
      view.class_idx = source->labels;
      view.weights = source->weights;
      view.num_valid = 4;
      return {view, source, slot};
    }
    BOOST_FAIL("no slot of the source is free: leases are held for too long");
    return {};
  }
};

/// A compute stream that adds up what it finds in the first pixel and the first label.
struct Computer {
  StandInDevice& device;
  Stream stream = nullptr;
  std::vector<int> pixels{};
  std::vector<std::uint32_t> labels{};

  explicit Computer(StandInDevice& on) : device(on) { device.create_stream(&stream); }
  void read(DeviceInputs& inputs) {
    inputs.use(0);
    const std::byte* pixel = inputs.view(0).pixels;
    const std::uint32_t* label = inputs.labels(0, 3).class_idx;
    device.enqueue(stream, [this, pixel, label] {
      pixels.push_back(std::to_integer<int>(pixel[47 - 47]));
      labels.push_back(*label);
    });
  }
};

std::vector<std::byte*> ring(DeviceApi& device, std::size_t bytes) {
  void* memory = nullptr;
  device.allocate(2 * bytes, &memory);
  auto* first = static_cast<std::byte*>(memory);
  return {first, first + bytes};
}

struct Run {
  std::vector<int> pixels;
  std::vector<std::uint32_t> labels;
  int num_given_back = 0;
  std::vector<std::string> faults;
};

/// Ten batches, one after the other, each read on the compute stream after it was copied.
Run ten_batches(std::uint64_t seed, bool ignores_waits) {
  Fixture fixture;
  StandInDevice device(seed);
  device.ignores_waits = ignores_waits;
  Run run;
  {
    Computer computer(device);
    DeviceInputs inputs(device, computer.stream);
    const PlaceLayout layout(fixture.source->spec);
    inputs.bind(ring(device, layout.bytes), fixture.source->spec);
    device.forbids_allocation = true;
    for (std::uint8_t number = 1; number <= 10; ++number) {
      inputs.upload(fixture.batch(number), 0);
      computer.read(inputs);
      inputs.release(0);
      inputs.poll();
    }
    device.synchronize(computer.stream);
    inputs.poll();
    run = {computer.pixels, computer.labels, fixture.source->num_given_back, device.faults()};
  }
  return run;
}

BOOST_AUTO_TEST_SUITE(device_inputs)

BOOST_AUTO_TEST_CASE(every_batch_is_read_whole_whatever_the_order_of_streams) {
  const std::vector<int> expected = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      const Run run = ten_batches(seed, false);
      BOOST_TEST(run.pixels == expected, boost::test_tools::per_element());
      BOOST_TEST(run.labels == (std::vector<std::uint32_t>(expected.begin(), expected.end())),
                 boost::test_tools::per_element());
      BOOST_TEST(run.num_given_back == 10);
      BOOST_TEST(run.faults.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_device_whose_streams_wait_for_nothing_gives_wrong_numbers) {
  const std::vector<int> expected = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  int num_wrong = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    num_wrong += ten_batches(seed, true).pixels == expected ? 0 : 1;
  }
  BOOST_TEST(num_wrong > 40);
}

BOOST_FIXTURE_TEST_CASE(a_lease_goes_back_when_its_copy_is_done_and_not_before, Fixture) {
  StandInDevice device(1);
  Computer computer(device);
  DeviceInputs inputs(device, computer.stream);
  inputs.bind(ring(device, PlaceLayout(source->spec).bytes), source->spec);
  inputs.upload(batch(1), 0);
  BOOST_TEST(inputs.num_held() == 1u);
  for (int i = 0; i < 100 && inputs.num_held() > 0; ++i) inputs.poll();
  BOOST_TEST(inputs.num_held() == 0u);
  BOOST_TEST(source->num_given_back == 1);
  // Its labels are still there for the host, its pixels for the device.
  BOOST_TEST(inputs.view(0).class_idx[2] == 1u);
  computer.read(inputs);
  device.synchronize(computer.stream);
  BOOST_TEST(computer.pixels == std::vector<int>{1}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(batches_that_do_not_fit_are_refused, Fixture) {
  StandInDevice device(1);
  Computer computer(device);
  DeviceInputs inputs(device, computer.stream);
  BatchSpec smaller = source->spec;
  smaller.batch = 3;
  inputs.bind(ring(device, PlaceLayout(smaller).bytes), smaller);
  const auto is_refusal = [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument;
  };
  source->spec.batch = 100;
  BOOST_CHECK_EXCEPTION(inputs.upload(batch(1), 0), Error, is_refusal);
  BOOST_CHECK_EXCEPTION(inputs.upload({}, 0), Error, is_refusal);
  BOOST_CHECK_EXCEPTION(inputs.upload({}, 8), Error, is_refusal);
  BOOST_CHECK_EXCEPTION(inputs.view(0), Error, is_refusal);
  BOOST_TEST(source->num_given_back == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
