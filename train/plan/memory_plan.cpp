#include "train/plan/memory_plan.h"

#include <algorithm>
#include <bit>
#include <map>
#include <numeric>
#include <set>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

std::size_t checked_add(std::size_t a, std::size_t b) {
  std::size_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  throw Error(ErrorCode::kOutOfMemory, "memory plan: expected at most " + std::to_string(SIZE_MAX) +
                                           " bytes, found " + std::to_string(a) + " + " +
                                           std::to_string(b));
}

std::size_t align_up(std::size_t value, std::size_t align) {
  return checked_add(value, align - 1) / align * align;
}

void check_buffer(const Buffer& buffer) {
  if (!std::has_single_bit(buffer.align)) {
    throw Error(ErrorCode::kInvalidArgument, "memory plan: " + buffer.name +
                                                 ": align: expected a power of two, found " +
                                                 std::to_string(buffer.align));
  }
  if (buffer.first_step > buffer.last_step) {
    throw Error(ErrorCode::kInvalidArgument, "memory plan: " + buffer.name +
                                                 ": expected a first step up to " +
                                                 std::to_string(buffer.last_step) + ", found " +
                                                 std::to_string(buffer.first_step));
  }
}

struct SharedPlace {
  std::size_t offset = 0;
  std::size_t bytes = 0;
  std::size_t align = 1;
};

using SharedPlaces = std::map<std::string, SharedPlace, std::less<>>;

/// Lays the persistent buffers of all programs one behind the other; returns where they end.
std::size_t place_persistent(std::span<const std::span<const Buffer>> programs,
                             SharedPlaces& places) {
  std::vector<SharedPlace*> order;
  for (const auto& buffers : programs) {
    std::set<std::string_view> names;
    for (const Buffer& buffer : buffers) {
      if (!is_persistent(buffer.role)) continue;
      if (!names.insert(buffer.name).second) {
        throw Error(ErrorCode::kInvalidArgument,
                    "memory plan: " + buffer.name +
                        ": expected one buffer of that name in a program, found two");
      }
      auto [at, is_new] = places.try_emplace(buffer.name);
      at->second.bytes = std::max(at->second.bytes, buffer.bytes);
      at->second.align = std::max(at->second.align, buffer.align);
      if (is_new) order.push_back(&at->second);
    }
  }
  std::size_t end = 0;
  for (SharedPlace* place : order) {
    place->offset = align_up(end, place->align);
    end = checked_add(place->offset, place->bytes);
  }
  return end;
}

bool are_alive_together(const Buffer& a, const Buffer& b) {
  return a.first_step <= b.last_step && b.first_step <= a.last_step;
}

/// Finds the lowest offset at which `buffer` overlaps none of the placed ones that live with it.
/// `placed` is sorted by offset.
std::size_t lowest_free(const Buffer& buffer, std::span<const Buffer> buffers,
                        std::span<const std::size_t> placed, std::span<const std::size_t> offsets) {
  std::size_t offset = 0;
  for (const std::size_t other_idx : placed) {
    const Buffer& other = buffers[other_idx];
    if (other.bytes == 0 || !are_alive_together(buffer, other)) continue;
    if (checked_add(offset, buffer.bytes) <= offsets[other_idx]) break;
    offset = std::max(offset, align_up(checked_add(offsets[other_idx], other.bytes), buffer.align));
  }
  return offset;
}

/// Places one program's passing buffers from 0 on by falling size; returns the bytes they need.
/// Source  Pisarchyk and Lee, Efficient memory management for deep neural net inference (2020),
///         "greedy by size"
std::size_t place_passing(std::span<const Buffer> buffers, std::span<std::size_t> offsets) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    if (!is_persistent(buffers[i].role)) order.push_back(i);
  }
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [&](std::size_t i) { return buffers[i].bytes; });
  std::vector<std::size_t> placed;
  std::size_t end = 0;
  for (const std::size_t i : order) {
    offsets[i] = lowest_free(buffers[i], buffers, placed, offsets);
    end = std::max(end, checked_add(offsets[i], buffers[i].bytes));
    placed.insert(
        std::ranges::upper_bound(placed, offsets[i], {}, [&](std::size_t j) { return offsets[j]; }),
        i);
  }
  return end;
}

std::vector<RoleBytes> bytes_by_role(std::span<const std::span<const Buffer>> programs,
                                     const SharedPlaces& places) {
  std::map<Role, RoleBytes> roles;
  std::map<std::string_view, Role> shared;
  for (const auto& buffers : programs) {
    for (const Buffer& buffer : buffers) {
      std::size_t bytes = buffer.bytes;
      if (is_persistent(buffer.role)) {
        if (!shared.emplace(buffer.name, buffer.role).second) continue;
        bytes = places.at(buffer.name).bytes;
      }
      RoleBytes& sum = roles.try_emplace(buffer.role, RoleBytes{buffer.role}).first->second;
      ++sum.num_buffers;
      sum.bytes = checked_add(sum.bytes, bytes);
    }
  }
  std::vector<RoleBytes> list;
  for (const auto& [role, sum] : roles) list.push_back(sum);
  return list;
}

}  // namespace

std::string_view role_name(Role role) {
  switch (role) {
    case Role::kMaster:
      return "parameters";
    case Role::kState:
      return "optimizer state";
    case Role::kDerived:
      return "parameter copies";
    case Role::kStats:
      return "running statistics";
    case Role::kGradSum:
      return "added gradients";
    case Role::kInput:
      return "input slots";
    case Role::kGrad:
      return "gradients";
    case Role::kSaved:
      return "saved activations";
    case Role::kTransient:
      return "transient";
    case Role::kWorkspace:
      return "workspace";
  }
  return "unknown";
}

MemoryPlan plan_memory(std::span<const std::span<const Buffer>> programs) {
  std::size_t align = 1;
  for (const auto& buffers : programs) {
    for (const Buffer& buffer : buffers) {
      check_buffer(buffer);
      align = std::max(align, buffer.align);
    }
  }
  MemoryPlan plan;
  SharedPlaces places;
  plan.persistent_bytes = align_up(place_persistent(programs, places), align);
  for (const auto& buffers : programs) {
    std::vector<std::size_t>& offsets = plan.offsets.emplace_back(buffers.size());
    plan.passing_bytes = std::max(plan.passing_bytes, place_passing(buffers, offsets));
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      if (is_persistent(buffers[i].role)) {
        offsets[i] = places.find(buffers[i].name)->second.offset;
      } else {
        offsets[i] = checked_add(offsets[i], plan.persistent_bytes);
      }
    }
  }
  plan.arena_bytes = checked_add(plan.persistent_bytes, plan.passing_bytes);
  plan.roles = bytes_by_role(programs, places);
  return plan;
}

}  // namespace penstock::train
