#include "train/backend/onednn/onednn_shim.h"

#include <dnnl.hpp>
#include <vector>

#include "streamer/core/error.h"

#if DNNL_VERSION_MAJOR == 2
#include "train/backend/onednn/onednn_primitives_v2.h"
#elif DNNL_VERSION_MAJOR == 3
#include "train/backend/onednn/onednn_primitives_v3.h"
#else
#error "expected oneDNN 2.x or 3.x"
#endif

namespace penstock::train::onednn {
namespace {

using Tag = dnnl::memory::format_tag;
using DataType = dnnl::memory::data_type;
constexpr auto kF32 = DataType::f32;

DataType data_type(ComputeType compute) {
  return compute == ComputeType::kBfloat16 ? DataType::bf16 : kF32;
}

int dnnl_arg(Arg arg) {
  switch (arg) {
    case Arg::kSrc:
      return DNNL_ARG_SRC;
    case Arg::kDst:
      return DNNL_ARG_DST;
    case Arg::kWeights:
      return DNNL_ARG_WEIGHTS;
    case Arg::kBias:
      return DNNL_ARG_BIAS;
    case Arg::kDiffSrc:
      return DNNL_ARG_DIFF_SRC;
    case Arg::kDiffDst:
      return DNNL_ARG_DIFF_DST;
    case Arg::kDiffWeights:
      return DNNL_ARG_DIFF_WEIGHTS;
    case Arg::kDiffBias:
      return DNNL_ARG_DIFF_BIAS;
    case Arg::kWorkspace:
      return DNNL_ARG_WORKSPACE;
    case Arg::kScratchpad:
      return DNNL_ARG_SCRATCHPAD;
  }
  return 0;
}

[[noreturn]] void rethrow(const dnnl::error& error, const std::string& what) {
  const ErrorCode code =
      error.status == dnnl_out_of_memory ? ErrorCode::kOutOfMemory : ErrorCode::kUnsupported;
  throw Error(code, "onednn: " + what + ": expected success, found: " + error.what());
}

Desc activation(std::uint32_t batch, const TensorShape& shape, DataType type, Tag tag = Tag::nhwc) {
  return {{batch, shape.channels, shape.height, shape.width}, type, tag};
}

Desc flat(std::uint32_t batch, const TensorShape& shape, DataType type, Tag tag = Tag::nc) {
  return {{batch, shape.channels}, type, tag};
}

/// Padding after, as the library wants it: what the output's size really uses, which may be
/// negative when rows at the end are left over.
Dims pad_after(const Window& w, const TensorShape& in, const TensorShape& out) {
  const auto along = [](std::int64_t input, std::int64_t output, std::int64_t stride,
                        std::int64_t reach, std::int64_t before) {
    return (output - 1) * stride + reach - input - before;
  };
  const auto reach = [](std::int64_t side, std::int64_t dilation) {
    return dilation * (side - 1) + 1;
  };
  return {
      along(in.height, out.height, w.stride.rows, reach(w.kernel.rows, w.dilation.rows), w.pad_top),
      along(in.width, out.width, w.stride.cols, reach(w.kernel.cols, w.dilation.cols), w.pad_left)};
}

SlidingWindow sliding(const Window& w, const TensorShape& in, const TensorShape& out) {
  return {.strides = {w.stride.rows, w.stride.cols},
          .kernel = {w.kernel.rows, w.kernel.cols},
          .gaps = {w.dilation.rows - 1, w.dilation.cols - 1},
          .before = {w.pad_top, w.pad_left},
          .after = pad_after(w, in, out)};
}

dnnl::prop_kind forward_kind(bool is_training) {
  return is_training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
}

dnnl::algorithm pool_algorithm(const PoolingSizes& s) {
  if (s.kind == PoolKind::kMax) return dnnl::algorithm::pooling_max;
  return s.counts_padding ? dnnl::algorithm::pooling_avg_include_padding
                          : dnnl::algorithm::pooling_avg_exclude_padding;
}

Dims weight_dims(const WeightedSizes& s) {
  if (s.is_dense) return {s.output.channels, s.input.channels};
  const Extent& kernel = s.window.kernel;
  if (s.groups == 1) return {s.output.channels, s.input.channels, kernel.rows, kernel.cols};
  return {s.groups, s.output.channels / s.groups, s.input.channels / s.groups, kernel.rows,
          kernel.cols};
}

WeightedDescs weighted_descs(const WeightedSizes& s, const Desc& weights, DataType output) {
  const Desc bias = s.has_bias ? Desc({s.output.channels}, kF32, Tag::x) : Desc();
  const DataType input = data_type(s.compute);
  if (s.is_dense) {
    const Tag tag = s.has_any_layout ? Tag::any : Tag::nc;
    return {flat(s.batch, s.input, input, tag), weights, bias,
            flat(s.batch, s.output, output, tag)};
  }
  const Tag tag = s.has_any_layout ? Tag::any : Tag::nhwc;
  return {activation(s.batch, s.input, input, tag), weights, bias,
          activation(s.batch, s.output, output, tag)};
}

/// As gradients have them.
WeightedDescs weighted_descs(const WeightedSizes& s, const Desc& weights) {
  return weighted_descs(s, weights, data_type(s.compute));
}

dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

}  // namespace

struct WeightLayout::Impl {
  Desc desc;
};

std::size_t WeightLayout::bytes() const {
  return impl_->desc.get_size();
}

bool operator==(const WeightLayout& a, const WeightLayout& b) {
  return a.impl_ && b.impl_ && a.impl_->desc == b.impl_->desc;
}

struct PreparedOp::Impl {
  dnnl::primitive primitive;
  dnnl::stream stream;
  std::vector<dnnl::memory> memories;
  std::vector<dnnl_exec_arg_t> args;
  std::size_t scratchpad_bytes = 0;
  std::size_t workspace_bytes = 0;
  std::string implementation;
};

PreparedOp::PreparedOp() = default;
PreparedOp::PreparedOp(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PreparedOp::PreparedOp(PreparedOp&&) noexcept = default;
PreparedOp& PreparedOp::operator=(PreparedOp&&) noexcept = default;
PreparedOp::~PreparedOp() = default;

void PreparedOp::set(Arg arg, void* memory) {
  for (std::size_t i = 0; i < impl_->args.size(); ++i) {
    if (impl_->args[i].arg == dnnl_arg(arg)) impl_->memories[i].set_data_handle(memory);
  }
}

void PreparedOp::run() const {
  const dnnl_status_t status =
      dnnl_primitive_execute(impl_->primitive.get(), impl_->stream.get(),
                             static_cast<int>(impl_->args.size()), impl_->args.data());
  check_internal(status == dnnl_success, "onednn: a primitive did not run");
}

std::size_t PreparedOp::scratchpad_bytes() const {
  return impl_->scratchpad_bytes;
}
std::size_t PreparedOp::workspace_bytes() const {
  return impl_->workspace_bytes;
}
std::size_t PreparedOp::bytes(Arg arg) const {
  for (std::size_t i = 0; i < impl_->args.size(); ++i) {
    if (impl_->args[i].arg == dnnl_arg(arg)) return impl_->memories[i].get_desc().get_size();
  }
  return 0;
}
const std::string& PreparedOp::implementation() const {
  return impl_->implementation;
}

struct OneDnn::Impl {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  PrimitiveContext context{engine, user_scratchpad()};

  struct Binding {
    Arg arg;
    Desc desc;
  };

  template <class Primitive, class PrimitiveDesc>
  PreparedOp prepare(const PrimitiveDesc& pd, std::vector<Binding> bindings) const {
    auto op = std::make_unique<PreparedOp::Impl>();
    op->primitive = Primitive(pd);
    op->stream = stream;
    op->scratchpad_bytes = pd.scratchpad_desc().get_size();
    op->implementation = pd.impl_info_str();
    if (op->scratchpad_bytes > 0) bindings.push_back({Arg::kScratchpad, pd.scratchpad_desc()});
    for (const Binding& binding : bindings) {
      if (binding.arg == Arg::kWorkspace) op->workspace_bytes = binding.desc.get_size();
      op->memories.emplace_back(binding.desc, engine, nullptr);
      op->args.push_back({dnnl_arg(binding.arg), op->memories.back().get()});
    }
    return PreparedOp(std::move(op));
  }

  static Desc weights(const WeightedSizes& sizes, const WeightLayout& layout, DataType type) {
    if (layout) return layout.impl().desc;
    return {weight_dims(sizes), type, Tag::any};
  }

  dnnl::convolution_forward::primitive_desc convolution(dnnl::prop_kind kind,
                                                        const WeightedDescs& descs,
                                                        const WeightedSizes& s) const {
    return convolution_forward(context, kind, descs, sliding(s.window, s.input, s.output));
  }

  dnnl::inner_product_forward::primitive_desc dense(dnnl::prop_kind kind,
                                                    const WeightedDescs& descs) const {
    return dense_forward(context, kind, descs);
  }

  /// What a backward pass is told of its forward pass.
  WeightedDescs hint_descs(const WeightedSizes& s) const {
    return weighted_descs(s, weights(s, {}, data_type(s.compute)));
  }

  dnnl::pooling_forward::primitive_desc pooling(const PoolingSizes& s, bool is_training) const {
    return onednn::pool_forward(context, forward_kind(is_training), pool_algorithm(s),
                                activation(s.batch, s.input, data_type(s.compute)),
                                activation(s.batch, s.output, data_type(s.compute)),
                                sliding(s.window, s.input, s.output));
  }

  /// Builds the forward operation from its primitive descriptor.
  template <class Primitive, class PrimitiveDesc>
  PreparedOp finish_forward(const PrimitiveDesc& pd, const WeightedSizes& s,
                            WeightLayout& layout) const {
    layout = make_layout(pd.weights_desc());
    std::vector<Binding> bindings{
        {Arg::kSrc, pd.src_desc()}, {Arg::kWeights, pd.weights_desc()}, {Arg::kDst, pd.dst_desc()}};
    if (s.has_bias) bindings.push_back({Arg::kBias, pd.bias_desc()});
    return prepare<Primitive>(pd, std::move(bindings));
  }

  template <class Primitive, class PrimitiveDesc>
  PreparedOp finish_backward_data(const PrimitiveDesc& pd, WeightLayout& layout) const {
    layout = make_layout(pd.weights_desc());
    return prepare<Primitive>(pd, {{Arg::kDiffSrc, pd.diff_src_desc()},
                                   {Arg::kWeights, pd.weights_desc()},
                                   {Arg::kDiffDst, pd.diff_dst_desc()}});
  }

  template <class Primitive, class PrimitiveDesc>
  PreparedOp finish_backward_weights(const PrimitiveDesc& pd, const WeightedSizes& s,
                                     WeightLayout& layout) const {
    layout = make_layout(pd.diff_weights_desc());
    std::vector<Binding> bindings{{Arg::kSrc, pd.src_desc()},
                                  {Arg::kDiffWeights, pd.diff_weights_desc()},
                                  {Arg::kDiffDst, pd.diff_dst_desc()}};
    if (s.has_bias) bindings.push_back({Arg::kDiffBias, pd.diff_bias_desc()});
    return prepare<Primitive>(pd, std::move(bindings));
  }

  static WeightLayout make_layout(const Desc& desc) {
    return WeightLayout(std::make_shared<const WeightLayout::Impl>(WeightLayout::Impl{desc}));
  }
};

OneDnn::OneDnn() : impl_(std::make_unique<Impl>()) {}
OneDnn::~OneDnn() = default;

PreparedOp OneDnn::forward(const WeightedSizes& s, bool is_training, WeightLayout& layout) const {
  const Desc weights = Impl::weights(s, layout, data_type(s.compute));
  const DataType output = s.has_float_output ? kF32 : data_type(s.compute);
  const WeightedDescs descs = weighted_descs(s, weights, output);
  const dnnl::prop_kind kind = forward_kind(is_training);
  try {
    if (s.is_dense) {
      return impl_->finish_forward<dnnl::inner_product_forward>(impl_->dense(kind, descs), s,
                                                                layout);
    }
    return impl_->finish_forward<dnnl::convolution_forward>(impl_->convolution(kind, descs, s), s,
                                                            layout);
  } catch (const dnnl::error& error) {
    rethrow(error, "forward pass of a layer");
  }
}

PreparedOp OneDnn::backward_data(const WeightedSizes& s, WeightLayout& layout) const {
  const Desc weights = Impl::weights(s, layout, data_type(s.compute));
  const dnnl::prop_kind kind = forward_kind(true);
  try {
    const WeightedDescs descs = weighted_descs(s, weights);
    const WeightedDescs hint = impl_->hint_descs(s);
    if (s.is_dense) {
      return impl_->finish_backward_data<dnnl::inner_product_backward_data>(
          dense_backward_data(impl_->context, descs, impl_->dense(kind, hint)), layout);
    }
    return impl_->finish_backward_data<dnnl::convolution_backward_data>(
        convolution_backward_data(impl_->context, descs, sliding(s.window, s.input, s.output),
                                  impl_->convolution(kind, hint, s)),
        layout);
  } catch (const dnnl::error& error) {
    rethrow(error, "backward pass of a layer by its input");
  }
}

PreparedOp OneDnn::backward_weights(const WeightedSizes& s, WeightLayout& layout) const {
  const Desc weights = Impl::weights(s, layout, kF32);
  const dnnl::prop_kind kind = forward_kind(true);
  try {
    const WeightedDescs descs = weighted_descs(s, weights);
    const WeightedDescs hint = impl_->hint_descs(s);
    if (s.is_dense) {
      return impl_->finish_backward_weights<dnnl::inner_product_backward_weights>(
          dense_backward_weights(impl_->context, descs, impl_->dense(kind, hint)), s, layout);
    }
    return impl_->finish_backward_weights<dnnl::convolution_backward_weights>(
        convolution_backward_weights(impl_->context, descs, sliding(s.window, s.input, s.output),
                                     impl_->convolution(kind, hint, s)),
        s, layout);
  } catch (const dnnl::error& error) {
    rethrow(error, "backward pass of a layer by its weights");
  }
}

PreparedOp OneDnn::pool_forward(const PoolingSizes& s, bool is_training) const {
  try {
    const auto pd = impl_->pooling(s, is_training);
    std::vector<Impl::Binding> bindings{{Arg::kSrc, pd.src_desc()}, {Arg::kDst, pd.dst_desc()}};
    if (is_training && s.kind == PoolKind::kMax) {
      bindings.push_back({Arg::kWorkspace, pd.workspace_desc()});
    }
    return impl_->prepare<dnnl::pooling_forward>(pd, std::move(bindings));
  } catch (const dnnl::error& error) {
    rethrow(error, "pool");
  }
}

PreparedOp OneDnn::pool_backward(const PoolingSizes& s) const {
  try {
    const auto pd = onednn::pool_backward(
        impl_->context, pool_algorithm(s), activation(s.batch, s.input, data_type(s.compute)),
        activation(s.batch, s.output, data_type(s.compute)), sliding(s.window, s.input, s.output),
        impl_->pooling(s, true));
    std::vector<Impl::Binding> bindings{{Arg::kDiffSrc, pd.diff_src_desc()},
                                        {Arg::kDiffDst, pd.diff_dst_desc()}};
    if (s.kind == PoolKind::kMax) bindings.push_back({Arg::kWorkspace, pd.workspace_desc()});
    return impl_->prepare<dnnl::pooling_backward>(pd, std::move(bindings));
  } catch (const dnnl::error& error) {
    rethrow(error, "backward pass of a pool");
  }
}

WeightLayout OneDnn::canonical_layout(const WeightedSizes& s) const {
  return Impl::make_layout({weight_dims(s), kF32,
                            s.is_dense      ? Tag::ab
                            : s.groups == 1 ? Tag::abcd
                                            : Tag::abcde});
}

WeightLayout OneDnn::depthwise_layout(const WeightedSizes& s) const {
  return Impl::make_layout({weight_dims(s), kF32, Tag::hwigo});
}

PreparedOp OneDnn::reorder(const WeightLayout& from, const WeightLayout& to) const {
  try {
    const dnnl::reorder::primitive_desc pd(impl_->engine, from.impl().desc, impl_->engine,
                                           to.impl().desc, impl_->context.attr);
    return impl_->prepare<dnnl::reorder>(
        pd, {{Arg::kSrc, from.impl().desc}, {Arg::kDst, to.impl().desc}});
  } catch (const dnnl::error& error) {
    rethrow(error, "reorder of weights");
  }
}

bool OneDnn::computes_in(ComputeType compute) const {
  if (compute == ComputeType::kFloat32) return true;
  // Asked by trying: which instruction sets it takes differs between versions.
  const WeightedSizes smallest{.input = {16}, .output = {16}, .compute = compute};
  try {
    impl_->convolution(forward_kind(true), impl_->hint_descs(smallest), smallest);
    return true;
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_unimplemented) return false;
    rethrow(error, "convolution in " + std::string(compute_type_name(compute)));
  }
}

bool OneDnn::multiplies_bfloat16() {
  const dnnl::cpu_isa isa = dnnl::get_effective_cpu_isa();
  return isa == dnnl::cpu_isa::avx512_core_bf16 || isa == dnnl::cpu_isa::avx512_core_amx ||
         !newer_isa_text(isa).empty();  // all of these do
}

std::string OneDnn::instruction_set() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::avx512_core_amx:
      return "AVX-512 with AMX";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "AVX-512 with bfloat16";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "AVX-512 with VNNI";
    case dnnl::cpu_isa::avx512_core:
      return "AVX-512";
    case dnnl::cpu_isa::avx2_vnni:
      return "AVX2 with VNNI";
    case dnnl::cpu_isa::avx2:
      return "AVX2";
    case dnnl::cpu_isa::avx:
      return "AVX";
    case dnnl::cpu_isa::sse41:
      return "SSE4.1";
    default: {
      const std::string_view newer = newer_isa_text(dnnl::get_effective_cpu_isa());
      return newer.empty() ? "instruction set chosen by the library" : std::string(newer);
    }
  }
}

std::string OneDnn::description() {
  const dnnl_version_t* version = dnnl_version();
  return "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch) + ", " + instruction_set();
}

}  // namespace penstock::train::onednn
