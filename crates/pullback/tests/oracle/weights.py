"""Costs and gradients of weighted rows in float64, by PyTorch, and a step of weighted descent, by scikit-learn.

    pip install torch==2.15.0 scikit-learn==1.9.1 && python weights.py > weights.json
"""

import json
import sys
import warnings

import numpy
import torch
import torch.nn.functional as F
from sklearn.neural_network import MLPClassifier, MLPRegressor

warnings.simplefilter("ignore")
torch.set_default_dtype(torch.float64)
dice = numpy.random.default_rng(20261129)

BATCH, INPUTS, HIDDEN, OUTPUTS = 7, 4, 5, 3
L2, RATE = 0.03, 0.1
WEIGHTS = [1.0, 0.0, 2.5, 0.125, 3.0, 1e-3, 7.0]

# Of each example, without the mean over examples.
COSTS = {
    "softmax_cross_entropy": lambda z, t: -(t * F.log_softmax(z, 1)).sum(1),
    "sigmoid_cross_entropy": lambda z, t: F.binary_cross_entropy_with_logits(z, t, reduction="none").sum(1),
    "squared_error": lambda z, t: 0.5 * F.mse_loss(z, t, reduction="none").sum(1),
    "absolute_error": lambda z, t: F.l1_loss(z, t, reduction="none").sum(1),
    "huber:0.5": lambda z, t: F.huber_loss(z, t, reduction="none", delta=0.5).sum(1),
    "quantile:0.9": lambda z, t: torch.maximum(0.9 * (t - z), -0.1 * (t - z)).sum(1),
    "poisson": lambda z, t: F.poisson_nll_loss(z, t, log_input=True, full=False, reduction="none").sum(1),
    "gamma": lambda z, t: -torch.distributions.Gamma(1.0, torch.exp(-z)).log_prob(t).sum(1),
    "tweedie:1.3": lambda z, t: (torch.exp(z) ** 0.7 / 0.7 + t * torch.exp(z) ** -0.3 / 0.3).sum(1),
    "smoothed_cross_entropy:0.2": lambda z, t: F.cross_entropy(z, t.argmax(1), reduction="none", label_smoothing=0.2),
    "focal:1.5": lambda z, t: (
        F.binary_cross_entropy_with_logits(z, t, reduction="none") * torch.sigmoid((1 - 2 * t) * z) ** 1.5
    ).sum(1),
}


def drawn(outputs):
    """Weights and biases of two layers, as `[units, inputs]`."""
    return [dice.normal(size=shape) * 0.5 for shape in [(HIDDEN, INPUTS), (HIDDEN,), (outputs, HIDDEN), (outputs,)]]


def flat(array):
    return numpy.asarray(array, dtype=float).ravel().tolist()


def targets(cost):
    if cost in ("softmax_cross_entropy", "smoothed_cross_entropy:0.2"):
        return numpy.eye(OUTPUTS)[dice.integers(OUTPUTS, size=BATCH)]
    if cost in ("sigmoid_cross_entropy", "focal:1.5"):
        return dice.integers(2, size=(BATCH, OUTPUTS)).astype(float)
    if cost in ("poisson", "tweedie:1.3"):
        return dice.poisson(1.5, size=(BATCH, OUTPUTS)).astype(float)
    if cost == "gamma":
        return dice.uniform(0.1, 3, size=(BATCH, OUTPUTS))
    return dice.normal(size=(BATCH, OUTPUTS))


def by_pytorch(cost):
    x, t, start = dice.normal(size=(BATCH, INPUTS)), targets(cost), drawn(OUTPUTS)
    w1, b1, w2, b2 = parameters = [torch.tensor(array, requires_grad=True) for array in start]
    z = torch.tanh(torch.tensor(x) @ w1.T + b1) @ w2.T + b2
    weights = torch.tensor(WEIGHTS)
    value = (weights * COSTS[cost](z, torch.tensor(t))).sum() / weights.sum()
    value = value + L2 / 2 * ((w1**2).sum() + (w2**2).sum())
    value.backward()
    return {
        "cost": cost,
        "features": flat(x),
        "targets": flat(t),
        "parameters": [flat(array) for array in start],
        "value": value.item(),
        "gradients": [flat(parameter.grad.numpy()) for parameter in parameters],
    }


def by_scikit_learn(kind):
    outputs = OUTPUTS if kind == "classes" else 1
    x, start = dice.normal(size=(BATCH, INPUTS)), drawn(outputs)
    settings = dict(
        hidden_layer_sizes=(HIDDEN,), activation="tanh", solver="sgd", momentum=0, learning_rate_init=RATE, alpha=0,
        batch_size=BATCH, shuffle=False,
    )
    if kind == "numbers":
        y, model, more = dice.normal(size=BATCH), MLPRegressor(**settings), {}
    else:
        y = numpy.arange(BATCH) % max(outputs, 2)
        model, more = MLPClassifier(**settings), {"classes": numpy.unique(y)}
    model.partial_fit(x, y, **more)
    # Begin again, with these weights.
    del model._optimizer
    w1, b1, w2, b2 = [array.copy() for array in start]
    model.coefs_, model.intercepts_ = [w1.T.copy(), w2.T.copy()], [b1, b2]
    model.partial_fit(x, y, sample_weight=numpy.array(WEIGHTS))
    (c1, c2), (i1, i2) = model.coefs_, model.intercepts_
    return {
        "kind": kind,
        "features": flat(x),
        "targets": flat(y),
        "parameters": [flat(array) for array in start],
        "after": [flat(c1.T), flat(i1), flat(c2.T), flat(i2)],
    }


json.dump(
    {
        "weights": WEIGHTS,
        "l2": L2,
        "rate": RATE,
        "costs": [by_pytorch(cost) for cost in COSTS],
        "steps": [by_scikit_learn(kind) for kind in ["classes", "binary", "numbers"]],
    },
    sys.stdout,
)
print()
