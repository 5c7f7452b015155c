#include "train/backend/onednn/activation_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/backend/onednn/activation_kernels.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <hwy/contrib/math/math-inl.h>

#include "train/backend/onednn/activation_vectors_inl.h"
#include "train/backend/onednn/channel_vectors_inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::train::onednn {
namespace HWY_NAMESPACE {

template <class A, class T>
struct ActivationBlock {
  A activation;
  const T* x;
  T* y;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t at) const {
    store_stream(activation.value(d, load_stream(d, x + at)), d, y + at);
  }
};

template <class A, class T>
struct ActivationBackwardBlock {
  A activation;
  const T* x;
  const T* dy;
  T* dx;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t at) const {
    const auto gradient = activation.pass_back(d, load_stream(d, x + at), load_stream(d, dy + at));
    store_stream(gradient, d, dx + at);
  }
};

template <class T>
struct ProductBlock {
  const T* a;
  const T* b;
  T* product;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t at) const {
    store(hn::Mul(load(d, a + at), load(d, b + at)), d, product + at);
  }
};

template <class T>
void values(const Activation& activation, std::size_t count, const T* x, T* y) {
  with_activation(activation, [&](const auto& one) {
    for_channels(count, ActivationBlock<std::decay_t<decltype(one)>, T>{one, x, y});
  });
}

template <class T>
void gradients(const Activation& activation, std::size_t count, const T* x, const T* dy, T* dx) {
  with_activation(activation, [&](const auto& one) {
    for_channels(count, ActivationBackwardBlock<std::decay_t<decltype(one)>, T>{one, x, dy, dx});
  });
}

// Exported by name, which a template has none of.
void values_float(const Activation& activation, std::size_t count, const float* x, float* y) {
  values(activation, count, x, y);
}
void values_bfloat16(const Activation& activation, std::size_t count, const Bfloat16* x,
                     Bfloat16* y) {
  values(activation, count, x, y);
}
void gradients_float(const Activation& activation, std::size_t count, const float* x,
                     const float* dy, float* dx) {
  gradients(activation, count, x, dy, dx);
}
void gradients_bfloat16(const Activation& activation, std::size_t count, const Bfloat16* x,
                        const Bfloat16* dy, Bfloat16* dx) {
  gradients(activation, count, x, dy, dx);
}
void products_float(std::size_t count, const float* a, const float* b, float* product) {
  for_channels(count, ProductBlock<float>{a, b, product});
}
void products_bfloat16(std::size_t count, const Bfloat16* a, const Bfloat16* b, Bfloat16* product) {
  for_channels(count, ProductBlock<Bfloat16>{a, b, product});
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::train::onednn
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::train::onednn {

HWY_EXPORT(values_float);
HWY_EXPORT(values_bfloat16);
HWY_EXPORT(gradients_float);
HWY_EXPORT(gradients_bfloat16);
HWY_EXPORT(products_float);
HWY_EXPORT(products_bfloat16);

void activate(const Activation& activation, std::size_t count, const float* x, float* y) {
  HWY_DYNAMIC_DISPATCH(values_float)(activation, count, x, y);
}
void activate(const Activation& activation, std::size_t count, const Bfloat16* x, Bfloat16* y) {
  HWY_DYNAMIC_DISPATCH(values_bfloat16)(activation, count, x, y);
}

void activation_gradient(const Activation& activation, std::size_t count, const float* x,
                         const float* dy, float* dx) {
  HWY_DYNAMIC_DISPATCH(gradients_float)(activation, count, x, dy, dx);
}
void activation_gradient(const Activation& activation, std::size_t count, const Bfloat16* x,
                         const Bfloat16* dy, Bfloat16* dx) {
  HWY_DYNAMIC_DISPATCH(gradients_bfloat16)(activation, count, x, dy, dx);
}

void multiply_values(std::size_t count, const float* a, const float* b, float* product) {
  HWY_DYNAMIC_DISPATCH(products_float)(count, a, b, product);
}
void multiply_values(std::size_t count, const Bfloat16* a, const Bfloat16* b, Bfloat16* product) {
  HWY_DYNAMIC_DISPATCH(products_bfloat16)(count, a, b, product);
}

}  // namespace penstock::train::onednn
#endif
