// How oneDNN 3.x is asked for a primitive: its descriptor directly; pooling states its dilation.
// The twin of onednn_primitives_v2.h, with the same functions.
#pragma once

#include <dnnl.hpp>
#include <string_view>

#include "train/backend/onednn/onednn_geometry.h"

namespace penstock::train::onednn {

inline auto convolution_forward(const PrimitiveContext& context, dnnl::prop_kind kind,
                                const WeightedDescs& d, const SlidingWindow& w) {
  return dnnl::convolution_forward::primitive_desc(context.engine, kind, kDirect, d.src, d.weights,
                                                   d.bias, d.dst, w.strides, w.gaps, w.before,
                                                   w.after, context.attr);
}

inline auto convolution_backward_data(const PrimitiveContext& context, const WeightedDescs& d,
                                      const SlidingWindow& w,
                                      const dnnl::convolution_forward::primitive_desc& hint) {
  return dnnl::convolution_backward_data::primitive_desc(context.engine, kDirect, d.src, d.weights,
                                                         d.dst, w.strides, w.gaps, w.before,
                                                         w.after, hint, context.attr);
}

inline auto convolution_backward_weights(const PrimitiveContext& context, const WeightedDescs& d,
                                         const SlidingWindow& w,
                                         const dnnl::convolution_forward::primitive_desc& hint) {
  return dnnl::convolution_backward_weights::primitive_desc(
      context.engine, kDirect, d.src, d.weights, d.bias, d.dst, w.strides, w.gaps, w.before,
      w.after, hint, context.attr);
}

inline auto dense_forward(const PrimitiveContext& context, dnnl::prop_kind kind,
                          const WeightedDescs& d) {
  return dnnl::inner_product_forward::primitive_desc(context.engine, kind, d.src, d.weights, d.bias,
                                                     d.dst, context.attr);
}

inline auto dense_backward_data(const PrimitiveContext& context, const WeightedDescs& d,
                                const dnnl::inner_product_forward::primitive_desc& hint) {
  return dnnl::inner_product_backward_data::primitive_desc(context.engine, d.src, d.weights, d.dst,
                                                           hint, context.attr);
}

inline auto dense_backward_weights(const PrimitiveContext& context, const WeightedDescs& d,
                                   const dnnl::inner_product_forward::primitive_desc& hint) {
  return dnnl::inner_product_backward_weights::primitive_desc(context.engine, d.src, d.weights,
                                                              d.bias, d.dst, hint, context.attr);
}

inline auto pool_forward(const PrimitiveContext& context, dnnl::prop_kind kind,
                         dnnl::algorithm algorithm, const Desc& src, const Desc& dst,
                         const SlidingWindow& w) {
  const Dims no_dilation = {0, 0};
  return dnnl::pooling_forward::primitive_desc(context.engine, kind, algorithm, src, dst, w.strides,
                                               w.kernel, no_dilation, w.before, w.after,
                                               context.attr);
}

inline auto pool_backward(const PrimitiveContext& context, dnnl::algorithm algorithm,
                          const Desc& src, const Desc& dst, const SlidingWindow& w,
                          const dnnl::pooling_forward::primitive_desc& hint) {
  const Dims no_dilation = {0, 0};
  return dnnl::pooling_backward::primitive_desc(context.engine, algorithm, src, dst, w.strides,
                                                w.kernel, no_dilation, w.before, w.after, hint,
                                                context.attr);
}

/// Instruction sets that 2.x has no name for; empty for all others.
inline std::string_view newer_isa_text(dnnl::cpu_isa isa) {
  switch (isa) {
    case dnnl::cpu_isa::avx512_core_amx_fp16:
      return "AVX-512 with AMX and float16";
    case dnnl::cpu_isa::avx512_core_fp16:
      return "AVX-512 with float16";
    case dnnl::cpu_isa::avx2_vnni_2:
      return "AVX2 with VNNI and bfloat16";
    default:
      return {};
  }
}

}  // namespace penstock::train::onednn
