"""Gradients of a small network of images by PyTorch, and the network as a worked example's file.

    pip install torch==2.15.0 safetensors numpy && python gradients.py

Writes gradients.toml, gradients.torch.safetensors (float64, PyTorch's names and layouts) and
gradients.jax.safetensors (float32, Flax's names and layouts, made of the same numbers).
"""

import pathlib

import numpy as np
import torch
from safetensors.numpy import save_file

torch.set_default_dtype(torch.float64)
torch.manual_seed(5)
HERE = pathlib.Path(__file__).parent
HEIGHT, CHANNELS, FILTERS, UNITS, CLASSES, ROWS = 5, 2, 3, 4, 3, 2

net = torch.nn.Sequential(
    torch.nn.Conv2d(CHANNELS, FILTERS, 2),
    torch.nn.Tanh(),
    torch.nn.MaxPool2d(2),
    torch.nn.Flatten(),
    torch.nn.Linear(FILTERS * 4, UNITS),
    torch.nn.Sigmoid(),
    torch.nn.Linear(UNITS, CLASSES),
)
# Few digits, so that the file has all of them.
for parameter in net.parameters():
    parameter.data = torch.round(parameter.data * 1e4) / 1e4
images = torch.round(torch.rand(ROWS, CHANNELS, HEIGHT, HEIGHT) * 100) / 100
classes = torch.tensor([2, 0])
torch.nn.functional.cross_entropy(net(images), classes).backward()

save_file({name: p.grad.numpy() for name, p in net.named_parameters()}, HERE / "gradients.torch.safetensors")
conv, first, last = net[0], net[4], net[6]


def by_pixel(weight):
    """A dense weight whose inputs are an image's, channels last."""
    return weight.reshape(-1, FILTERS, 2, 2).permute(0, 2, 3, 1).reshape(weight.shape[0], -1)


single = lambda x: np.ascontiguousarray(x.detach().numpy().astype(np.float32))
save_file(
    {
        "params/Conv_0/kernel": single(conv.weight.grad.permute(2, 3, 1, 0)),
        "params/Conv_0/bias": single(conv.bias.grad),
        "params/Dense_0/kernel": single(by_pixel(first.weight.grad).T),
        "params/Dense_0/bias": single(first.bias.grad),
        "params/Dense_1/kernel": single(last.weight.grad.T),
        "params/Dense_1/bias": single(last.bias.grad),
    },
    HERE / "gradients.jax.safetensors",
)

text = lambda x: repr(np.round(x.detach().numpy(), 6).tolist())
(HERE / "gradients.toml").write_text(f"""# Made by gradients.py.
title = "A network of images"
inputs = {text(images.permute(0, 2, 3, 1).reshape(ROWS, -1))}
targets = {text(torch.nn.functional.one_hot(classes, CLASSES).double())}
image = {{ height = {HEIGHT}, width = {HEIGHT}, channels = {CHANNELS} }}
cost = "softmax_cross_entropy"
learning_rate = 0.1

[[layer]]
kind = "convolution"
size = 2
padding = "valid"
weights = {text(conv.weight.permute(0, 2, 3, 1).reshape(FILTERS, -1))}
biases = {text(conv.bias)}
activation = "tanh"

[[layer]]
kind = "max_pool"
size = 2

[[layer]]
kind = "flatten"

[[layer]]
weights = {text(by_pixel(first.weight))}
biases = {text(first.bias)}
activation = "sigmoid"

[[layer]]
weights = {text(last.weight)}
biases = {text(last.bias)}
""")
