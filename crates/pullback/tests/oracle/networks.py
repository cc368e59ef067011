"""Costs and gradients of small networks in float64, by PyTorch.

    pip install torch==2.15.0 numpy && python networks.py > networks.json
"""

import json
import sys

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(20261124)

BATCH, INPUTS, HIDDEN, OUTPUTS = 7, 4, 5, 3

ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu:0.2": lambda z: F.leaky_relu(z, 0.2),
    "elu:1.5": lambda z: F.elu(z, 1.5),
    "gelu": F.gelu,
    "silu": F.silu,
    "softplus": F.softplus,
}

COSTS = {
    "softmax_cross_entropy": lambda z, t: -(t * F.log_softmax(z, 1)).sum(),
    "sigmoid_cross_entropy": lambda z, t: F.binary_cross_entropy_with_logits(z, t, reduction="sum"),
    "squared_error": lambda z, t: 0.5 * F.mse_loss(z, t, reduction="sum"),
    "absolute_error": lambda z, t: F.l1_loss(z, t, reduction="sum"),
    "huber:0.5": lambda z, t: F.huber_loss(z, t, reduction="sum", delta=0.5),
}


def dense(units, **more):
    return {"kind": "dense", "units": units, **more}


def activation(name):
    return {"kind": "activation", "function": name}


def convolution(filters, size, **more):
    return {"kind": "convolution", "filters": filters, "size": size, **more}


def pictures(value, image):
    """Rows of pixels with their channels, as the images `[batch, channels, height, width]` of PyTorch."""
    return value.reshape(BATCH, *image).permute(0, 3, 1, 2)


def numbers(value):
    """The reverse: channels last, all numbers of an example in a row."""
    return value.permute(0, 2, 3, 1).reshape(BATCH, -1)


def around(value, size, stride):
    """Zeros around images, so that there is a window for every pixel, or every `stride` pixels."""
    pad = [max((-(-extent // stride) - 1) * stride + size - extent, 0) for extent in value.shape[2:]]
    return F.pad(value, (pad[1] // 2, pad[1] - pad[1] // 2, pad[0] // 2, pad[0] - pad[0] // 2))


def case(name, layers, cost, regularization=None, image=None):
    """Runs a network as `network` would describe it, with random parameters."""
    inputs = image[0] * image[1] * image[2] if image else INPUTS
    network = {"inputs": inputs, "layers": layers, "cost": cost}
    if image:
        network["image"] = dict(zip(("height", "width", "channels"), image))
    if regularization:
        network["regularization"] = regularization
    regularization = regularization or {}
    x = torch.randn(BATCH, inputs)
    if cost == "softmax_cross_entropy":
        t = F.one_hot(torch.randint(OUTPUTS, (BATCH,)), OUTPUTS).double()
    elif cost == "sigmoid_cross_entropy":
        t = torch.randint(2, (BATCH, OUTPUTS)).double()
    else:
        t = torch.randn(BATCH, OUTPUTS)

    parameters, running, penalty = {}, {}, torch.zeros(())
    divisor = BATCH if regularization.get("divide_by_batch") else 1
    value, width = x, inputs
    for index, layer in enumerate(layers):

        def regularize(weight, layer):
            l2 = layer.get("l2", regularization.get("l2", 0.0))
            l1 = layer.get("l1", regularization.get("l1", 0.0))
            return l2 / (2 * divisor) * (weight**2).sum() + l1 / divisor * weight.abs().sum()

        def parameter(name, value):
            return parameters.setdefault(f"layers.{index}.{name}", value.requires_grad_())

        if layer["kind"] == "convolution":
            size, stride = layer["size"], layer.get("stride", 1)
            weight = parameter("weight", torch.randn(layer["filters"], size * size * image[2]))
            filters = weight.reshape(-1, size, size, image[2]).permute(0, 3, 1, 2)
            value = pictures(value, image)
            if layer.get("padding") == "same":
                value = around(value, size, stride)
            value = F.conv2d(value, filters, parameter("bias", torch.randn(layer["filters"])), stride)
            image = (*value.shape[2:], layer["filters"])
            value = numbers(value)
            width = value.shape[1]
            penalty = penalty + regularize(weight, layer)
        elif layer["kind"] == "max_pool":
            value = F.max_pool2d(pictures(value, image), layer["size"], layer.get("stride", layer["size"]))
            image = (*value.shape[2:], image[2])
            value = numbers(value)
            width = value.shape[1]
        elif layer["kind"] == "dense":
            image = None
            weight = parameter("weight", torch.randn(layer["units"], width))
            value = value @ weight.T
            if layer.get("has_bias", True):
                value = value + parameter("bias", torch.randn(layer["units"]))
            width = layer["units"]
            penalty = penalty + regularize(weight, layer)
        elif layer["kind"] == "activation":
            value = ACTIVATIONS[layer["function"]](value)
        elif layer["kind"] == "batch_norm":
            columns = image[2] if image else width
            scale, shift = parameter("scale", torch.rand(columns) + 0.5), parameter("shift", torch.randn(columns))
            mean, variance = torch.zeros(columns), torch.ones(columns)
            shape = value.shape
            value = F.batch_norm(value.reshape(-1, columns), mean, variance, scale, shift, True, 0.1, 1e-5).reshape(shape)
            running[f"layers.{index}.running_mean"] = mean.tolist()
            running[f"layers.{index}.running_variance"] = variance.tolist()
        elif layer["kind"] == "layer_norm":
            scale, shift = parameter("scale", torch.rand(width) + 0.5), parameter("shift", torch.randn(width))
            value = F.layer_norm(value, [width], scale, shift, 1e-5)
    data_cost = COSTS[cost](value, t) / BATCH
    total = data_cost + penalty
    total.backward()
    flat = lambda tensor: tensor.detach().reshape(-1).tolist()
    return {
        "name": name,
        "network": network,
        "features": flat(x),
        "targets": flat(t),
        "parameters": {key: flat(value) for key, value in parameters.items()},
        "output": flat(value),
        "data_cost": data_cost.item(),
        "cost": total.item(),
        "gradients": {key: flat(value.grad) for key, value in parameters.items()},
        "running": running,
    }


cases = []
for name in ACTIVATIONS:
    layers = [dense(HIDDEN), activation(name), dense(OUTPUTS)]
    cases.append(case(name, layers, "softmax_cross_entropy"))
for cost in COSTS:
    layers = [dense(HIDDEN), activation("tanh"), dense(HIDDEN), activation("sigmoid"), dense(OUTPUTS)]
    cases.append(case(f"two hidden layers, {cost}", layers, cost))
course = [dense(HIDDEN), activation("sigmoid"), dense(OUTPUTS)]
cases.append(
    case("course network, lambda/(2m)", course, "sigmoid_cross_entropy", {"l2": 1.0, "divide_by_batch": True})
)
cases.append(case("l1 and l2", course, "squared_error", {"l1": 0.01, "l2": 0.1}))
own = [dense(HIDDEN, l1=0.2, l2=0.0, has_bias=False), activation("relu"), dense(OUTPUTS)]
cases.append(case("l2 of one layer only", own, "softmax_cross_entropy", {"l2": 0.3}))
normalized = [dense(HIDDEN), {"kind": "batch_norm"}, activation("relu"), dense(OUTPUTS)]
cases.append(case("batch norm", normalized, "softmax_cross_entropy"))
normalized = [dense(HIDDEN), {"kind": "layer_norm"}, activation("gelu"), dense(OUTPUTS)]
cases.append(case("layer norm", normalized, "squared_error"))
lenet = [
    convolution(3, 3),
    activation("relu"),
    {"kind": "max_pool", "size": 2},
    convolution(4, 2),
    activation("relu"),
    {"kind": "max_pool", "size": 2},
    dense(HIDDEN),
    activation("relu"),
    dense(OUTPUTS),
]
cases.append(case("convolutions and poolings", lenet, "softmax_cross_entropy", {"l2": 0.1}, (12, 11, 1)))
colors = [
    convolution(3, 4, stride=2, padding="same"),
    {"kind": "batch_norm"},
    activation("tanh"),
    {"kind": "max_pool", "size": 3, "stride": 2},
    convolution(2, 3, padding="same"),
    {"kind": "layer_norm"},
    dense(OUTPUTS),
]
cases.append(case("strides and zeros around", colors, "squared_error", None, (9, 12, 2)))
json.dump({"torch": torch.__version__, "batch": BATCH, "cases": cases}, sys.stdout, indent=1)
print()
