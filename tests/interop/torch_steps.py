"""Three training steps of tiny networks as PyTorch takes them, in float64: what the test
tests/train/backend/torch_steps_test.cpp holds the backends to.

    torch_steps.py FILE            compares the file with the PyTorch that is installed
    torch_steps.py FILE --write    writes it

FILE is tests/train/backend/torch_steps.txt. A case NET has the initial weights, pixels and labels by step,
and the first step's gradients; NET.OPTIMIZER has logits and losses by step and the weights after the last
one."""

from golden_text import Goldens
from probe import needs

numpy, torch = needs("numpy", "torch")
from torch import nn  # noqa: E402

NUM_STEPS = 3
BATCH = 4
LABEL_SMOOTHING = 0.1


class Residual(nn.Module):
    """Convolutions, batch norms, ReLUs, max-pool, a residual block, a biased convolution, global pool."""

    sides, num_classes = (3, 6, 5), 5

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.stem_bn = nn.BatchNorm2d(4)
        self.block1 = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.block1_bn = nn.BatchNorm2d(4)
        self.block2 = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.block2_bn = nn.BatchNorm2d(4)
        self.last = nn.Conv2d(4, 6, (3, 2), stride=(1, 2), padding=1)
        self.head = nn.Linear(6, 5)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.stem_bn(self.stem(x))), 2)
        inner = torch.relu(self.block1_bn(self.block1(x)))
        x = torch.relu(self.block2_bn(self.block2(inner)) + x)
        return self.head(torch.relu(self.last(x)).mean(dim=(2, 3)))


class Grouped(nn.Module):
    """Convolutions in groups and by channel, ReLU6, average pool, flatten."""

    sides, num_classes = (4, 5, 6), 3

    def __init__(self):
        super().__init__()
        self.grouped = nn.Conv2d(4, 6, 3, padding=1, groups=2)
        self.depthwise = nn.Conv2d(6, 6, 3, stride=(1, 2), padding=1, groups=6, bias=False)
        self.depthwise_bn = nn.BatchNorm2d(6)
        self.pointwise = nn.Conv2d(6, 3, 1, bias=False)
        self.pointwise_bn = nn.BatchNorm2d(3)
        self.head = nn.Linear(12, 3)

    def forward(self, x):
        x = torch.relu(self.grouped(x))
        x = nn.functional.relu6(self.depthwise_bn(self.depthwise(x)))
        x = nn.functional.avg_pool2d(self.pointwise_bn(self.pointwise(x)), (2, 2), stride=(2, 1))
        return self.head(torch.flatten(x, 1))


OPTIMIZERS = {
    "sgd": lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True),
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=0.02),
}
WEIGHT_DECAY = {"sgd": 0.05, "adamw": 0.3}


def drawn(random, shape, deviation, middle=0.0):
    """Three decimals, rounded to float32: short in the file, and the same number on both sides."""
    values = numpy.round(middle + deviation * random.standard_normal(tuple(shape)), 3)
    return torch.from_numpy(values.astype(numpy.float32).astype(numpy.float64))


def initial_weights(network, random):
    state = {}
    for name, tensor in network.state_dict().items():
        if tensor.dim() > 1:
            state[name] = drawn(random, tensor.shape, (1.5 / tensor[0].numel()) ** 0.5)
        elif name.endswith(("bn.weight", "running_var")):
            state[name] = drawn(random, tensor.shape, 0.2, middle=1.0)
        elif not name.endswith("num_batches_tracked"):
            state[name] = drawn(random, tensor.shape, 0.2)
    return state


def text(values, digits):
    return " ".join(f"{value:.{digits}g}" for value in values.detach().reshape(-1).tolist())


def exact(values):
    return text(values, 4)  # drawn() has no more digits


def result(values):
    return text(values, 9)


class Batches:
    def __init__(self, network, random):
        self.pixels = [drawn(random, (BATCH, *network.sides), 1.0) for _ in range(NUM_STEPS)]
        self.labels = [torch.from_numpy(random.randint(0, network.num_classes, BATCH))
                       for _ in range(NUM_STEPS)]


def decay_groups(network, decay):
    weights = [p for p in network.parameters() if p.dim() > 1]
    others = [p for p in network.parameters() if p.dim() == 1]
    return [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def play(network, initial, batches, optimizer):
    """Trains; returns what the case of the optimizer has, and the gradients of the first step."""
    network.load_state_dict(initial, strict=False)
    found, gradients = {}, {}
    for step in range(NUM_STEPS):
        logits = network.train()(batches.pixels[step])
        loss = nn.functional.cross_entropy(logits, batches.labels[step], label_smoothing=LABEL_SMOOTHING)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            gradients = {name: result(p.grad) for name, p in network.named_parameters()}
        optimizer.step()
        found |= {f"logits.{step}": result(logits), f"loss.{step}": result(loss)}
    found |= {name: result(tensor) for name, tensor in network.state_dict().items() if name in initial}
    return found, gradients


def main():
    torch.set_default_dtype(torch.float64)
    # Another version or processor may round the last digit of the file otherwise.
    goldens = Goldens("torch_steps.py", f"torch {torch.__version__.split('+')[0]}, float64",
                      relative=1e-7, absolute=1e-9)
    for name, family in (("residual", Residual), ("grouped", Grouped)):
        network, random = family(), numpy.random.RandomState(20)  # a stream that never changes
        initial, batches = initial_weights(network, random), Batches(network, random)
        given = {"initial." + key: exact(tensor) for key, tensor in initial.items()}
        for step in range(NUM_STEPS):
            given[f"pixels.{step}"] = exact(batches.pixels[step])
            given[f"labels.{step}"] = batches.labels[step]
        played = {}
        for kind, make in OPTIMIZERS.items():
            groups = decay_groups(network, WEIGHT_DECAY[kind])
            played[kind], gradients = play(network, initial, batches, make(groups))
        goldens.add(name, **given, **{"gradient." + key: value for key, value in gradients.items()})
        for kind, found in played.items():
            goldens.add(f"{name}.{kind}", **found)
    goldens.end()


main()
