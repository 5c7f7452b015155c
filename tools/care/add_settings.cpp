#include "tools/care/add_settings.h"

#include <array>
#include <charconv>
#include <string_view>

#include "tools/convert/write/continuation.h"

namespace penstock::care {
namespace {

class Recorded {
 public:
  explicit Recorded(const Manifest& manifest) : settings_(manifest.conversion) {}

  bool has(const char* name) const { return settings_.contains(name); }
  std::string_view text(const char* name) const {
    const auto found = settings_.find(name);
    return found == settings_.end() ? std::string_view() : found->second;
  }
  bool is(const char* name, std::string_view value) const {
    return has(name) && text(name) == value;
  }
  template <class T>
  std::optional<T> number(const char* name) const {
    const std::string_view digits = text(name);
    T value{};
    const char* const end = digits.data() + digits.size();
    const auto [at, error] = std::from_chars(digits.data(), end, value);
    return error == std::errc{} && at == end ? std::optional(value) : std::nullopt;
  }

 private:
  const std::map<std::string, std::string>& settings_;
};

// "jpeg quality 95 4:4:4 on #ffffff"
convert::RgbColour background_of(const Recorded& recorded) {
  constexpr std::string_view kOn = " on #";
  const std::string_view text = recorded.text("reencode");
  const std::size_t at = text.rfind(kOn);
  if (at == std::string_view::npos) return {};
  return convert::parse_colour(text.substr(at + kOn.size(), 6), "reencode");
}

std::uint64_t seed_of(const AddConfig& config, const Recorded& recorded) {
  return config.seed.value_or(recorded.number<std::uint64_t>("seed").value_or(0));
}

}  // namespace

convert::ConvertConfig addition_config(const AddConfig& config, const Manifest& old) {
  const Recorded recorded(old);
  convert::ConvertConfig conversion;
  conversion.source = config.source;
  conversion.split.seed = seed_of(config, recorded);
  conversion.layout.choice = config.layout;
  conversion.labels = config.labels;
  conversion.class_names_file = config.class_names_file;
  conversion.memory_bytes = config.limits.memory_bytes;
  conversion.layout.class_depth = recorded.number<std::uint32_t>("class_depth").value_or(1);
  conversion.layout.inherits_depth = true;
  // Of several sources, names in the dataset begin with the source's.
  if (recorded.has("sources")) conversion.source_names = convert::SourceNames::kAlways;
  conversion.shard_size_bytes =
      recorded.number<std::uint64_t>("shard_size_bytes").value_or(conversion.shard_size_bytes);
  conversion.max_px = recorded.number<std::uint64_t>("max_pixels").value_or(conversion.max_px);
  conversion.num_jobs = config.limits.num_jobs;
  conversion.existing = convert::ExistingTarget::kReplace;  // what check_adding() lets pass
  conversion.store_names = !recorded.is("names", "left out");
  if (recorded.is("optimize_crops", "true")) {
    conversion.several_scans = convert::SeveralScans::kRewritten;
  }
  conversion.encode = convert::encode_settings_of(old.conversion);
  conversion.max_coefficient_bytes = recorded.number<std::uint64_t>("max_coefficient_bytes")
                                         .value_or(conversion.max_coefficient_bytes);
  conversion.strip_metadata = recorded.is("metadata", "stripped");
  conversion.near_duplicate_bits = recorded.number<unsigned>(convert::kNearDuplicatesSetting);
  if (recorded.is("checked", "headers")) conversion.depth = convert::CheckDepth::kHeader;
  conversion.policies = recorded_policies(old);
  // Elsewhere it does nothing, and validate() says so.
  if (conversion.policies[convert::ReasonCode::kTransparency] == convert::Policy::kFix) {
    conversion.background = background_of(recorded);
  }
  return conversion;
}

convert::SplitRequest addition_splits(const AddConfig& config, const Manifest& old,
                                      const convert::SourceScan& scan) {
  const Recorded recorded(old);
  std::array<bool, convert::kNumSplits> has{};
  for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
    if (const auto split = scan.pictures[i].split) has[static_cast<std::size_t>(*split)] = true;
  }
  const bool is_dataset = std::filesystem::exists(config.source / kManifestName);
  const auto fraction = [&](const std::optional<double>& wanted, convert::SplitKind split,
                            const char* name) {
    if (wanted || is_dataset || has[static_cast<std::size_t>(split)]) return wanted;
    return recorded.number<double>(name);
  };
  convert::SplitRequest request{.seed = seed_of(config, recorded),
                                .draw = recorded.is("stratify", "true")
                                            ? convert::SplitDraw::kStratified
                                            : convert::SplitDraw::kByHash};
  request.validation_fraction =
      fraction(config.validation_fraction, convert::SplitKind::kValidation, "validation_split");
  request.test_fraction = fraction(config.test_fraction, convert::SplitKind::kTest, "test_split");
  return request;
}

convert::ReasonPolicies recorded_policies(const Manifest& old) {
  const auto changes = old.conversion.find(convert::kPoliciesSetting);
  return changes == old.conversion.end() ? convert::ReasonPolicies()
                                         : convert::ReasonPolicies::from_changes(changes->second);
}

}  // namespace penstock::care
