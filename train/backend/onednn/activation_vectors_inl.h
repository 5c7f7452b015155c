// Activations on vectors of floats: value(d, x), and pass_back(d, x, dy), dy times the slope at x. Corners
// and what is no number are as in reference/activation_reference.h. Included by kernel files after
// hwy/highway.h and hwy/contrib/math/math-inl.h, and again for every target: hence no plain include guard.
#if defined(PENSTOCK_ACTIVATION_VECTORS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_ACTIVATION_VECTORS_INL
#undef PENSTOCK_ACTIVATION_VECTORS_INL
#else
#define PENSTOCK_ACTIVATION_VECTORS_INL
#endif

#include "train/backend/onednn/nhwc_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::train::onednn {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

struct Identity {
  template <class D, class V>
  HWY_ATTR HWY_INLINE V value(D, V x) const {
    return x;
  }
  template <class D, class V>
  HWY_ATTR HWY_INLINE V pass_back(D, V, V dy) const {
    return dy;
  }
};

struct Relu {
  /// Not Max: what is not a number must stay visible in the loss.
  template <class D, class V>
  HWY_ATTR HWY_INLINE V value(D d, V x) const {
    return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x);
  }
  template <class D, class V>
  HWY_ATTR HWY_INLINE V pass_back(D d, V x, V dy) const {
    return hn::IfThenElseZero(hn::Gt(x, hn::Zero(d)), dy);
  }
};

struct Relu6 {
  template <class D, class V>
  HWY_ATTR HWY_INLINE V value(D d, V x) const {
    const V six = hn::Set(d, 6.0f);
    return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), hn::IfThenElse(hn::Gt(x, six), six, x));
  }
  template <class D, class V>
  HWY_ATTR HWY_INLINE V pass_back(D d, V x, V dy) const {
    const auto passes = hn::And(hn::Gt(x, hn::Zero(d)), hn::Lt(x, hn::Set(d, 6.0f)));
    return hn::IfThenElseZero(passes, dy);
  }
};

struct LeakyRelu {
  float slope;

  template <class D, class V>
  HWY_ATTR HWY_INLINE V value(D d, V x) const {
    return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Mul(hn::Set(d, slope), x), x);
  }
  template <class D, class V>
  HWY_ATTR HWY_INLINE V pass_back(D d, V x, V dy) const {
    return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), dy, hn::Mul(hn::Set(d, slope), dy));
  }
};

struct HardSigmoid {
  template <class D, class V>
  HWY_ATTR HWY_INLINE V value(D d, V x) const {
    const V three = hn::Set(d, 3.0f);
    const V between = hn::Mul(hn::Add(x, three), hn::Set(d, 1.0f / 6));
    const V from_below = hn::IfThenElse(hn::Ge(x, three), hn::Set(d, 1.0f), between);
    return hn::IfThenZeroElse(hn::Le(x, hn::Set(d, -3.0f)), from_below);
  }
  template <class D, class V>
  HWY_ATTR HWY_INLINE V pass_back(D d, V x, V dy) const {
    const auto passes = hn::And(hn::Gt(x, hn::Set(d, -3.0f)), hn::Lt(x, hn::Set(d, 3.0f)));
    return hn::IfThenElseZero(passes, hn::Mul(dy, hn::Set(d, 1.0f / 6)));
  }
};

struct HardSwish {
  template <class D, class V>
  HWY_ATTR HWY_INLINE V value(D d, V x) const {
    return hn::Mul(x, HardSigmoid().value(d, x));
  }
  template <class D, class V>
  HWY_ATTR HWY_INLINE V pass_back(D d, V x, V dy) const {
    const V slope = hn::MulAdd(x, hn::Set(d, 1.0f / 3), hn::Set(d, 0.5f));
    const V from_below = hn::IfThenElse(hn::Ge(x, hn::Set(d, 3.0f)), dy, hn::Mul(dy, slope));
    return hn::IfThenZeroElse(hn::Le(x, hn::Set(d, -3.0f)), from_below);
  }
};

struct Sigmoid {
  /// By exp(-|x|), which never overflows.
  template <class D, class V>
  HWY_ATTR HWY_INLINE V value(D d, V x) const {
    const V one = hn::Set(d, 1.0f);
    const V e = hn::Exp(d, hn::Neg(hn::Abs(x)));
    const V above = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one);
    return hn::IfThenElse(hn::IsNaN(x), x, hn::Div(above, hn::Add(one, e)));
  }
  template <class D, class V>
  HWY_ATTR HWY_INLINE V pass_back(D d, V x, V dy) const {
    const V s = value(d, x);
    return hn::Mul(dy, hn::NegMulAdd(s, s, s));
  }
};

struct Silu {
  template <class D, class V>
  HWY_ATTR HWY_INLINE V value(D d, V x) const {
    return hn::Mul(x, Sigmoid().value(d, x));
  }
  /// s + x s (1 - s)
  template <class D, class V>
  HWY_ATTR HWY_INLINE V pass_back(D d, V x, V dy) const {
    const V s = Sigmoid().value(d, x);
    return hn::Mul(dy, hn::MulAdd(x, hn::NegMulAdd(s, s, s), s));
  }
};

struct Gelu {
  /// The normal distribution up to x, from e = exp(-x^2 / 2).
  ///
  /// Source  Abramowitz and Stegun, Handbook of mathematical functions, 7.1.26: erf to 1.5e-7
  template <class D, class V>
  HWY_ATTR HWY_INLINE V normal_share(D d, V x, V e) const {
    const V one = hn::Set(d, 1.0f);
    const V z = hn::Mul(hn::Abs(x), hn::Set(d, 0.70710678f));
    const V t = hn::Div(one, hn::MulAdd(hn::Set(d, 0.3275911f), z, one));
    V sum = hn::MulAdd(hn::Set(d, 1.061405429f), t, hn::Set(d, -1.453152027f));
    sum = hn::MulAdd(sum, t, hn::Set(d, 1.421413741f));
    sum = hn::MulAdd(sum, t, hn::Set(d, -0.284496736f));
    sum = hn::MulAdd(sum, t, hn::Set(d, 0.254829592f));
    const V outside = hn::Mul(hn::Mul(sum, t), hn::Mul(e, hn::Set(d, 0.5f)));
    return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), outside, hn::Sub(one, outside));
  }
  template <class D, class V>
  HWY_ATTR HWY_INLINE V bell(D d, V x) const {
    return hn::Exp(d, hn::Mul(hn::Mul(x, x), hn::Set(d, -0.5f)));
  }
  template <class D, class V>
  HWY_ATTR HWY_INLINE V value(D d, V x) const {
    return hn::Mul(x, normal_share(d, x, bell(d, x)));
  }
  template <class D, class V>
  HWY_ATTR HWY_INLINE V pass_back(D d, V x, V dy) const {
    const V e = bell(d, x);
    const V density = hn::Mul(e, hn::Set(d, 0.39894228f));  // 1 / sqrt(2 pi)
    return hn::Mul(dy, hn::MulAdd(x, density, normal_share(d, x, e)));
  }
};

/// Calls visit(activation).
template <class Visit>
HWY_ATTR void with_activation(const Activation& activation, const Visit& visit) {
  if (!activation) return visit(Identity{});
  switch (activation->kind) {
    case ActivationKind::kRelu:
      return visit(Relu{});
    case ActivationKind::kRelu6:
      return visit(Relu6{});
    case ActivationKind::kLeakyRelu:
      return visit(LeakyRelu{static_cast<float>(activation->slope)});
    case ActivationKind::kSilu:
      return visit(Silu{});
    case ActivationKind::kHardSwish:
      return visit(HardSwish{});
    case ActivationKind::kHardSigmoid:
      return visit(HardSigmoid{});
    case ActivationKind::kSigmoid:
      return visit(Sigmoid{});
    case ActivationKind::kGelu:
      return visit(Gelu{});
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::train::onednn
HWY_AFTER_NAMESPACE();

#endif
