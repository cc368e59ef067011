"""Writes optimizers.json: a matrix of weights after each of some steps of PyTorch's optimizers, in float64.

    python3 optimizers.py     # with torch 2.9 or later, which has Muon

Optimizers that it has stay as they are, since another machine rounds them otherwise; take one out to make it anew.
"""
import json
import pathlib
import torch
from torch.optim import _muon

torch.set_default_dtype(torch.float64)
ROWS, COLUMNS, STEPS = 3, 5, 6


def in_float64(grad, coefficients, steps, eps):
    """PyTorch's iteration, without its rounding to bfloat16."""
    a, b, c = coefficients
    x = grad.T if grad.size(0) > grad.size(1) else grad
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if grad.size(0) > grad.size(1) else x


_muon._zeropower_via_newtonschulz = in_float64
torch.manual_seed(0)
start = torch.randn(ROWS, COLUMNS)
# The last ones are small, so that what is remembered of the first ones shows.
gradients = [torch.randn(ROWS, COLUMNS) * scale for scale in (1.0, 2.0, 0.5, 0.1, 0.1, 0.01)]
optim = torch.optim
makers = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: optim.Adam(p, lr=0.1),
    "adamw": lambda p: optim.AdamW(p, lr=0.1),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.1),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.1),
    "adamax": lambda p: optim.Adamax(p, lr=0.1),
    "nadam": lambda p: optim.NAdam(p, lr=0.1),
    "amsgrad": lambda p: optim.Adam(p, lr=0.1, amsgrad=True),
    "muon": lambda p: optim.Muon(p, lr=0.1, adjust_lr_fn="match_rms_adamw"),
}
file = pathlib.Path(__file__).with_name("optimizers.json")
known = json.loads(file.read_text())["after"] if file.exists() else {}
after = {}
for name, make in makers.items():
    if name in known:
        after[name] = known[name]
        continue
    weights = start.clone().requires_grad_()
    optimizer = make([weights])
    after[name] = []
    for gradient in gradients:
        weights.grad = gradient.clone()
        optimizer.step()
        after[name].append(weights.detach().flatten().tolist())
file.write_text(json.dumps({
    "torch": torch.__version__, "shape": [ROWS, COLUMNS], "rate": 0.1,
    "start": start.flatten().tolist(), "gradients": [g.flatten().tolist() for g in gradients], "after": after,
}) + "\n")
