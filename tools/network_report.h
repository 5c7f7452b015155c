// A network's memory plan as text and as JSON.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "train/run/network_plan.h"

namespace penstock::tools {

/// What it draws from the run's limit beside the loaders: arena and bookkeeping.
std::uint64_t held_bytes(const train::NetworkPlan& plan);

/// "resnet18, 11,181,642 parameters, batch 32".
std::string network_detail(const train::NetworkPlan& plan);

/// Lines by role, what they come to in the arena, and how the step was made to fit; no end of line.
std::string network_text(const train::NetworkPlan& plan);

/// A list of what each role takes.
nlohmann::ordered_json roles_json(std::span<const train::RoleBytes> roles);

nlohmann::ordered_json network_json(const train::NetworkPlan& plan);

}  // namespace penstock::tools
