#include "tools/system_report.h"

#include <dnnl.h>
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <xxhash.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "augment/simd_target.h"
#include "streamer/core/memory_budget.h"
#include "streamer/core/usable_cores.h"
#include "tools/build_facts.h"
#include "tools/command_list.h"
#include "tools/cpu_name.h"
#include "train/backend/cuda/cuda_module.h"
#include "train/export/onnx_export.h"
#include "train/run/memory/system_memory.h"

namespace penstock::tools {
namespace {

using NamedValues = std::vector<std::pair<std::string, std::string>>;

// What --simd can be given here, from the widest down.
std::vector<std::string> simd_targets() {
  std::vector<std::string> names;
  for (const augment::SimdTarget& target : augment::simd_targets()) {
    if (target.is_supported) names.push_back(target.name);
  }
  return names;
}

// Asked of the library that is loaded where it can tell, else as found when this was built.
NamedValues library_versions() {
  const dnnl_version_t& dnnl = *dnnl_version();
  const unsigned xxhash = XXH_versionNumber();
  NamedValues versions = conversion_codecs();
  versions.insert(
      versions.end(),
      {{"HDF5", kHdf5Version},
       {"oneTBB", kTbbVersion},
       {"oneDNN", fmt::format("{}.{}.{}", dnnl.major, dnnl.minor, dnnl.patch)},
       {"Highway", kHighwayVersion},
       {"xxHash", fmt::format("{}.{}.{}", xxhash / 10000, xxhash / 100 % 100, xxhash % 100)}});
  return versions;
}

struct SystemFacts {
  NamedValues libraries = library_versions();
  std::string cpu = cpu_name();
  std::vector<std::string> simd = simd_targets();
  std::uint32_t num_cores = num_usable_cores();
  train::SystemMemory memory = train::read_system_memory();
  train::CudaModule cuda = train::CudaModule::open();
};

// 13000 is how CUDA writes 13.0.
std::string cuda_version(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

std::string cuda_text(const train::CudaModule& cuda) {
  if (!cuda.is_loaded()) return fmt::format("none; {}", cuda.reason());
  const std::string versions = fmt::format(
      "CUDA module: runtime {}, driver {}, cuDNN {}", cuda_version(cuda.versions().runtime),
      cuda_version(cuda.versions().driver), cuda.versions().cudnn);
  if (!cuda.has_device()) return fmt::format("{}; no device: {}", versions, cuda.reason());
  return fmt::format("{}; {}", versions, fmt::join(cuda.device_names(), ", "));
}

std::string facts_text(const SystemFacts& facts) {
  std::vector<std::string> libraries;
  for (const auto& [name, version] : facts.libraries) {
    libraries.push_back(fmt::format("{} {}", name, version));
  }
  const std::string cgroup = facts.memory.cgroup_limit_bytes
                                 ? fmt::format("limit of the control group {}",
                                               format_bytes(*facts.memory.cgroup_limit_bytes))
                                 : std::string("no limit of a control group");
  return fmt::format(
      "penstock {}\n"
      "  build      {}, {}\n"
      "  libraries  {}\n"
      "  CPU        {}, {} cores\n"
      "  SIMD       {}\n"
      "  GPU        {}\n"
      "  ONNX       {}\n"
      "  memory     {}, of which {} are available; {}\n"
      "  --memory   {} unless said otherwise",
      kVersion, kBuildType, kCompiler, fmt::join(libraries, ", "), facts.cpu, facts.num_cores,
      fmt::join(facts.simd, " "), cuda_text(facts.cuda),
      train::writes_onnx() ? "written by penstock export" : "none; built without libonnx",
      format_bytes(facts.memory.machine_bytes), format_bytes(facts.memory.available_bytes), cgroup,
      format_bytes(facts.memory.default_limit_bytes()));
}

std::string facts_json(const SystemFacts& facts) {
  using Json = nlohmann::ordered_json;
  Json libraries = Json::object();
  for (const auto& [name, version] : facts.libraries) libraries[name] = version;
  const Json cgroup =
      facts.memory.cgroup_limit_bytes ? Json(*facts.memory.cgroup_limit_bytes) : Json(nullptr);
  return Json{{"version", kVersion},
              {"build_type", kBuildType},
              {"compiler", kCompiler},
              {"libraries", libraries},
              {"cpu", facts.cpu},
              {"simd_targets", facts.simd},
              {"num_cores", facts.num_cores},
              {"cuda",
               {{"is_loaded", facts.cuda.is_loaded()},
                {"reason", facts.cuda.reason()},
                {"devices", facts.cuda.device_names()},
                {"runtime_version", facts.cuda.versions().runtime},
                {"driver_version", facts.cuda.versions().driver},
                {"cudnn_version", facts.cuda.versions().cudnn}}},
              {"writes_onnx", train::writes_onnx()},
              {"memory",
               {{"machine_bytes", facts.memory.machine_bytes},
                {"available_bytes", facts.memory.available_bytes},
                {"cgroup_limit_bytes", cgroup},
                {"default_limit_bytes", facts.memory.default_limit_bytes()}}}}
      .dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string describe_system(ReportForm form) {
  const SystemFacts facts;
  return form == ReportForm::kText ? facts_text(facts) : facts_json(facts);
}

}  // namespace penstock::tools
