"""PyTorch, eager, with its fused optimizers; in bf16 by autocast."""

import contextlib

import contestant

work, threads = contestant.workload(["bf16"])

import torch
from torch import nn

torch.set_num_threads(threads)
torch.manual_seed(0)
activation = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}[work["activation"]]
layers, inputs = [], work["inputs"]
if "convolutions" in work:
    # As PyTorch has them: channels before pixels.
    image = work["image"]
    height, width, channels = image["height"], image["width"], image["channels"]
    layers.append(nn.Unflatten(1, (channels, height, width)))
    for layer in work["convolutions"]:
        layers += [nn.Conv2d(channels, layer["filters"], layer["size"]), activation(), nn.MaxPool2d(layer["pool"])]
        height, width = ((extent - layer["size"] + 1) // layer["pool"] for extent in (height, width))
        channels = layer["filters"]
    layers.append(nn.Flatten())
    inputs = channels * height * width
for units in work["hidden"]:
    layers += [nn.Linear(inputs, units), activation()]
    inputs = units
network = nn.Sequential(*layers, nn.Linear(inputs, work["outputs"]))
rate = contestant.learning_rate(work)
optimizer = {
    "sgd": lambda given: torch.optim.SGD(given, lr=rate, weight_decay=work["l2"], fused=True),
    "momentum": lambda given: torch.optim.SGD(given, lr=rate, momentum=0.9, fused=True),
    "adam": lambda given: torch.optim.Adam(given, lr=rate, fused=True),
}[work["optimizer"]](network.parameters())

features, classes = contestant.data(work)
features = torch.from_numpy(features)
if work["cost"] == "softmax_cross_entropy":
    targets = torch.from_numpy(classes)
    cost = nn.functional.cross_entropy
else:
    targets = torch.from_numpy(contestant.targets(work, classes))

    def cost(z, t):
        return nn.functional.binary_cross_entropy_with_logits(z, t, reduction="sum") / len(z)


precision = torch.autocast("cpu", torch.bfloat16) if work.get("precision") == "bf16" else contextlib.nullcontext()
batches = list(zip(features.split(work["batch"]), targets.split(work["batch"])))


def epochs(count):
    for _ in range(count):
        for x, t in batches:
            with precision:
                value = cost(network(x), t)
            optimizer.zero_grad(set_to_none=True)
            value.backward()
            optimizer.step()
    return value.item()


contestant.serve(work, epochs)
