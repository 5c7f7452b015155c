#include "train/run/memory/device_memory.h"

#include <algorithm>

#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"

namespace penstock::train {
namespace {

constexpr const char* kNetwork = "network and its activations";
constexpr std::uint64_t kMaxWorkspaceBytes = std::uint64_t{256} << 20;

}  // namespace

std::uint64_t workspace_cap_bytes(std::uint64_t asked_bytes) {
  return asked_bytes == 0 ? kMaxWorkspaceBytes : std::min(asked_bytes / 8, kMaxWorkspaceBytes);
}

std::optional<DeviceLimit> device_limit(const Backend& backend, std::uint64_t asked_bytes) {
  const std::optional<DeviceRoom> room = backend.device_room();
  if (!room) return std::nullopt;
  return DeviceLimit{
      .limit_bytes = asked_bytes > 0 ? asked_bytes : room->free_bytes - room->free_bytes / 10,
      .free_bytes = room->free_bytes,
      .workspace_cap_bytes = workspace_cap_bytes(asked_bytes)};
}

std::string device_note(const DeviceLimit& limit) {
  if (limit.limit_bytes <= limit.free_bytes) return {};
  return "memory: the GPU's limit of " + format_bytes(limit.limit_bytes) + " is above the " +
         format_bytes(limit.free_bytes) + " that are free there";
}

void draw_arena(const MemoryPlan& plan, const std::optional<DeviceLimit>& device,
                MemoryTable& memory) {
  if (!device) return memory.draw(plan.arena_bytes, kNetwork);
  if (plan.arena_bytes <= device->limit_bytes) return;
  const SizeTexts sizes = format_bytes_apart(plan.arena_bytes, device->limit_bytes);
  throw Error(ErrorCode::kOutOfMemory,
              std::string("memory: ") + kNetwork + ": expected at most " + sizes.there +
                  " on the GPU, found " + sizes.needed,
              "--memory-gpu " + std::to_string((plan.arena_bytes >> 20) + 1) +
                  "M, where the GPU has so much; or --device cpu");
}

}  // namespace penstock::train
