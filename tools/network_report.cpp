#include "tools/network_report.h"

#include <fmt/core.h>

#include "streamer/core/memory_budget.h"
#include "tools/terminal.h"

namespace penstock::tools {
namespace {

using Json = nlohmann::ordered_json;

std::string line(std::string_view what, std::uint64_t bytes, const std::string& detail = {}) {
  return fmt::format("\n  {:<18}{:>12}{}{}", what, format_bytes(bytes), detail.empty() ? "" : "  ",
                     detail);
}

}  // namespace

std::uint64_t held_bytes(const train::NetworkPlan& plan) {
  return (plan.gpu_limit_bytes ? 0 : plan.memory.arena_bytes) + plan.bookkeeping_bytes;
}

std::string network_detail(const train::NetworkPlan& plan) {
  return fmt::format("{}, {} parameters, batch {}", printable(plan.config.model),
                     format_count(plan.num_params), format_count(plan.batch.step_samples));
}

std::string network_text(const train::NetworkPlan& plan) {
  const train::MemoryPlan& memory = plan.memory;
  std::string text = "network " + network_detail(plan) + ", " + plan.backend;
  for (const train::RoleBytes& role : memory.roles) {
    text += line(train::role_name(role.role), role.bytes,
                 train::is_persistent(role.role)
                     ? ""
                     : "of all programs; what lives at other times shares places");
  }
  text += line("kept", memory.persistent_bytes, "from step to step");
  text += line("passing", memory.passing_bytes, "at most, within a step");
  text += line("bookkeeping", plan.bookkeeping_bytes, "tally, metrics, copy for checkpoints");
  if (plan.gpu_limit_bytes) {
    text += line("on the GPU", memory.arena_bytes,
                 "of " + format_bytes(*plan.gpu_limit_bytes) + ", beside what CUDA takes");
  }
  text += line("network", held_bytes(plan));
  text += "\nfits    " + (plan.batch_note.empty() ? "as it is: nothing is cut or computed again"
                                                  : plan.batch_note);
  return text;
}

Json roles_json(std::span<const train::RoleBytes> roles) {
  Json json = Json::array();
  for (const train::RoleBytes& role : roles) {
    json.push_back({{"role", train::role_name(role.role)},
                    {"is_kept", train::is_persistent(role.role)},
                    {"num_buffers", role.num_buffers},
                    {"bytes", role.bytes}});
  }
  return json;
}

Json network_json(const train::NetworkPlan& plan) {
  const train::MemoryPlan& memory = plan.memory;
  return {{"model", plan.config.model},
          {"num_params", plan.num_params},
          {"backend", plan.backend},
          {"step_samples", plan.batch.step_samples},
          {"micro_batch", plan.batch.micro_batch},
          {"delivered_batch", plan.batch.lease_batch},
          {"recompute", train::recompute_name(plan.batch.recompute)},
          {"note", plan.batch_note},
          {"roles", roles_json(memory.roles)},
          {"kept_bytes", memory.persistent_bytes},
          {"passing_bytes", memory.passing_bytes},
          {"arena_bytes", memory.arena_bytes},
          {"bookkeeping_bytes", plan.bookkeeping_bytes},
          {"gpu_limit_bytes", plan.gpu_limit_bytes ? Json(*plan.gpu_limit_bytes) : Json(nullptr)},
          {"total_bytes", held_bytes(plan)}};
}

}  // namespace penstock::tools
