// What the planner knows of a program: buffers with sizes and lifetimes. Nothing of what is in
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::train {

enum class Role : std::uint8_t {
  kMaster,     // a parameter
  kState,      // the optimizer's state of a parameter
  kDerived,    // a copy of a parameter in another layout or type
  kStats,      // running statistics
  kGradSum,    // a gradient of a parameter that several runs add to
  kInput,      // an input slot
  kGrad,       // a gradient of a parameter
  kSaved,      // written by the forward pass, read by the backward pass
  kTransient,  // any other intermediate value
  kWorkspace,  // scratch of one operation
};

/// True for roles that outlive a step: programs that name the same buffer share its place.
constexpr bool is_persistent(Role role) {
  return role <= Role::kInput;
}

std::string_view role_name(Role role);

/// Memory that a program asks for.
struct Buffer {
  std::string name;  // unique among the program's buffers; decides sharing of persistent ones
  Role role = Role::kTransient;
  std::size_t bytes = 0;
  std::size_t align = 64;  // a power of two
  /// Steps of the program in which the buffer holds something, both included; all of them when
  /// it is persistent.
  std::uint32_t first_step = 0;
  std::uint32_t last_step = 0;
};

}  // namespace penstock::train
