// Places for buffers in one arena: those alive at the same time never overlap. Knows nothing of
// backends or of what buffers hold.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "train/plan/buffer.h"

namespace penstock::train {

/// Bytes of one role, for the memory table.
struct RoleBytes {
  Role role = Role::kTransient;
  std::size_t num_buffers = 0;
  std::size_t bytes = 0;  // sum of the sizes, before places are shared
};

struct MemoryPlan {
  std::size_t arena_bytes = 0;
  std::size_t persistent_bytes = 0;  // parameters, state, statistics, input slots
  std::size_t passing_bytes = 0;     // everything that lives within one step of one program
  /// offsets[p][b]: place of buffer b of program p.
  std::vector<std::vector<std::size_t>> offsets;
  std::vector<RoleBytes> roles;
};

/// Gives every buffer of every program a place.
///
/// Persistent buffers of the same name share one place, as large as the largest of them. The
/// others of all programs share one region, since one program runs at a time: the largest
/// program's need. Within it buffers are placed by falling size at the lowest free offset.
/// Errors  InvalidArgument for a buffer whose alignment is no power of two or whose steps run
///         backwards, and for two persistent ones of one name in a program; OutOfMemory when
///         sizes do not add up within 64 bits
MemoryPlan plan_memory(std::span<const std::span<const Buffer>> programs);

}  // namespace penstock::train
