#include "streamer/read/read_picture.h"

#include <cstring>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/host_memory.h"
#include "streamer/core/memory_budget.h"
#include "streamer/read/decode_sample.h"
#include "streamer/read/run_layout.h"
#include "streamer/read/sample_reader.h"
#include "streamer/shard/damaged_data.h"

namespace penstock {
namespace {

SampleTask whole_picture(const StoredSample& sample, const PictureRequest& request) {
  const IndexRecord& record = sample.record();
  SampleTask task;
  task.record = record;
  task.shard = &sample.shard();
  task.request = {.region = {0, 0, record.width_px, record.height_px},
                  .decode_scale = 1,
                  .channels = request.channels};
  task.price = decode_price(stored_info(record), task.request);
  return task;
}

void check_fits(const StoredSample& sample, std::uint64_t needed_bytes, std::uint64_t max_bytes) {
  if (needed_bytes <= max_bytes) return;
  const SizeTexts texts = format_bytes_apart(needed_bytes, max_bytes);
  throw Error(ErrorCode::kOutOfMemory,
              "read picture: " + sample.place() + ": expected at most " + texts.there +
                  " (max_bytes), found " + texts.needed,
              "raise PictureRequest::max_bytes");
}

void throw_fault(const StoredSample& sample, const SampleFault& fault) {
  if (fault.status != SampleStatus::kUnsupported) {
    throw Error(ErrorCode::kCorruptData,
                "shard: " + sample.place() + ": " + std::string(fault.detail()),
                shard_damage_hint(sample.shard().path()));
  }
  throw Error(ErrorCode::kUnsupported,
              "read picture: " + sample.place() + ": " + std::string(fault.detail()),
              "read_bytes() still gives its encoded bytes");
}

}  // namespace

void PictureRequest::validate() const {
  if (channels == 1 || channels == 3) return;
  throw Error(ErrorCode::kInvalidArgument,
              "read picture: channels: expected 1 or 3, found " + std::to_string(channels));
}

Picture read_picture(const StoredSample& sample, const PictureRequest& request) {
  request.validate();
  SampleTask task = whole_picture(sample, request);
  const SampleRun run{.tasks = {&task, 1}};
  const std::uint64_t block_bytes = run_layout(run.tasks).total_bytes();
  check_fits(sample, block_bytes + task.price.decoded_bytes, request.max_bytes);
  const HostBuffer block(page_aligned_memory(), block_bytes);
  StreamHasher hasher;
  read_run(run, block.bytes(), hasher, {});
  RunParts parts(run.tasks, block.bytes());
  DecoderSet decoders;
  decode_sample(task, parts.next_encoded(task), parts, decoders, {});
  if (task.fault.status != SampleStatus::kOk) throw_fault(sample, task.fault);

  const ImageView& decoded = task.decoded.image;
  Picture picture{.pixels_hwc = {},
                  .width_px = decoded.width_px,
                  .height_px = decoded.height_px,
                  .channels = request.channels,
                  .orientation = sample.record().orientation};
  const std::size_t row_bytes = picture.view().row_stride_bytes;
  check_internal(decoded.pixel_stride_bytes == request.channels, "pixels without gaps");
  picture.pixels_hwc.resize(row_bytes * decoded.height_px);
  for (std::uint32_t y = 0; y < decoded.height_px; ++y) {
    std::memcpy(&picture.pixels_hwc[y * row_bytes], decoded.row(y), row_bytes);
  }
  return picture;
}

}  // namespace penstock
