// Arrays for kernels under test: of any value type, NaN until written, with values behind that must stay.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "tests/train/backend/cuda/host_gpu/host_gpu.h"
#include "train/backend/cuda/kernels/value_io.h"

namespace penstock::tests {

using train::cuda::ValueType;

inline constexpr ValueType kValueTypes[] = {ValueType::kFloat32, ValueType::kFloat16,
                                            ValueType::kBfloat16};

inline std::string name_of(ValueType type) {
  return type == ValueType::kFloat32   ? "float32"
         : type == ValueType::kFloat16 ? "float16"
                                       : "bfloat16";
}

/// Relative L2 error of values that are rounded to the type once: 6e-8, 5e-4 and 4e-3 at most for each, and room
/// for sums in float32.
inline double bound_of(ValueType type) {
  return type == ValueType::kFloat32 ? 1e-5 : type == ValueType::kFloat16 ? 1e-3 : 8e-3;
}

class KernelValues {
 public:
  /// NaN; `is_aligned` false: not to 16 bytes, but to a value.
  explicit KernelValues(ValueType type, std::size_t count, bool is_aligned = true)
      : type_(type),
        count_(count),
        first_byte_(is_aligned ? 0 : train::cuda::value_bytes(type)),
        chunks_((first_byte_ + (count + kGuards) * train::cuda::value_bytes(type)) / sizeof(Chunk) +
                1) {
    std::memset(chunks_.data(), 0xFF, chunks_.size() * sizeof(Chunk));  // NaN in every type
    for (std::size_t i = 0; i < kGuards; ++i) set(count + i, guard_);
  }

  /// Rounded to the type.
  KernelValues(ValueType type, std::span<const double> values, bool is_aligned = true)
      : KernelValues(type, values.size(), is_aligned) {
    for (std::size_t i = 0; i < values.size(); ++i) set(i, values[i]);
  }

  void* data() { return bytes() + first_byte_; }
  float* floats() { return static_cast<float*>(data()); }
  std::size_t size() const { return count_; }

  double operator[](std::size_t i) const {
    return train::cuda::with_value_type(type_, [&]<class T>(T value) {
      std::memcpy(&value, place(i), sizeof(T));
      return static_cast<double>(train::cuda::to_float(value));
    });
  }
  std::vector<double> values() const {
    std::vector<double> values(count_);
    for (std::size_t i = 0; i < count_; ++i) values[i] = (*this)[i];
    return values;
  }

  /// Whether nothing was written behind the last value.
  bool is_kept_behind() const {
    for (std::size_t i = 0; i < kGuards; ++i) {
      if ((*this)[count_ + i] != guard_) return false;
    }
    return true;
  }
  bool has_bits_of(const KernelValues& other) const {
    const std::size_t num_bytes = count_ * train::cuda::value_bytes(type_);
    return num_bytes == other.count_ * train::cuda::value_bytes(other.type_) &&
           std::memcmp(place(0), other.place(0), num_bytes) == 0;
  }

 private:
  struct alignas(16) Chunk {
    std::byte bytes[16];
  };
  static constexpr std::size_t kGuards = 16;

  /// Another one for each array, lest one array's guards pass for another's.
  static double next_guard() {
    static int num_arrays = 0;
    return -1.0 - num_arrays++ % 100;
  }

  std::byte* bytes() { return chunks_.front().bytes; }
  const std::byte* place(std::size_t i) const {
    return chunks_.front().bytes + first_byte_ + i * train::cuda::value_bytes(type_);
  }
  void set(std::size_t i, double value) {
    train::cuda::with_value_type(type_, [&]<class T>(T) {
      const T stored = train::cuda::from_float<T>(static_cast<float>(value));
      std::memcpy(bytes() + (place(i) - chunks_.front().bytes), &stored, sizeof(T));
    });
  }

  ValueType type_;
  std::size_t count_;
  std::size_t first_byte_;
  double guard_ = next_guard();
  std::vector<Chunk> chunks_;
};

inline std::vector<double> normal_values(std::mt19937_64& random, std::size_t count,
                                         double mean = 0, double deviation = 1) {
  std::normal_distribution<double> normal(mean, deviation);
  std::vector<double> values(count);
  for (double& value : values) value = normal(random);
  return values;
}

/// NaN where a value is, or where the sizes differ: nothing is less than it. Of sums the errors are those of their
/// terms, however near to 0 the sum is: `term_size` is the root of the terms' count, times their size.
inline double relative_l2(const std::vector<double>& actual, const std::vector<double>& expected,
                          double term_size = 0) {
  if (actual.size() != expected.size()) return std::numeric_limits<double>::quiet_NaN();
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
    size += expected[i] * expected[i] + term_size * term_size;
  }
  return std::sqrt(difference) / (std::sqrt(size) + 1e-30);
}

}  // namespace penstock::tests
