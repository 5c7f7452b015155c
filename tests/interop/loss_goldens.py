"""Losses and gradients by PyTorch in float64, for tests/train/loss: makes loss_goldens.txt, or compares
with it. Focal losses are PyTorch's cross-entropies with the factors of Lin et al. 2017, eq. 5;
gradients are autograd's.

    loss_goldens.py ../train/loss/loss_goldens.txt [--write]"""

from golden_text import Goldens
from probe import needs

numpy, torch = needs("numpy", "torch")
from torch.nn import functional

goldens = Goldens("loss_goldens.py", f"torch {torch.__version__.split('+')[0]}")
random = numpy.random.default_rng(5)
BATCH, OUTPUTS = 6, 4


def tensor(values):
    """float32 values, since that is what batches hold, for arithmetic in float64."""
    return torch.tensor(numpy.asarray(values, dtype=numpy.float32).astype(numpy.float64))


SCORES = tensor(random.normal(0, 2, (BATCH, OUTPUTS)).round(3))
LABELS = torch.tensor(random.integers(0, OUTPUTS, BATCH))
ONE_HOT = functional.one_hot(LABELS, OUTPUTS).double()
SOFT = tensor(random.integers(0, 5, (BATCH, OUTPUTS)) + 0.5)
SOFT = tensor((SOFT / SOFT.sum(dim=1, keepdim=True)).numpy())
HARD = tensor(random.integers(0, 2, (BATCH, OUTPUTS)))
WEIGHTS = tensor([1, 0.5, 2, 0, 0.25, 1])
CLASS_WEIGHTS = tensor([0.5, 1, 3, 0.25])
POSITIVE_WEIGHTS = tensor([2, 0.5, 1, 4])
ALPHA = tensor([0.25, 0.5, 0.75, 1])
NUMBERS = tensor(random.normal(0, 2, (BATCH, OUTPUTS)).round(2))


def add(case, kind, losses, weight_sum, **inputs):
    """`losses` of (scores): one a sample, sample weights not yet in them."""
    scores = SCORES.clone().requires_grad_()
    weights = inputs.pop("weights", torch.ones(BATCH, dtype=torch.float64))
    total = (losses(scores) * weights).sum()
    (total / weight_sum).backward()
    goldens.add(case, kind=kind, outputs=OUTPUTS, scores=SCORES, weights=weights,
                weight_sum=float(weight_sum), loss_sum=float(total.detach()), gradient=scores.grad,
                **inputs)


def cross_entropy(target, **settings):
    return lambda scores: functional.cross_entropy(scores, target, reduction="none", **settings)


def add_mean(case, target, **settings):
    """PyTorch's own mean fixes the denominator."""
    weights = settings.get("weight")
    add(case, "cross_entropy", cross_entropy(target, **settings),
        BATCH if weights is None else weights[target].sum(),
        labels=target, label_smoothing=settings.get("label_smoothing", 0.0),
        **({} if weights is None else {"class_weights": weights}))
    mean = functional.cross_entropy(SCORES, target, **settings)
    total = cross_entropy(target, **settings)(SCORES).sum()
    assert abs(mean - total / (BATCH if weights is None else weights[target].sum())) < 1e-12


add_mean("labels", LABELS)
add_mean("labels_smoothed", LABELS, label_smoothing=0.1)
add_mean("labels_class_weights", LABELS, weight=CLASS_WEIGHTS)
add_mean("labels_class_weights_smoothed", LABELS, weight=CLASS_WEIGHTS, label_smoothing=0.2)
add("labels_sample_weights", "cross_entropy", cross_entropy(LABELS), WEIGHTS.sum(), labels=LABELS,
    weights=WEIGHTS)
add("one_hot", "cross_entropy", cross_entropy(ONE_HOT), BATCH, targets=ONE_HOT)
add("soft", "cross_entropy", cross_entropy(SOFT), WEIGHTS.sum(), targets=SOFT, weights=WEIGHTS)
add("soft_smoothed", "cross_entropy", cross_entropy(SOFT, label_smoothing=0.1), BATCH,
    targets=SOFT, label_smoothing=0.1)
add("soft_class_weights", "cross_entropy",
    cross_entropy(SOFT, weight=CLASS_WEIGHTS, label_smoothing=0.1),
    (WEIGHTS * (SOFT * CLASS_WEIGHTS).sum(dim=1)).sum(), targets=SOFT, weights=WEIGHTS,
    class_weights=CLASS_WEIGHTS, label_smoothing=0.1)


def smoothed_pair(target, smoothing):
    """Keras, BinaryCrossentropy(label_smoothing)."""
    return target * (1 - smoothing) + smoothing / 2


def binary(target, **settings):
    return lambda scores: functional.binary_cross_entropy_with_logits(
        scores, target, reduction="none", **settings).mean(dim=1)


add("binary", "binary_cross_entropy", binary(HARD), WEIGHTS.sum(), targets=HARD, weights=WEIGHTS)
add("binary_positive_weights", "binary_cross_entropy", binary(HARD, pos_weight=POSITIVE_WEIGHTS),
    BATCH, targets=HARD, positive_weights=POSITIVE_WEIGHTS)
add("binary_smoothed", "binary_cross_entropy", binary(smoothed_pair(HARD, 0.2)), BATCH,
    targets=HARD, label_smoothing=0.2)
add("binary_soft", "binary_cross_entropy", binary(SOFT, pos_weight=POSITIVE_WEIGHTS[:1]), BATCH,
    targets=SOFT, positive_weights=POSITIVE_WEIGHTS[:1])


def focal(target, gamma, factor):
    def losses(scores):
        log_p = functional.log_softmax(scores, dim=1)
        return -(factor * target * (1 - log_p.exp()) ** gamma * log_p).sum(dim=1)
    return losses


add("focal", "focal", focal(ONE_HOT, 2, 0.25), BATCH, labels=LABELS, focal_gamma=2.0,
    focal_alpha=0.25)
add("focal_low_gamma", "focal", focal(ONE_HOT, 0.5, ALPHA), WEIGHTS.sum(), labels=LABELS,
    focal_gamma=0.5, focal_alpha=ALPHA, weights=WEIGHTS)
add("focal_soft_smoothed", "focal", focal(SOFT * 0.9 + 0.1 / OUTPUTS, 3, CLASS_WEIGHTS),
    (SOFT * CLASS_WEIGHTS).sum(), targets=SOFT, focal_gamma=3.0, class_weights=CLASS_WEIGHTS,
    label_smoothing=0.1)


def binary_focal(target, gamma, alpha):
    """As torchvision.ops.sigmoid_focal_loss writes it."""
    def losses(scores):
        p = scores.sigmoid()
        plain = functional.binary_cross_entropy_with_logits(scores, target, reduction="none")
        p_t = p * target + (1 - p) * (1 - target)
        factor = 1 if alpha is None else alpha * target + (1 - alpha) * (1 - target)
        return (factor * plain * (1 - p_t) ** gamma).mean(dim=1)
    return losses


add("binary_focal", "binary_focal", binary_focal(HARD, 2, 0.25), BATCH, targets=HARD,
    focal_gamma=2.0, focal_alpha=0.25)
add("binary_focal_no_alpha", "binary_focal", binary_focal(HARD, 0.5, None), WEIGHTS.sum(),
    targets=HARD, focal_gamma=0.5, weights=WEIGHTS)
add("binary_focal_soft", "binary_focal", binary_focal(smoothed_pair(SOFT, 0.1), 1.5, ALPHA), BATCH,
    targets=SOFT, focal_gamma=1.5, focal_alpha=ALPHA, label_smoothing=0.1)

add("squared", "mean_squared_error",
    lambda scores: functional.mse_loss(scores, NUMBERS, reduction="none").mean(dim=1),
    WEIGHTS.sum(), targets=NUMBERS, weights=WEIGHTS)
add("absolute", "mean_absolute_error",
    lambda scores: functional.l1_loss(scores, NUMBERS, reduction="none").mean(dim=1),
    WEIGHTS.sum(), targets=NUMBERS, weights=WEIGHTS)
goldens.end()
