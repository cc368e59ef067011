"""The figures that the tests of metrics expect, by scikit-learn 1.9.1.

pip install scikit-learn==1.9.1 && python metrics.py
"""

import warnings

from sklearn import metrics

warnings.simplefilter("ignore")


def show(name, truth, predicted, probabilities=None):
    print(name)
    print("  confusion", metrics.confusion_matrix(truth, predicted).tolist())
    print("  accuracy", repr(metrics.accuracy_score(truth, predicted)))
    print("  balanced_accuracy", repr(metrics.balanced_accuracy_score(truth, predicted)))
    for figure in ["precision", "recall", "f1"]:
        score = getattr(metrics, figure + "_score")
        print("  macro_" + figure, repr(score(truth, predicted, average="macro", zero_division=0)))
    if probabilities:
        print("  log_loss", repr(metrics.log_loss(truth, probabilities)))


def most_likely(probabilities):
    return [row.index(max(row)) for row in probabilities]


# train/metric/scored.rs: THREE_CLASSES
probabilities = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3], [0.3, 0.3, 0.4], [0.6, 0.3, 0.1], [0.5, 0.1, 0.4]]
show("three classes", [0, 1, 2, 2, 1, 0], most_likely(probabilities), probabilities)
# report/metrics.rs
probabilities[5] = [0.2, 0.2, 0.6]
show("another prediction", [0, 1, 2, 2, 1, 0], most_likely(probabilities), probabilities)
# Class 2 has no row but is predicted, class 3 appears nowhere.
show("a class without a row", [0, 0, 1, 1], [0, 0, 1, 2])
print("roc_auc", metrics.roc_auc_score([0, 0, 1, 1, 1], [0.1, 0.4, 0.35, 0.8, 0.4]))
# train/metric/scored.rs: NUMBERS
truth, predicted = [[3.0, 0.2], [-0.5, 0.2], [2.0, 0.5], [7.0, 0.1]], [[2.5, 0.1], [0.0, 0.2], [2.0, 0.3], [8.0, 0.1]]
for name, truth, predicted in [("two targets", truth, predicted), ("one target", [3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0])]:
    print(name)
    print("  r2", repr(metrics.r2_score(truth, predicted)))
    print("  mae", repr(metrics.mean_absolute_error(truth, predicted)))
    print("  rmse", repr(metrics.root_mean_squared_error(truth, predicted)))
# tests/it/weights.rs: rows that count differently
weights = [1.0, 0.5, 2.0, 0.0, 3.0, 1.5]
truth = [0, 1, 2, 2, 1, 0]
probabilities = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3], [0.3, 0.3, 0.4], [0.6, 0.3, 0.1], [0.5, 0.1, 0.4]]
predicted = most_likely(probabilities)
print("weighted classes")
print("  accuracy", repr(metrics.accuracy_score(truth, predicted, sample_weight=weights)))
print("  balanced_accuracy", repr(metrics.balanced_accuracy_score(truth, predicted, sample_weight=weights)))
for figure in ["precision", "recall", "f1"]:
    score = getattr(metrics, figure + "_score")
    print("  macro_" + figure, repr(score(truth, predicted, average="macro", zero_division=0, sample_weight=weights)))
print("  log_loss", repr(metrics.log_loss(truth, probabilities, sample_weight=weights)))
second = [0.1, 0.4, 0.35, 0.8, 0.4, 0.4]
print("  roc_auc", repr(metrics.roc_auc_score([0, 0, 1, 1, 1, 0], second, sample_weight=weights)))
truth, predicted, weights = [3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0], [1.0, 0.5, 2.0, 3.0]
print("weighted numbers")
print("  rmse", repr(metrics.root_mean_squared_error(truth, predicted, sample_weight=weights)))
print("  mae", repr(metrics.mean_absolute_error(truth, predicted, sample_weight=weights)))
print("  r2", repr(metrics.r2_score(truth, predicted, sample_weight=weights)))
# train/metric/scored.rs: AMOUNTS, by the costs that have scores of their own
truth, predicted, weights = [3.0, 0.25, 2.0, 7.0, 3.0], [2.5, 0.5, 1.0, 8.0, 3.5], [1.0, 0.5, 2.0, 0.0, 3.0]
for sample_weight in [None, weights]:
    print("amounts", "weighted" if sample_weight else "")
    options = {"sample_weight": sample_weight}
    print("  poisson", repr(metrics.mean_poisson_deviance(truth, predicted, **options)))
    print("  gamma", repr(metrics.mean_gamma_deviance(truth, predicted, **options)))
    print("  tweedie:1.5", repr(metrics.mean_tweedie_deviance(truth, predicted, power=1.5, **options)))
    print("  quantile:0.9", repr(metrics.mean_pinball_loss(truth, predicted, alpha=0.9, **options)))
    for power in [1, 2, 1.5]:
        print("  d2 of power", power, repr(metrics.d2_tweedie_score(truth, predicted, power=power, **options)))
    print("  d2 of quantile:0.9", repr(metrics.d2_pinball_score(truth, predicted, alpha=0.9, **options)))
    print("  d2 of absolute_error", repr(metrics.d2_absolute_error_score(truth, predicted, **options)))
print("poisson of a zero", repr(metrics.mean_poisson_deviance([0.0, 3.0], [0.5, 2.0])))
# train/metric/brier.rs, calibration_error.rs
import numpy as np


def calibration_error(truth, probabilities, bins=15):
    """Guo and others, 2017: bins of the same width with their upper ends, by the probability of the predicted class."""
    probabilities, truth = np.array(probabilities), np.array(truth)
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    error = 0.0
    for low in range(bins):
        own = (sure > low / bins) & (sure <= (low + 1) / bins)
        if own.any():
            error += own.mean() * abs(right[own].mean() - sure[own].mean())
    return error


truth = [0, 1, 2, 2, 1, 0]
probabilities = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3], [0.3, 0.3, 0.4], [0.6, 0.3, 0.1], [0.5, 0.1, 0.4]]
print("brier of three classes", repr(metrics.brier_score_loss(truth, probabilities, labels=[0, 1, 2])))
print("calibration error", repr(float(calibration_error(truth, probabilities))))
second = [0.1, 0.4, 0.35, 0.8, 0.4]
print("brier of two classes", repr(metrics.brier_score_loss([0, 0, 1, 1, 1], second)))
print("calibration error", repr(float(calibration_error([0, 0, 1, 1, 1], [[1 - p, p] for p in second]))))
# train/metric/scored.rs: THREE_LABELS, and with weights (tests in report/labels.rs)
truth = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 0], [1, 1, 0]])
probabilities = np.array([[0.9, 0.2, 0.6], [0.4, 0.7, 0.1], [0.8, 0.6, 0.3], [0.3, 0.45, 0.2], [0.7, 0.9, 0.4]])
predicted = (probabilities > 0.5).astype(int)
for sample_weight in [None, [1.0, 0.5, 2.0, 0.25, 3.0]]:
    options = {"sample_weight": sample_weight}
    print("labels", "weighted" if sample_weight else "")
    print("  subset_accuracy", repr(metrics.accuracy_score(truth, predicted, **options)))
    print("  hamming_loss", repr(metrics.hamming_loss(truth, predicted, **options)))
    print("  micro_f1", repr(metrics.f1_score(truth, predicted, average="micro", zero_division=0, **options)))
    for figure in ["precision", "recall", "f1"]:
        score = getattr(metrics, figure + "_score")
        print("  macro_" + figure, repr(score(truth, predicted, average="macro", zero_division=0, **options)))
    print("  roc_auc", repr(metrics.roc_auc_score(truth, probabilities, average="macro", **options)))
    each = lambda score, what: np.mean([score(truth[:, at], what[:, at], **options) for at in range(3)])
    print("  accuracy", repr(each(metrics.accuracy_score, predicted)))
    print("  balanced_accuracy", repr(each(metrics.balanced_accuracy_score, predicted)))
    print("  log_loss", repr(each(metrics.log_loss, probabilities)))
    print("  brier", repr(each(metrics.brier_score_loss, probabilities)))
    print("  f1 of each", [repr(metrics.f1_score(truth[:, at], predicted[:, at], zero_division=0, **options)) for at in range(3)])
