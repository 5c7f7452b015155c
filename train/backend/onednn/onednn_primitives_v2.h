// How oneDNN 2.x is asked for a primitive: an operation descriptor first, then the primitive's.
// The twin of onednn_primitives_v3.h, with the same functions.
#pragma once

#include <dnnl.hpp>
#include <string_view>

#include "train/backend/onednn/onednn_geometry.h"

namespace penstock::train::onednn {

template <class PrimitiveDesc>
PrimitiveDesc describe(const PrimitiveContext& context, const auto& operation) {
  return {operation, context.attr, context.engine};
}

template <class PrimitiveDesc>
PrimitiveDesc describe(const PrimitiveContext& context, const auto& operation, const auto& hint) {
  return {operation, context.attr, context.engine, hint};
}

inline auto convolution_forward(const PrimitiveContext& context, dnnl::prop_kind kind,
                                const WeightedDescs& d, const SlidingWindow& w) {
  using Op = dnnl::convolution_forward;
  const Op::desc op(kind, kDirect, d.src, d.weights, d.bias, d.dst, w.strides, w.gaps, w.before,
                    w.after);
  return describe<Op::primitive_desc>(context, op);
}

inline auto convolution_backward_data(const PrimitiveContext& context, const WeightedDescs& d,
                                      const SlidingWindow& w,
                                      const dnnl::convolution_forward::primitive_desc& hint) {
  using Op = dnnl::convolution_backward_data;
  const Op::desc op(kDirect, d.src, d.weights, d.dst, w.strides, w.gaps, w.before, w.after);
  return describe<Op::primitive_desc>(context, op, hint);
}

inline auto convolution_backward_weights(const PrimitiveContext& context, const WeightedDescs& d,
                                         const SlidingWindow& w,
                                         const dnnl::convolution_forward::primitive_desc& hint) {
  using Op = dnnl::convolution_backward_weights;
  const Op::desc op(kDirect, d.src, d.weights, d.bias, d.dst, w.strides, w.gaps, w.before, w.after);
  return describe<Op::primitive_desc>(context, op, hint);
}

inline auto dense_forward(const PrimitiveContext& context, dnnl::prop_kind kind,
                          const WeightedDescs& d) {
  using Op = dnnl::inner_product_forward;
  return describe<Op::primitive_desc>(context, Op::desc(kind, d.src, d.weights, d.bias, d.dst));
}

inline auto dense_backward_data(const PrimitiveContext& context, const WeightedDescs& d,
                                const dnnl::inner_product_forward::primitive_desc& hint) {
  using Op = dnnl::inner_product_backward_data;
  return describe<Op::primitive_desc>(context, Op::desc(d.src, d.weights, d.dst), hint);
}

inline auto dense_backward_weights(const PrimitiveContext& context, const WeightedDescs& d,
                                   const dnnl::inner_product_forward::primitive_desc& hint) {
  using Op = dnnl::inner_product_backward_weights;
  return describe<Op::primitive_desc>(context, Op::desc(d.src, d.weights, d.bias, d.dst), hint);
}

inline auto pool_forward(const PrimitiveContext& context, dnnl::prop_kind kind,
                         dnnl::algorithm algorithm, const Desc& src, const Desc& dst,
                         const SlidingWindow& w) {
  using Op = dnnl::pooling_forward;
  const Op::desc op(kind, algorithm, src, dst, w.strides, w.kernel, w.before, w.after);
  return describe<Op::primitive_desc>(context, op);
}

inline auto pool_backward(const PrimitiveContext& context, dnnl::algorithm algorithm,
                          const Desc& src, const Desc& dst, const SlidingWindow& w,
                          const dnnl::pooling_forward::primitive_desc& hint) {
  using Op = dnnl::pooling_backward;
  const Op::desc op(algorithm, src, dst, w.strides, w.kernel, w.before, w.after);
  return describe<Op::primitive_desc>(context, op, hint);
}

/// As in 3.x, which has some.
inline std::string_view newer_isa_text(dnnl::cpu_isa) {
  return {};
}

}  // namespace penstock::train::onednn
