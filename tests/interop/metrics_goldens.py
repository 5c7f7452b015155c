"""Metrics by scikit-learn, for tests/train/metrics: makes metrics_goldens.txt, or compares with it.

    metrics_goldens.py ../train/metrics/metrics_goldens.txt [--write]"""

from golden_text import Goldens
from probe import needs

numpy, sklearn = needs("numpy", "sklearn")
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve
from sklearn.utils.class_weight import compute_class_weight

goldens = Goldens("metrics_goldens.py",
                  f"scikit-learn {sklearn.__version__}, numpy {numpy.__version__}")
NUM_BINS = 15


def float32(values):
    """What a network gives, written with all its digits."""
    return numpy.asarray(values, dtype=numpy.float32).astype(numpy.float64)


def softmax(scores):
    powers = numpy.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def expected_calibration_error(is_correct, probability):
    """calibration_curve gives accuracy and probability of the bins that have samples; each weighs its
    samples."""
    accuracy, mean = calibration_curve(is_correct, probability, n_bins=NUM_BINS)
    edges = numpy.linspace(0, 1, NUM_BINS + 1)
    counts = numpy.bincount(numpy.searchsorted(edges[1:-1], probability), minlength=NUM_BINS)
    counts = counts[counts > 0]
    return float((counts * abs(accuracy - mean)).sum() / counts.sum())


def add_one_class(case, scores, labels, weights=None, top_k=2):
    scores, labels = float32(scores), numpy.asarray(labels)
    num_classes = scores.shape[1]
    weights = numpy.ones(len(labels)) if weights is None else float32(weights)
    entries = {"num_classes": num_classes, "top_k": top_k, "scores": scores, "labels": labels,
               "weights": weights}
    counted = weights > 0
    scores, labels, weights = scores[counted], labels[counted], weights[counted]
    every = list(range(num_classes))
    # argsort puts equal scores in the order of their classes.
    order = numpy.argsort(-scores, axis=1, kind="stable")
    predicted = order[:, 0]
    has_ties = any(len(numpy.unique(row)) < num_classes for row in scores)
    if not has_ties and num_classes > 2 and len(numpy.unique(labels)) > 1:
        entries["top_k_accuracy"] = float(sk.top_k_accuracy_score(labels, scores, k=top_k,
                                                                  labels=every))
    else:
        entries["top_k_accuracy"] = float((order[:, :top_k] == labels[:, None]).any(axis=1).mean())
    entries["accuracy"] = float(sk.accuracy_score(labels, predicted))
    entries["confusion"] = sk.confusion_matrix(labels, predicted, labels=every)
    of_classes = sk.precision_recall_fscore_support(labels, predicted, labels=every, zero_division=0)
    for name, values in zip(("precision", "recall", "f1"), of_classes):
        entries[name] = values
    for average in ("macro", "weighted", "micro"):
        shares = sk.precision_recall_fscore_support(labels, predicted, average=average,
                                                    zero_division=0)
        entries[average] = [float(share) for share in shares[:3]]
    probabilities = softmax(scores)
    entries["nll"] = float(sk.log_loss(labels, probabilities, labels=every, sample_weight=weights))
    entries["calibration_error"] = expected_calibration_error(
        (predicted == labels).astype(int), probabilities[numpy.arange(len(labels)), predicted])
    goldens.add(case, **entries)


def add_several_labels(case, scores, targets, thresholds):
    scores, targets = float32(scores), numpy.asarray(targets)
    thresholds = float32(thresholds)
    predicted = (scores >= thresholds).astype(int)
    entries = {"num_labels": scores.shape[1], "thresholds": thresholds, "scores": scores,
               "targets": targets, "exact_match": float(sk.accuracy_score(targets, predicted))}
    for average in ("micro", "macro"):
        shares = sk.precision_recall_fscore_support(targets, predicted, average=average,
                                                    zero_division=0)
        entries[average] = [float(share) for share in shares[:3]]
    precisions, areas, best_scores, best_f1s = [], [], [], []
    for label in range(scores.shape[1]):
        truth, score = targets[:, label], scores[:, label]
        if truth.any():
            precisions.append(float(sk.average_precision_score(truth, score)))
            precision, recall, steps = sk.precision_recall_curve(truth, score)
            f1 = 2 * precision * recall / numpy.maximum(precision + recall, 1e-300)
            best = len(steps) - 1 - int(numpy.argmax(f1[:-1][::-1].round(12)))
            best_scores.append(float(steps[best]))
            best_f1s.append(float(f1[best]))
        if truth.any() and not truth.all():
            areas.append(float(sk.roc_auc_score(truth, score)))
    entries |= {"average_precision": precisions, "roc_auc": areas, "best_scores": best_scores,
                "best_f1": best_f1s, "mean_average_precision": float(numpy.mean(precisions)),
                "macro_roc_auc": float(numpy.mean(areas))}
    goldens.add(case, **entries)


def add_regression(case, predicted, targets, weights):
    predicted, targets, weights = float32(predicted), float32(targets), float32(weights)
    entries = {"num_outputs": targets.shape[1], "scores": predicted, "targets": targets,
               "weights": weights}
    for name, function in (("mae", sk.mean_absolute_error), ("mse", sk.mean_squared_error),
                           ("rmse", sk.root_mean_squared_error), ("r2", sk.r2_score)):
        entries[name] = function(targets, predicted, sample_weight=weights,
                                 multioutput="raw_values")
        entries[f"mean_{name}"] = float(function(targets, predicted, sample_weight=weights))
    goldens.add(case, **entries)


random = numpy.random.default_rng(11)

labels = random.integers(0, 5, 60)
scores = random.normal(0, 1, (60, 5)).round(3)
scores[numpy.arange(60), labels] += 1.0625
add_one_class("one_class_plain", scores, labels, top_k=3)
add_one_class("one_class_weights", scores[:20], labels[:20],
              weights=random.integers(0, 5, 20) / 4)
add_one_class("one_class_ties", random.integers(0, 3, (40, 4)) / 2, random.integers(0, 4, 40))
# Class 3 is never a label, class 4 neither label nor prediction, class 2 never a prediction.
rare = scores[:30].copy()
rare[:, 4] -= 20
rare[:, 2] -= 20
add_one_class("one_class_absent", rare, numpy.where(labels[:30] > 2, 1, labels[:30]))
add_one_class("one_class_sure", scores * 8, labels)
add_one_class("one_class_single_sample", scores[:1], labels[:1])
add_one_class("one_class_two_classes", scores[:, :2], labels % 2, top_k=1)

targets = (random.random((50, 4)) < (0.1, 0.3, 0.5, 0.7)).astype(int)
scores = (random.normal(-0.5, 1, (50, 4)) + targets).round(3)
add_several_labels("several_labels_plain", scores, targets, [0, 0, 0, 0])
add_several_labels("several_labels_thresholds", scores, targets, [-0.5, 0.25, 0.125, 1])
# Many equal scores; label 0 is never there, label 1 always.
targets[:, 0], targets[:, 1] = 0, 1
add_several_labels("several_labels_ties", (scores * 2).round(0) / 2, targets, [0, 0, 0, 0])

targets = random.normal(0, 2, (30, 2)).round(3)
predicted = targets + random.normal(0, 0.5, (30, 2)).round(3)
add_regression("regression_plain", predicted, targets, numpy.ones(30))
add_regression("regression_weights", predicted, targets, random.integers(1, 9, 30) / 4)
add_regression("regression_far_from_zero", (predicted * 8).round() / 8 + 100_000,
               (targets * 8).round() / 8 + 100_000, numpy.ones(30))
constant = numpy.column_stack([numpy.full(5, 2.5), numpy.full(5, -1.0)])
exact = constant.copy()
exact[2, 0] = 3
add_regression("regression_constant_targets", exact, constant, numpy.ones(5))

for case, counts in (("balanced", [30, 10, 5, 3]), ("balanced_even", [7, 7, 7])):
    classes = numpy.arange(len(counts))
    goldens.add(case, counts=counts, weights=compute_class_weight(
        "balanced", classes=classes, y=numpy.repeat(classes, counts)))
goldens.end()
