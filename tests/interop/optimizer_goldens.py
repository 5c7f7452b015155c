"""Steps of optimizers and values of schedules as PyTorch makes them, and LAMB's from the paper's formulas.

    optimizer_goldens.py write FOLDER    writes optimizer_goldens.txt and schedule_goldens.txt there
    optimizer_goldens.py check FOLDER    compares the files there with what this machine's PyTorch gives

FOLDER is tests/train/optim. All values are float64, in digits that read back as the same number.
"""

import math
import os
import sys

from probe import Report, needs

numpy, torch = needs("numpy", "torch")
from torch.optim import lr_scheduler  # noqa: E402

NUM_STEPS = 6
# Two tensors: a weight, which decays, and a bias, which does not unless a case says so.
WEIGHT = [0.8, -1.3, 0.45]
BIAS = [0.25, -0.6]


def gradients(step):
    """Irregular, of both signs, one of them small; the third step's are large."""
    size = 40.0 if step == 2 else 1.0
    values = [size * math.sin(1.7 * i + 2.3 * step + 0.4) * (0.02 if i == 1 else 1.0)
              for i in range(len(WEIGHT) + len(BIAS))]
    return values[:len(WEIGHT)], values[len(WEIGHT):]


def rate_factor(step):
    return 1.0 - 0.1 * step


def numbers(values):
    return " ".join(repr(float(value)) for value in values)


class Lines:
    def __init__(self, title):
        self.lines = [f"# {title}",
                      "# Written by tests/interop/optimizer_goldens.py with torch "
                      f"{torch.__version__.split('+')[0]}, numpy {numpy.__version__}, in float64."]

    def case(self, name, settings):
        self.lines += ["", f"case {name}"]
        self.lines += [f"set {key} {value}" for key, value in settings.items()]

    def row(self, key, values):
        self.lines.append(f"{key} {numbers(values)}")

    def text(self):
        return "\n".join(self.lines) + "\n"


# Optimizers. A case's settings have the names of OptimizerConfig; those not given are its defaults,
# which the reader of the file takes from OptimizerConfig::of(kind), and which stand here once more.

DEFAULTS = {
    "sgd": {"learning_rate": 0.1, "momentum": 0.9, "nesterov": 1, "weight_decay": 5e-4},
    "adam": {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0},
    "adamw": {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8,
              "weight_decay": 1e-2},
    "rmsprop": {"learning_rate": 1e-2, "alpha": 0.99, "momentum": 0.0, "epsilon": 1e-8,
                "weight_decay": 0.0},
    "lamb": {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-6, "weight_decay": 1e-2},
}

CASES = [
    ("sgd", {}),
    ("sgd", {"momentum": 0.0, "nesterov": 0, "weight_decay": 0.0}),
    ("sgd", {"nesterov": 0, "weight_decay": 0.0}),
    ("sgd", {"momentum": 0.0, "nesterov": 0, "weight_decay": 0.05}),
    ("sgd", {"weight_decay": 0.05, "decays_norm_and_bias": 1}),
    ("sgd", {"l1": 0.03}),
    ("sgd", {"l1": 0.03, "decays_norm_and_bias": 1}),
    ("sgd", {"clip_norm": 0.9}),
    ("sgd", {"clip_value": 0.4}),
    ("sgd", {"clip_value": 0.4, "l1": 0.03, "weight_decay": 0.05}),
    ("adam", {}),
    ("adam", {"learning_rate": 0.05, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3}),
    ("adam", {"learning_rate": 0.05, "weight_decay": 0.1}),
    ("adam", {"learning_rate": 0.05, "clip_norm": 0.9}),
    ("adam", {"learning_rate": 0.05, "l1": 0.03}),
    ("adamw", {}),
    ("adamw", {"learning_rate": 0.05, "weight_decay": 0.3}),
    ("adamw", {"learning_rate": 0.05, "weight_decay": 0.3, "decays_norm_and_bias": 1}),
    ("rmsprop", {}),
    ("rmsprop", {"alpha": 0.9, "epsilon": 1e-3}),
    ("rmsprop", {"momentum": 0.9}),
    ("rmsprop", {"momentum": 0.5, "weight_decay": 0.1}),
    ("lamb", {}),
    ("lamb", {"learning_rate": 0.05, "weight_decay": 0.1}),
    ("lamb", {"learning_rate": 0.05, "weight_decay": 0.0}),
    ("lamb", {"learning_rate": 0.05, "weight_decay": 0.1, "decays_norm_and_bias": 1}),
    ("sgd", {"ema_decay": 0.9}),
    ("adamw", {"learning_rate": 0.05, "ema_decay": 0.3, "ema_warmup": 1}),
    ("adamw", {"learning_rate": 0.05, "clip_value": 0.4, "l1": 0.03}),
    ("rmsprop", {"momentum": 0.9, "clip_norm": 0.9, "l1": 0.03, "ema_decay": 0.9}),
    ("lamb", {"learning_rate": 0.05, "clip_norm": 0.9, "l1": 0.03, "ema_decay": 0.9}),
]


def torch_optimizer(kind, settings, parameters):
    decayed, other = ({"params": [parameters[0]], "weight_decay": settings["weight_decay"]},
                      {"params": [parameters[1]], "weight_decay": 0.0})
    if settings.get("decays_norm_and_bias"):
        other["weight_decay"] = settings["weight_decay"]
    groups, rate = [decayed, other], settings["learning_rate"]
    if kind == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=settings["momentum"],
                               nesterov=bool(settings["nesterov"]))
    if kind == "rmsprop":
        return torch.optim.RMSprop(groups, lr=rate, alpha=settings["alpha"], eps=settings["epsilon"],
                                   momentum=settings["momentum"])
    family = torch.optim.Adam if kind == "adam" else torch.optim.AdamW
    return family(groups, lr=rate, betas=(settings["beta1"], settings["beta2"]),
                  eps=settings["epsilon"])


class PaperLamb:
    """You et al. 2020, algorithm 2, on lists of arrays; the bias neither decays nor is adapted."""

    def __init__(self, settings, parameters):
        self.settings, self.parameters = settings, parameters
        self.means = [(numpy.zeros(p.numel()), numpy.zeros(p.numel())) for p in parameters]
        self.param_groups = [{"lr": settings["learning_rate"]}]
        self.t = 0

    def step(self):
        s, self.t = self.settings, self.t + 1
        for i, parameter in enumerate(self.parameters):
            x, g = parameter.detach().numpy(), parameter.grad.numpy()
            m, v = self.means[i]
            m = s["beta1"] * m + (1 - s["beta1"]) * g
            v = s["beta2"] * v + (1 - s["beta2"]) * g ** 2
            self.means[i] = (m, v)
            m_hat, v_hat = m / (1 - s["beta1"] ** self.t), v / (1 - s["beta2"] ** self.t)
            r = m_hat / (numpy.sqrt(v_hat) + s["epsilon"])
            rate = self.param_groups[0]["lr"]
            if i == 0 or s.get("decays_norm_and_bias"):
                r = r + s["weight_decay"] * x
                rate = rate * numpy.linalg.norm(x) / numpy.linalg.norm(r)
            parameter.data = torch.from_numpy(x - rate * r)


def shape_gradients(settings, parameters):
    if settings.get("clip_norm"):
        torch.nn.utils.clip_grad_norm_(parameters, settings["clip_norm"])
    if settings.get("clip_value"):
        torch.nn.utils.clip_grad_value_(parameters, settings["clip_value"])
    penalised = parameters if settings.get("decays_norm_and_bias") else parameters[:1]
    for parameter in penalised:
        parameter.grad += settings.get("l1", 0.0) * torch.sign(parameter.detach())


def play_optimizer(out, kind, changed):
    settings = DEFAULTS[kind] | changed
    name = "_".join([kind, *(f"{key}_{value}" for key, value in changed.items())])
    out.case(name, {"kind": kind} | changed)
    parameters = [torch.tensor(values, dtype=torch.float64, requires_grad=True)
                  for values in (WEIGHT, BIAS)]
    optimizer = (PaperLamb(settings, parameters) if kind == "lamb"
                 else torch_optimizer(kind, settings, parameters))
    averages = [parameter.detach().clone() for parameter in parameters]
    for step in range(NUM_STEPS):
        for parameter, values in zip(parameters, gradients(step)):
            parameter.grad = torch.tensor(values, dtype=torch.float64)
        shape_gradients(settings, parameters)
        for group in optimizer.param_groups:
            group["lr"] = settings["learning_rate"] * rate_factor(step)
        optimizer.step()
        out.row("weights", torch.cat([p.detach() for p in parameters]))
        if "ema_decay" in settings:
            decay, n = settings["ema_decay"], step + 1
            if settings.get("ema_warmup"):
                decay = min(decay, (1 + n) / (10 + n))
            average = torch.optim.swa_utils.get_ema_multi_avg_fn(decay)
            average(averages, [p.detach() for p in parameters], n)
            out.row("ema", torch.cat(averages))


def optimizer_text():
    out = Lines("Two tensors, three elements that decay and two that do not, after each of six steps.")
    out.case("inputs", {})
    out.row("weights", WEIGHT + BIAS)
    for step in range(NUM_STEPS):
        out.row("rate_factor", [rate_factor(step)])
        weight, bias = gradients(step)
        out.row("gradients", weight + bias)
    for kind, changed in CASES:
        play_optimizer(out, kind, changed)
    return out.text()


# Schedules. PyTorch's are stepped once per batch; what is counted in epochs there is counted in
# batches by multiplying.

PEAK = 0.4


def play_schedule(out, name, settings, num_steps, make):
    """`make` gives a scheduler for an optimizer whose learning rate is PEAK."""
    out.case(name, settings | {"num_steps": num_steps, "peak": PEAK})
    parameter = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=PEAK)
    scheduler = make(optimizer)
    rates = []
    for _ in range(num_steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    out.row("rates", rates)


def behind_warmup(num_warmup, start, make):
    """As in torchvision's recipes: LinearLR, then the schedule from its own step 0."""
    def both(optimizer):
        warmup = lr_scheduler.LinearLR(optimizer, start_factor=start, total_iters=num_warmup)
        return lr_scheduler.SequentialLR(optimizer, [warmup, make(optimizer)], milestones=[num_warmup])
    return both


def keras_polynomial(num_steps, end, power):
    """PolynomialDecay of Keras 3, written out; LambdaLR multiplies with the initial rate."""
    return lambda optimizer: lr_scheduler.LambdaLR(
        optimizer, lambda step: ((PEAK - end) * (1 - step / num_steps) ** power + end) / PEAK)


def schedules(out):
    def cosine(n, end=0.0):
        return lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=n, eta_min=end)

    def polynomial(n, power):
        return lambda o: lr_scheduler.PolynomialLR(o, total_iters=n, power=power)

    play_schedule(out, "constant_warmup", {"kind": "constant", "warmup_steps": 4}, 8,
                  lambda o: lr_scheduler.LinearLR(o, start_factor=0.01, total_iters=4))
    play_schedule(out, "cosine", {"kind": "cosine"}, 12, cosine(12))
    play_schedule(out, "cosine_end", {"kind": "cosine", "end_learning_rate": 0.05}, 12, cosine(12, 0.05))
    play_schedule(out, "cosine_warmup_steps",
                  {"kind": "cosine", "warmup_steps": 5, "warmup_start_factor": 0.2}, 15,
                  behind_warmup(5, 0.2, cosine(10)))
    play_schedule(out, "cosine_warmup_epochs",
                  {"kind": "cosine", "warmup_epochs": 1.5, "steps_per_epoch": 4}, 16,
                  behind_warmup(6, 0.01, cosine(10)))
    play_schedule(out, "polynomial", {"kind": "polynomial"}, 10, polynomial(10, 1.0))
    play_schedule(out, "polynomial_power", {"kind": "polynomial", "power": 2.5}, 10, polynomial(10, 2.5))
    play_schedule(out, "polynomial_end", {"kind": "polynomial", "power": 2.0, "end_learning_rate": 0.1},
                  10, keras_polynomial(10, 0.1, 2.0))
    play_schedule(out, "polynomial_warmup", {"kind": "polynomial", "power": 2.0, "warmup_steps": 3}, 11,
                  behind_warmup(3, 0.01, polynomial(8, 2.0)))
    play_schedule(out, "step_every", {"kind": "step", "step_epochs": 2, "steps_per_epoch": 3}, 20,
                  lambda o: lr_scheduler.StepLR(o, step_size=6, gamma=0.1))
    play_schedule(out, "step_milestones",
                  {"kind": "step", "milestone_epochs": "1,4,5", "gamma": 0.5, "steps_per_epoch": 3}, 20,
                  lambda o: lr_scheduler.MultiStepLR(o, milestones=[3, 12, 15], gamma=0.5))
    play_schedule(out, "exponential", {"kind": "exponential"}, 9,
                  lambda o: lr_scheduler.ExponentialLR(o, gamma=0.95))
    play_schedule(out, "exponential_warmup",
                  {"kind": "exponential", "gamma": 0.5, "warmup_steps": 2, "steps_per_epoch": 4}, 12,
                  behind_warmup(2, 0.01, lambda o: lr_scheduler.ExponentialLR(o, gamma=0.5 ** 0.25)))
    for n, share in ((10, 0.2), (25, 0.3)):
        play_schedule(out, f"one_cycle_{n}", {"kind": "one_cycle", "warmup_fraction": share}, n,
                      lambda o: OneCycle(o, n, share))


class OneCycle:
    """OneCycleLR refuses the step behind its last, which the player takes."""

    def __init__(self, optimizer, num_steps, share):
        self.left = num_steps - 1
        self.scheduler = lr_scheduler.OneCycleLR(optimizer, max_lr=PEAK, total_steps=num_steps,
                                                 pct_start=share, div_factor=25, final_div_factor=1e4,
                                                 cycle_momentum=False)

    def step(self):
        if self.left > 0:
            self.scheduler.step()
        self.left -= 1


# Falls by little where it is large, falls, stands, falls by little, rises; a value that is no number.
VALUES = [20.0, 19.5, 19.2, 19.1, 19.05, 2.0, 1.5, 1.5, 1.499, 1.6, 1.4, 1.4, float("nan"), 1.45, 1.3999, 1.41, 1.5, 1.2, 1.3, 1.3, 1.3,
          1.3, 1.3, 1.3, 1.3, 1.3]


def plateaus(out):
    for name, settings in (
            ("plateau", {"patience": 1}),
            ("plateau_no_patience", {"patience": 0, "factor": 0.5}),
            ("plateau_cooldown", {"patience": 1, "cooldown": 2, "factor": 0.5}),
            ("plateau_delta", {"patience": 2, "min_delta": 0.05, "factor": 0.5}),
            ("plateau_absolute", {"patience": 2, "min_delta": 0.05, "is_absolute": 1, "factor": 0.5}),
            ("plateau_max", {"patience": 2, "is_max": 1, "factor": 0.5, "min_delta": 0.01}),
            ("plateau_max_absolute",
             {"patience": 2, "is_max": 1, "is_absolute": 1, "factor": 0.5, "min_delta": 0.01}),
            ("plateau_least", {"patience": 0, "factor": 0.1, "min_learning_rate": 1e-3}),
            ("plateau_too_little", {"patience": 0, "factor": 0.99999999})):
        out.case(name, settings | {"peak": PEAK})
        parameter = torch.zeros(1, requires_grad=True)
        optimizer = torch.optim.SGD([parameter], lr=PEAK)
        scheduler = lr_scheduler.ReduceLROnPlateau(
            optimizer, mode="max" if settings.get("is_max") else "min",
            factor=settings.get("factor", 0.1), patience=settings["patience"],
            threshold=settings.get("min_delta", 1e-4),
            threshold_mode="abs" if settings.get("is_absolute") else "rel",
            cooldown=settings.get("cooldown", 0), min_lr=settings.get("min_learning_rate", 0.0))
        rates = []
        for value in VALUES:
            scheduler.step(value)
            rates.append(optimizer.param_groups[0]["lr"])
        out.row("values", VALUES)
        out.row("rates", rates)


def finder_case(out, name, settings, loss_of):
    """What is suggested: the last point before the bottom of the fall where a tenth of it is to come.
    The bottom is looked for between the first tenth and the first loss a quarter above that tenth."""
    n, beta = settings["num_steps"], settings["smoothing"]
    rates = numpy.geomspace(settings["low"], settings["high"], n)
    losses = loss_of(rates)
    running, smoothed = 0.0, []
    for i, loss in enumerate(losses):
        running = beta * running + (1 - beta) * loss
        smoothed.append(running / (1 - beta ** (i + 1)))
    smoothed = numpy.array(smoothed)
    k = n // 10
    above = numpy.flatnonzero(smoothed > 1.25 * smoothed[:k].max())
    bottom = k + smoothed[k:above[0] if len(above) else n].argmin()
    start = losses[:k].mean()
    depth = start - smoothed[bottom]
    high = numpy.flatnonzero(smoothed[k:bottom + 1] >= smoothed[bottom] + 0.1 * depth)
    out.case(name, settings)
    out.row("rates", rates)
    out.row("losses", losses)
    out.row("smoothed", smoothed)
    out.row("fall", [start, losses[:k].std(ddof=1), depth])
    out.row("bottom", [bottom])
    out.row("suggested", [k + high[-1]])


def finder(out):
    """A loss that falls, stands and rises; and one that falls, blows up and dips below its first bottom."""
    finder_case(out, "lr_finder", {"low": 1e-5, "high": 1.0, "num_steps": 40, "smoothing": 0.8},
                lambda rates: 2.3 - 1.1 / (1 + numpy.exp(-3 * (numpy.log10(rates) + 3)))
                + 0.8 * rates ** 2 + 0.01 * numpy.sin(7.0 * numpy.arange(len(rates))))

    def blown_up(rates):
        decades = numpy.log10(rates)
        falls = 2.8 - 0.35 / (1 + numpy.exp(-4 * (decades + 3)))
        blow = 3.5 * numpy.exp(-((decades + 0.7) / 0.3) ** 2)
        dip = 0.6 / (1 + numpy.exp(-12 * (decades - 0.3)))
        return falls + blow - dip + 0.05 * numpy.sin(5.0 * numpy.arange(len(rates)))

    finder_case(out, "lr_finder_blown_up",
                {"low": 1e-7, "high": 10.0, "num_steps": 100, "smoothing": 0.9}, blown_up)


def schedule_text():
    out = Lines("Learning rates of each step, and of each epoch where a metric decides.")
    schedules(out)
    plateaus(out)
    finder(out)
    return out.text()


def differ(found, expected):
    """The largest difference of numbers, relative to the larger of 1e-3 and the number; infinite
    where lines differ in anything else. Comments are left out."""
    rows = [[line.split() for line in text.splitlines() if line and line[0] != "#"]
            for text in (found, expected)]
    if [len(row) for row in rows[0]] != [len(row) for row in rows[1]]:
        return math.inf
    largest = 0.0
    for a, b in zip(sum(rows[0], []), sum(rows[1], [])):
        if a == b:
            continue
        try:
            largest = max(largest, abs(float(a) - float(b)) / max(1e-3, abs(float(b))))
        except ValueError:
            return math.inf
    return largest


def main():
    what, folder = sys.argv[1:]
    report = Report()
    for name, text in (("optimizer_goldens.txt", optimizer_text()),
                       ("schedule_goldens.txt", schedule_text())):
        path = os.path.join(folder, name)
        if what == "write":
            with open(path, "w") as file:
                file.write(text)
        else:
            # Another version may take the operations of a step in another order.
            with open(path) as file:
                report.at_most(f"{name}: largest relative difference", differ(text, file.read()), 1e-10)
    report.end()


main()
