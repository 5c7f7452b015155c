// Which vector unit the pass over the pixels takes: the widest of this machine unless one is forced.
// All give the same bytes, so this is no setting of a run.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::augment {

/// A way that this build has.
struct SimdTarget {
  std::string name;           // avx512, avx2, sse4, ssse3, neon, ...; scalar: pixel by pixel
  bool is_supported = false;  // by this machine
};

/// Lists them, the widest first and `scalar` last, whatever is forced.
std::vector<SimdTarget> simd_targets();

/// Throws InvalidArgument, naming what there is, when `name` is neither `auto` nor one of
/// `targets`, or not supported.
void check_simd_target(std::string_view name, std::span<const SimdTarget> targets);

/// Has all kernels of this process take that one; `auto` gives the choice back. The others act on all
/// that Highway dispatches; `scalar` on what has a twin pixel by pixel: sampling, matrices and hue, the
/// last pass, mixing. Means and steps on bytes stay in vectors.
///
/// Errors   as check_simd_target()
/// Threads  before any other thread samples pictures
void force_simd_target(std::string_view name);

/// Whether `scalar` is forced: kernels then leave all to their twins.
bool is_scalar_forced() noexcept;

}  // namespace penstock::augment
