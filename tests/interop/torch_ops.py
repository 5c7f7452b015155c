"""Every operation with its unhandy settings as PyTorch computes it, in float64: values, gradients by inputs
and parameters, running statistics. tests/train/backend/torch_ops_test.cpp holds the backends to them.

    torch_ops.py FILE            compares the file with the PyTorch that is installed
    torch_ops.py FILE --write    writes it

FILE is tests/train/backend/torch_ops.txt. Inputs, parameters and the gradient that comes in at the output
("out") are even() of "CASE.NAME": inputs times xK.size and, where there is an xK.step, rounded to a multiple
of it. PyTorch has no padding="same" at a stride, and none that differs by side: Keras's is F.pad() before the
operation, by the formula of TensorFlow's "Notes on padding"."""

from even_values import even
from golden_text import Goldens
from probe import needs

numpy, torch = needs("numpy", "torch")
from torch.nn import functional as F  # noqa: E402

EPSILON, MOMENTUM = 1e-5, 0.1
SMALL = (2, 3, 5, 4)


def tensor(values, shape):
    """Float32 values, as the backends get them."""
    values = values.astype(numpy.float32).astype(numpy.float64)
    return torch.from_numpy(values).reshape(shape)


class Input:
    def __init__(self, *shape, size=2.0, step=0.0):
        self.shape, self.size, self.step = shape, size, step

    def values(self, name):
        values = self.size * even(name, int(numpy.prod(self.shape)))
        if self.step:
            values = numpy.round(values / self.step) * self.step
        return tensor(values, self.shape).requires_grad_()


def parameter(name, kind, shape):
    """A norm's scale and a running variance lie around 1, all others around 0."""
    values = 0.5 * even(name, int(numpy.prod(shape)))
    if kind.endswith("running_var") or (kind.endswith("weight") and len(shape) == 1):
        values += 1
    return tensor(values, shape)


def digits(values):
    return " ".join(f"{value:.7g}" for value in values.detach().reshape(-1).tolist())


class Cases:
    def __init__(self):
        self.goldens = Goldens("torch_ops.py", f"torch {torch.__version__.split('+')[0]}, float64",
                               relative=1e-6, absolute=1e-9)

    def add(self, case, inputs, compute, **shapes):
        """`compute` takes the inputs, and by name the parameters of "op", whose shapes are given."""
        inputs = [inputs] if isinstance(inputs, Input) else inputs
        x = [one.values(f"{case}.x{k}") for k, one in enumerate(inputs)]
        params = {}
        for kind, shape in shapes.items():
            params[kind] = parameter(f"{case}.op.{kind}", kind, shape)
            if not kind.startswith("running"):
                params[kind].requires_grad_()
        y = compute(*x, **params)
        y.backward(tensor(even(f"{case}.out", y.numel()), y.shape))
        found = {}
        for k, one in enumerate(inputs):
            found[f"x{k}.shape"] = " ".join(map(str, one.shape))
            found[f"x{k}.size"] = one.size
            if one.step:
                found[f"x{k}.step"] = one.step
            found[f"x{k}.gradient"] = digits(x[k].grad)
        found["y"] = digits(y)
        for kind, values in params.items():
            if kind.startswith("running"):
                found[f"op.{kind}"] = digits(values)
            else:
                found[f"op.{kind}.gradient"] = digits(values.grad)
        self.goldens.add(case, **found)


def same_pads(x, kernel, stride, dilation=(1, 1)):
    """Keras's rows and columns before and after, the odd one after, as F.pad() takes them."""
    pads = []
    for side, k, s, d in zip(x.shape[2:], kernel, stride, dilation):
        reach = d * (k - 1) + 1
        total = max((-(-side // s) - 1) * s + reach - side, 0)
        pads = [total // 2, total - total // 2, *pads]
    return pads


def keras_conv(kernel, stride, dilation=(1, 1)):
    def compute(x, weight, bias):
        padded = F.pad(x, same_pads(x, kernel, stride, dilation))
        return F.conv2d(padded, weight, bias, stride=stride, dilation=dilation)
    return compute


def keras_max_pool(window, stride):
    return lambda x: F.max_pool2d(F.pad(x, same_pads(x, window, stride), value=-torch.inf), window, stride)


def keras_avg_pool(window, stride, counts_padding):
    def compute(x):
        pads = same_pads(x, window, stride)
        means = F.avg_pool2d(F.pad(x, pads), window, stride)
        if counts_padding:
            return means
        return means / F.avg_pool2d(F.pad(torch.ones_like(x), pads), window, stride)
    return compute


def conv(**settings):
    return lambda x, weight, bias=None: F.conv2d(x, weight, bias, **settings)


def convolutions(cases):
    cases.add("conv", Input(*SMALL), conv(padding=1), weight=(4, 3, 3, 3), bias=(4,))
    cases.add("conv_1x1_map", Input(2, 3, 1, 1), conv(padding=1), weight=(4, 3, 3, 3), bias=(4,))
    cases.add("conv_pointwise", Input(2, 17, 3, 2), conv(), weight=(5, 17, 1, 1))
    cases.add("conv_stride_2", Input(2, 3, 7, 6), conv(padding=1, stride=2), weight=(4, 3, 3, 3), bias=(4,))
    cases.add("conv_sides_differ", Input(2, 3, 6, 7), conv(padding=(2, 0), stride=(1, 2)), weight=(5, 3, 3, 2))
    cases.add("conv_dilated", Input(2, 3, 7, 8), conv(padding=(2, 3), dilation=(2, 3)), weight=(4, 3, 3, 3),
              bias=(4,))
    cases.add("conv_grouped", Input(2, 4, 5, 4), conv(padding=1, groups=2), weight=(6, 2, 3, 3), bias=(6,))
    cases.add("conv_grouped_dilated_stride_2", Input(2, 6, 7, 6),
              conv(padding=2, stride=2, dilation=2, groups=3), weight=(3, 2, 3, 3))
    cases.add("conv_depthwise", Input(2, 5, 5, 4), conv(padding=1, groups=5), weight=(5, 1, 3, 3), bias=(5,))
    cases.add("conv_depthwise_two_filters", Input(2, 3, 6, 5), conv(padding=1, stride=2, groups=3),
              weight=(6, 1, 3, 3), bias=(6,))
    cases.add("keras_conv_stride_2", Input(2, 3, 6, 5), keras_conv((3, 3), (2, 2)), weight=(4, 3, 3, 3),
              bias=(4,))
    cases.add("keras_conv_even_window", Input(*SMALL), keras_conv((4, 2), (1, 1)), weight=(3, 3, 4, 2),
              bias=(3,))
    cases.add("keras_conv_dilated_stride_2", Input(2, 3, 8, 7), keras_conv((3, 3), (2, 2), (2, 2)),
              weight=(3, 3, 3, 3), bias=(3,))
    cases.add("dense", Input(3, 7, 1, 1), lambda x, weight, bias: F.linear(x.flatten(1), weight, bias),
              weight=(5, 7), bias=(5,))
    cases.add("flatten_dense", Input(2, 3, 3, 2), lambda x, weight: F.linear(x.flatten(1), weight),
              weight=(4, 18))


def batch_norm(x, weight, bias, running_mean, running_var, epsilon=EPSILON, momentum=MOMENTUM, training=True):
    return F.batch_norm(x, running_mean, running_var, weight, bias, training, momentum, epsilon)


def norm_shapes(channels):
    return {"weight": (channels,), "bias": (channels,), "running_mean": (channels,), "running_var": (channels,)}


def over_channels(x, weight, bias, epsilon):
    normed = F.layer_norm(x.permute(0, 2, 3, 1), weight.shape, weight, bias, epsilon)
    return normed.permute(0, 3, 1, 2)


def norms(cases):
    def settings(**keys):
        return lambda x, **params: batch_norm(x, **params, **keys)

    cases.add("batch_norm", Input(*SMALL), batch_norm, **norm_shapes(3))
    cases.add("batch_norm_settings", Input(2, 5, 3, 2), settings(epsilon=0.1, momentum=0.3), **norm_shapes(5))
    cases.add("batch_norm_1x1_map", Input(5, 4, 1, 1), batch_norm, **norm_shapes(4))
    cases.add("batch_norm_fixed", Input(*SMALL), settings(training=False), **norm_shapes(3))
    cases.add("batch_norm_relu", Input(2, 17, 3, 2), lambda x, **params: F.relu(batch_norm(x, **params)),
              **norm_shapes(17))
    cases.add("batch_norm_relu_pool", Input(2, 5, 5, 4),
              lambda x, **params: F.max_pool2d(F.relu(batch_norm(x, **params)), 2), **norm_shapes(5))
    cases.add("batch_norm_relu_wide_pool", Input(2, 3, 5, 6),
              lambda x, **params: F.max_pool2d(F.relu(batch_norm(x, **params)), 3, 2, 1), **norm_shapes(3))
    cases.add("batch_norm_add_relu", [Input(*SMALL), Input(*SMALL)],
              lambda x, other, **params: F.relu(batch_norm(x, **params) + other), **norm_shapes(3))
    affine = {"weight": (6,), "bias": (6,)}
    for groups in (1, 3, 6):
        cases.add(f"group_norm_{groups}", Input(2, 6, 3, 2),
                  lambda x, weight, bias, groups=groups: F.group_norm(x, groups, weight, bias, EPSILON), **affine)
    cases.add("group_norm_1x1_map", Input(2, 6, 1, 1),
              lambda x, weight, bias: F.group_norm(x, 2, weight, bias, 0.1), **affine)
    cases.add("layer_norm", Input(2, 6, 3, 2),
              lambda x, weight, bias: over_channels(x, weight, bias, EPSILON), **affine)
    cases.add("layer_norm_flat", Input(3, 2, 3, 1),
              lambda x, weight, bias: F.layer_norm(x.flatten(1), (6,), weight, bias, 1e-2), **affine)
    cases.add("channel_scale", Input(*SMALL), lambda x, layer_scale: x * layer_scale.reshape(-1, 1, 1),
              layer_scale=(3,))


def activations(cases):
    # Multiples of a half up to 8: each kink is among them.
    x = Input(2, 3, 5, 4, size=8.0, step=0.5)
    for name, compute in {"relu": F.relu, "relu6": F.relu6, "leaky_relu": F.leaky_relu, "silu": F.silu,
                          "hard_swish": F.hardswish, "hard_sigmoid": F.hardsigmoid,
                          "sigmoid": torch.sigmoid, "gelu": F.gelu}.items():
        cases.add(name, x, compute)
    cases.add("leaky_relu_slope", x, lambda x: F.leaky_relu(x, 0.3))
    cases.add("softmax", Input(2, 5, 3, 2, size=4.0), lambda x: F.softmax(x, dim=1))
    cases.add("softmax_flat", Input(3, 7, 1, 1, size=10.0), lambda x: F.softmax(x, dim=1))


def pools(cases):
    def ties(*shape):
        return Input(*shape, size=1.4, step=1.0)

    cases.add("max_pool", ties(*SMALL), lambda x: F.max_pool2d(x, 2))
    cases.add("max_pool_overlapping", ties(2, 17, 4, 3), lambda x: F.max_pool2d(x, 3, 1))
    cases.add("max_pool_padded", ties(2, 3, 7, 6), lambda x: F.max_pool2d(x, 3, 2, 1))
    cases.add("max_pool_1x1_map", Input(2, 3, 1, 1), lambda x: F.max_pool2d(x, 3, 2, 1))
    cases.add("keras_max_pool", ties(2, 3, 6, 5), keras_max_pool((3, 3), (2, 2)))
    cases.add("keras_max_pool_odd", ties(*SMALL), keras_max_pool((2, 2), (2, 2)))
    cases.add("avg_pool", Input(2, 3, 5, 6), lambda x: F.avg_pool2d(x, (2, 3), (2, 1)))
    for counts in (True, False):
        end = "counted" if counts else "left_out"
        cases.add(f"avg_pool_padding_{end}", Input(2, 3, 6, 5),
                  lambda x, counts=counts: F.avg_pool2d(x, 3, 2, 1, count_include_pad=counts))
        cases.add(f"keras_avg_pool_padding_{end}", Input(2, 3, 6, 5), keras_avg_pool((3, 3), (2, 2), counts))
    cases.add("global_avg_pool", Input(2, 17, 3, 2), lambda x: F.adaptive_avg_pool2d(x, 1))
    cases.add("global_max_pool", ties(2, 5, 3, 2), lambda x: F.adaptive_max_pool2d(x, 1))
    cases.add("adaptive_avg_pool", Input(2, 3, 7, 5), lambda x: F.adaptive_avg_pool2d(x, (3, 2)))
    cases.add("adaptive_avg_pool_wider", Input(2, 3, 2, 1), lambda x: F.adaptive_avg_pool2d(x, (7, 7)))
    cases.add("adaptive_max_pool", ties(2, 3, 7, 5), lambda x: F.adaptive_max_pool2d(x, (3, 2)))


def joins(cases):
    two = [Input(*SMALL), Input(*SMALL)]
    cases.add("add", two, lambda a, b: a + b)
    cases.add("add_three_one_twice", two, lambda a, b: a + b + a)
    cases.add("multiply", two, lambda a, b: a * b)
    cases.add("multiply_itself", Input(*SMALL), lambda a: a * a)
    cases.add("multiply_factors", [Input(*SMALL), Input(2, 3, 1, 1)], lambda a, b: a * b)
    cases.add("concat", [Input(2, 3, 3, 2), Input(2, 5, 3, 2), Input(2, 1, 3, 2)],
              lambda *x: torch.cat(x, dim=1))


def main():
    cases = Cases()
    for family in (convolutions, norms, activations, pools, joins):
        family(cases)
    cases.goldens.end()


main()
