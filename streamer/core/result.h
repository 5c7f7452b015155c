// What data can do to one sample, as a value: no exception, no allocation, usable in noexcept code.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace penstock {

/// How a sample fared. The numbers are stable: they appear in reports.
enum class SampleStatus : std::uint8_t {
  kOk = 0,
  kChecksumMismatch = 1,  // stored bytes are not what was written
  kDecodeFailed = 2,      // bytes are intact but are no picture
  kUnsupported = 3,       // a codec or an index status that this build does not read
};

constexpr std::string_view sample_status_name(SampleStatus status) {
  switch (status) {
    case SampleStatus::kOk:
      return "ok";
    case SampleStatus::kChecksumMismatch:
      return "checksum mismatch";
    case SampleStatus::kDecodeFailed:
      return "decode failed";
    case SampleStatus::kUnsupported:
      return "unsupported";
  }
  return "unknown";
}

/// Why one sample failed; `detail` holds the decoder's own words, cut to fit.
struct SampleFault {
  SampleStatus status = SampleStatus::kOk;
  std::array<char, 119> detail_chars{};

  SampleFault() = default;
  SampleFault(SampleStatus s, std::string_view text) noexcept : status(s) {
    std::copy_n(text.data(), std::min(text.size(), detail_chars.size() - 1), detail_chars.data());
  }
  std::string_view detail() const noexcept { return {detail_chars.data()}; }
};

/// Holds either a T or a SampleFault. T must be trivially copyable: results live on hot paths.
template <class T>
class Result {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Result(const T& value) noexcept : value_(value) {}            // NOLINT: implicit on purpose
  Result(const SampleFault& fault) noexcept : fault_(fault) {}  // NOLINT: implicit on purpose

  bool ok() const noexcept { return fault_.status == SampleStatus::kOk; }
  const T& value() const noexcept { return value_; }
  const SampleFault& fault() const noexcept { return fault_; }

 private:
  T value_{};
  SampleFault fault_{};
};

}  // namespace penstock
