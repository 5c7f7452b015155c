#include "train/backend/cuda/device_transfer.h"

#include <algorithm>
#include <cstring>

namespace penstock::train::cuda {
namespace {

/// Large enough for full speed, small beside everything else.
constexpr std::size_t kPieceBytes = std::size_t{4} << 20;

}  // namespace

DeviceTransfer::DeviceTransfer(DeviceApi& api, Stream stream)
    : api_(api), stream_(stream), piece_(allocate_pinned(api, kPieceBytes)) {}

void DeviceTransfer::to_device(void* to, const void* from, std::size_t bytes) {
  for (std::size_t done = 0; done < bytes; done += kPieceBytes) {
    const std::size_t count = std::min(kPieceBytes, bytes - done);
    std::memcpy(piece_.get(), static_cast<const std::byte*>(from) + done, count);
    check_device(
        api_.copy_to_device(static_cast<std::byte*>(to) + done, piece_.get(), count, stream_));
    check_device(api_.synchronize(stream_));
  }
}

void DeviceTransfer::to_host(void* to, const void* from, std::size_t bytes) {
  for (std::size_t done = 0; done < bytes; done += kPieceBytes) {
    const std::size_t count = std::min(kPieceBytes, bytes - done);
    check_device(api_.copy_to_host(piece_.get(), static_cast<const std::byte*>(from) + done, count,
                                   stream_));
    check_device(api_.synchronize(stream_));
    std::memcpy(static_cast<std::byte*>(to) + done, piece_.get(), count);
  }
}

}  // namespace penstock::train::cuda
