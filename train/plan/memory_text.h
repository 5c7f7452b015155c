// A memory plan's rows in words, for screens and refusals.
#pragma once

#include <span>
#include <string>

#include "train/plan/memory_plan.h"

namespace penstock::train {

/// "parameters 42.7 MiB, optimizer states 42.7 MiB": what stays from step to step, by role; roles of no
/// bytes are left out; "nothing" when all are.
std::string kept_text(std::span<const RoleBytes> roles);

/// "saved activations 1.2 GiB, gradients 42.7 MiB": what lives within a step. Their sum is more than
/// passing_bytes: what lives at other times shares places.
std::string passing_text(std::span<const RoleBytes> roles);

}  // namespace penstock::train
