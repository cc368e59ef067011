"""Costs and gradients of small networks in float64, by PyTorch.

    pip install torch==2.15.0 numpy && python networks.py

Writes networks.json. Its cases of the same networks stay as they are, since another machine rounds them otherwise, so
that a new case changes no other.
"""

import json
import pathlib
import zlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)

FILE = pathlib.Path(__file__).with_name("networks.json")
KNOWN = {case["name"]: case for case in json.loads(FILE.read_text())["cases"]} if FILE.exists() else {}

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
    "quantile:0.9": lambda z, t: torch.maximum(0.9 * (t - z), -0.1 * (t - z)).sum(),
    "poisson": lambda z, t: F.poisson_nll_loss(z, t, log_input=True, full=False, reduction="sum"),
    "gamma": lambda z, t: -torch.distributions.Gamma(1.0, torch.exp(-z)).log_prob(t).sum(),
    # Half the deviance, as scikit-learn's mean_tweedie_deviance has it, without what depends on t alone.
    "tweedie:1.3": lambda z, t: (torch.exp(z) ** 0.7 / 0.7 + t * torch.exp(z) ** -0.3 / 0.3).sum(),
    "smoothed_cross_entropy:0.2": lambda z, t: F.cross_entropy(z, t.argmax(1), reduction="sum", label_smoothing=0.2),
    # As torchvision.ops.sigmoid_focal_loss without its alpha.
    "focal:1.5": lambda z, t: (
        F.binary_cross_entropy_with_logits(z, t, reduction="none") * torch.sigmoid((1 - 2 * t) * z) ** 1.5
    ).sum(),
}


def dense(units, **more):
    return {"kind": "dense", "units": units, **more}


def activation(name):
    return {"kind": "activation", "function": name}


def convolution(filters, size, **more):
    return {"kind": "convolution", "filters": filters, "size": size, **more}


def residual(*layers):
    return {"kind": "residual", "layers": layers}


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


class Pass:
    """The forward pass of a network, with random parameters.

    Between layers a value is `[batch, numbers]`, and its form is ("row", n), ("image", (height, width, channels)),
    ("sequence", (length, width)) or ("index", (count, levels)).
    """

    def __init__(self, regularization):
        self.parameters, self.running, self.penalty = {}, {}, torch.zeros(())
        self.regularization = regularization
        self.divisor = BATCH if regularization.get("divide_by_batch") else 1

    def regularize(self, weight, layer=None):
        layer = layer or {}
        l2 = layer.get("l2", self.regularization.get("l2", 0.0))
        l1 = layer.get("l1", self.regularization.get("l1", 0.0))
        self.penalty = self.penalty + (
            l2 / (2 * self.divisor) * (weight**2).sum() + l1 / self.divisor * weight.abs().sum()
        )

    def layers(self, layers, value, form, path):
        for index, layer in enumerate(layers):
            value, form = self.layer(layer, value, form, f"{path}.{index}")
        return value, form

    def layer(self, layer, value, form, path):
        kind, size_of = form
        image = size_of if kind == "image" else None
        width = size_of[1] if kind == "sequence" else value.shape[1]
        rows = value.reshape(-1, width)

        def parameter(name, value):
            return self.parameters.setdefault(f"{path}.{name}", value.requires_grad_())

        def as_before(rows, width):
            """Rows as a value again, in the same form with so many columns."""
            changed = ("sequence", (size_of[0], width)) if kind == "sequence" else ("row", width)
            return rows.reshape(BATCH, -1), changed

        if layer["kind"] == "convolution":
            size, stride = layer["size"], layer.get("stride", 1)
            weight = parameter("weight", torch.randn(layer["filters"], size * size * image[2]))
            filters = weight.reshape(-1, size, size, image[2]).permute(0, 3, 1, 2)
            value = pictures(value, image)
            if layer.get("padding") == "same":
                value = around(value, size, stride)
            value = F.conv2d(value, filters, parameter("bias", torch.randn(layer["filters"])), stride)
            self.regularize(weight, layer)
            return numbers(value), ("image", (*value.shape[2:], layer["filters"]))
        if layer["kind"] == "max_pool":
            value = F.max_pool2d(pictures(value, image), layer["size"], layer.get("stride", layer["size"]))
            return numbers(value), ("image", (*value.shape[2:], image[2]))
        if layer["kind"] == "global_average_pool":
            value = value.reshape(BATCH, -1, size_of[-1]).mean(1)
            return value, ("row", value.shape[1])
        if layer["kind"] in ("flatten", "dropout"):
            return value, form if layer["kind"] == "dropout" else ("row", value.shape[1])
        if layer["kind"] == "dense":
            weight = parameter("weight", torch.randn(layer["units"], width))
            rows = F.linear(rows, weight)
            if layer.get("has_bias", True):
                rows = rows + parameter("bias", torch.randn(layer["units"]))
            self.regularize(weight, layer)
            return as_before(rows, layer["units"])
        if layer["kind"] == "activation":
            return ACTIVATIONS[layer["function"]](value), form
        if layer["kind"] == "batch_norm":
            columns = image[2] if image else width
            scale, shift = parameter("scale", torch.rand(columns) + 0.5), parameter("shift", torch.randn(columns))
            mean, variance = torch.zeros(columns), torch.ones(columns)
            shape = value.shape
            value = F.batch_norm(value.reshape(-1, columns), mean, variance, scale, shift, True, 0.1, 1e-5)
            self.running[f"{path}.running_mean"] = mean.tolist()
            self.running[f"{path}.running_variance"] = variance.tolist()
            return value.reshape(shape), form
        if layer["kind"] == "layer_norm":
            scale, shift = parameter("scale", torch.rand(width) + 0.5), parameter("shift", torch.randn(width))
            return F.layer_norm(rows, [width], scale, shift, 1e-5).reshape(BATCH, -1), form
        if layer["kind"] == "rms_norm":
            scale = parameter("scale", torch.rand(width) + 0.5)
            return F.rms_norm(rows, [width], scale, 1e-6).reshape(BATCH, -1), form
        if layer["kind"] == "embedding":
            table = parameter("weight", torch.randn(size_of[1], layer["width"]))
            value = F.embedding(value.long(), table).reshape(BATCH, -1)
            return value, ("sequence", (size_of[0], layer["width"]))
        if layer["kind"] == "level_embedding":
            parts, place = [], 0
            for number, own in enumerate(layer["categories"]):
                first, levels = own["first"], own["levels"]
                weight = parameter(f"weight_{number + 1}", torch.randn(own["width"], levels))
                parts += [value[:, place:first], F.linear(value[:, first : first + levels], weight)]
                place = first + levels
            value = torch.cat([*parts, value[:, place:]], 1)
            return value, ("row", value.shape[1])
        if layer["kind"] == "position":
            table = parameter("weight", torch.randn(*size_of))
            return (value.reshape(BATCH, *size_of) + table).reshape(BATCH, -1), form
        if layer["kind"] == "attention":
            length = size_of[0]
            has_bias = layer.get("has_bias", True)
            weights = parameter("weight", torch.randn(3 * width, width))
            bias = parameter("bias", torch.randn(3 * width)) if has_bias else None
            output = parameter("output_weight", torch.randn(width, width))
            output_bias = parameter("output_bias", torch.randn(width)) if has_bias else None
            unseen = None
            if layer.get("is_causal"):
                unseen = torch.triu(torch.ones(length, length, dtype=torch.bool), 1)
            self.regularize(weights)
            self.regularize(output)
            sequence = value.reshape(BATCH, length, width).transpose(0, 1)
            result, _ = F.multi_head_attention_forward(
                sequence, sequence, sequence, width, layer["heads"], weights, bias, None, None, False, 0.0,
                output, output_bias, need_weights=False, attn_mask=unseen,
            )  # fmt: skip
            return result.transpose(0, 1).reshape(BATCH, -1), form
        if layer["kind"] == "residual":
            inner, made = self.layers(layer["layers"], value, form, path)
            if made != form and kind == "image":
                weight = parameter("projection", torch.randn(made[1][2], image[2]))
                stride = -(-image[0] // made[1][0])
                value = numbers(F.conv2d(pictures(value, image), weight[:, :, None, None], None, stride))
                self.regularize(weight)
            elif made != form:
                weight = parameter("projection", torch.randn(made[1][1] if kind == "sequence" else made[1], width))
                value = F.linear(rows, weight).reshape(BATCH, -1)
                self.regularize(weight)
            return value + inner, made
        raise ValueError(layer["kind"])


def targets(cost):
    if cost in ("softmax_cross_entropy", "smoothed_cross_entropy:0.2"):
        return F.one_hot(torch.randint(OUTPUTS, (BATCH,)), OUTPUTS).double()
    if cost in ("sigmoid_cross_entropy", "focal:1.5"):
        return torch.randint(2, (BATCH, OUTPUTS)).double()
    if cost in ("poisson", "tweedie:1.3"):
        return torch.poisson(torch.full((BATCH, OUTPUTS), 1.5))
    if cost == "gamma":
        return torch.rand(BATCH, OUTPUTS) * 3 + 0.1
    return torch.randn(BATCH, OUTPUTS)


def kept(make):
    """The case of the file, if it is of the same network; else a new one, whose random numbers depend on its name."""

    def find(name, *description):
        torch.manual_seed(zlib.crc32(name.encode()))
        new, known = make(name, *description), KNOWN.get(name)
        return known if known and known["network"] == json.loads(json.dumps(new["network"])) else new

    return find


@kept
def case(name, layers, cost, regularization=None, image=None):
    """Runs a network as `network` would describe it, with random parameters."""
    inputs = image[0] * image[1] * image[2] if image else INPUTS
    network = {"inputs": inputs, "layers": layers, "cost": cost}
    if image:
        network["image"] = dict(zip(("height", "width", "channels"), image))
    if regularization:
        network["regularization"] = regularization
    x = torch.randn(BATCH, inputs)
    t = targets(cost)
    run = Pass(regularization or {})
    value, _ = run.layers(layers, x, ("image", image) if image else ("row", inputs), "layers")
    return result(name, network, x, t, run, value)


@kept
def several(name, inputs, layers, cost):
    """The same for named inputs, each with its own layers."""
    network = {"inputs": inputs, "layers": layers, "cost": cost}
    run, columns, made = Pass({}), [], []
    for own in inputs:
        if "index" in own:
            form = ("index", (own["index"]["count"], own["index"]["levels"]))
            x = torch.randint(form[1][1], (BATCH, form[1][0])).double()
        elif "sequence" in own:
            form = ("sequence", (own["sequence"]["length"], own["sequence"]["width"]))
            x = torch.randn(BATCH, form[1][0] * form[1][1])
        elif "image" in own:
            form = ("image", (own["image"]["height"], own["image"]["width"], own["image"].get("channels", 1)))
            x = torch.randn(BATCH, form[1][0] * form[1][1] * form[1][2])
        else:
            form = ("row", own["row"])
            x = torch.randn(BATCH, own["row"])
        columns.append(x)
        made.append(run.layers(own.get("layers", []), x, form, f"inputs.{own['name']}"))
    t = targets(cost)
    value, form = made[0]
    if len(made) > 1:
        value = torch.cat([value for value, _ in made], 1)
        form = ("row", value.shape[1])
    value, _ = run.layers(layers, value, form, "layers")
    return result(name, network, torch.cat(columns, 1), t, run, value)


def result(name, network, x, t, run, value):
    data_cost = COSTS[network["cost"]](value, t) / BATCH
    total = data_cost + run.penalty
    total.backward()
    flat = lambda tensor: tensor.detach().reshape(-1).tolist()
    return {
        "name": name,
        "network": network,
        "features": flat(x),
        "targets": flat(t),
        "parameters": {key: flat(value) for key, value in run.parameters.items()},
        "output": flat(value),
        "data_cost": data_cost.item(),
        "cost": total.item(),
        "gradients": {key: flat(value.grad) for key, value in run.parameters.items()},
        "running": run.running,
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
pooled = [
    convolution(3, 3, padding="same"),
    {"kind": "rms_norm"},
    activation("silu"),
    {"kind": "global_average_pool"},
    {"kind": "dropout", "rate": 0.0},
    dense(OUTPUTS),
]
cases.append(case("rms norm and global average pooling", pooled, "softmax_cross_entropy", None, (5, 4, 2)))
blocks = [
    residual(dense(INPUTS), activation("tanh"), residual(dense(INPUTS))),
    residual(dense(HIDDEN), {"kind": "layer_norm"}),
    dense(OUTPUTS),
]
cases.append(case("residual blocks, one in another", blocks, "softmax_cross_entropy", {"l2": 0.1}))
resnet = [
    convolution(3, 3, padding="same"),
    residual(convolution(3, 3, padding="same"), {"kind": "batch_norm"}, activation("relu")),
    residual(convolution(4, 3, stride=2, padding="same"), activation("gelu"), convolution(4, 3, padding="same")),
    {"kind": "global_average_pool"},
    dense(OUTPUTS),
]
cases.append(case("residual blocks of images", resnet, "softmax_cross_entropy", {"l1": 0.01}, (7, 6, 2)))


def block(is_causal, norm, inner):
    return [
        residual({"kind": norm}, {"kind": "attention", "heads": 2, "is_causal": is_causal}),
        residual({"kind": norm}, dense(inner), activation("gelu"), dense(6)),
    ]


words = [{"name": "words", "index": {"count": 5, "levels": 11}}]
transformer = [
    {"kind": "embedding", "width": 6},
    {"kind": "position"},
    *block(False, "layer_norm", 9),
    *block(True, "rms_norm", 7),
    {"kind": "layer_norm"},
    {"kind": "global_average_pool"},
    dense(OUTPUTS),
]
cases.append(several("transformer", words, transformer, "softmax_cross_entropy"))
series = [{"name": "series", "sequence": {"length": 4, "width": 3}}]
attention = [
    {"kind": "attention", "heads": 3, "has_bias": False},
    {"kind": "batch_norm"},
    {"kind": "flatten"},
    dense(OUTPUTS),
]
cases.append(several("attention of a series", series, attention, "squared_error"))
table = [
    {"name": "numbers", "row": 5},
    {"name": "codes", "index": {"count": 3, "levels": 8}, "layers": [{"kind": "embedding", "width": 2}]},
    {
        "name": "image",
        "image": {"height": 5, "width": 4},
        "layers": [convolution(2, 3), activation("relu"), {"kind": "global_average_pool"}],
    },
]
common = [dense(HIDDEN), activation("tanh"), dense(OUTPUTS)]
cases.append(several("numbers, codes and an image", table, common, "softmax_cross_entropy"))
levels = [
    {
        "kind": "level_embedding",
        "categories": [{"first": 0, "levels": 1, "width": 2}, {"first": 2, "levels": 2, "width": 3}],
    },
    *common,
]
cases.append(case("levels of categories", levels, "softmax_cross_entropy"))
FILE.write_text(json.dumps({"torch": torch.__version__, "batch": BATCH, "cases": cases}, indent=1) + "\n")
