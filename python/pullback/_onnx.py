"""Estimators as ONNX: a converter for skl2onnx, registered when skl2onnx is imported."""

import json
import sys
from importlib.abc import MetaPathFinder

import numpy as np
from sklearn.base import is_classifier

#: The engine's activations as ONNX's operators with their attributes.
OPERATORS = {
    "identity": ("Identity", {}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "relu": ("Relu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.01}),
    "elu": ("Elu", {"alpha": 1.0}),
    "gelu": ("Gelu", {"approximate": "none"}),
    "softplus": ("Softplus", {}),
}

#: Those that onnxruntime has for float32 alone.
SINGLE = ("Elu", "Gelu", "Softplus")


#: The version of each operator that is used.
VERSIONS = {
    "Add": 14,
    "ArgMax": 13,
    "Concat": 13,
    "Elu": 6,
    "Exp": 13,
    "Gather": 13,
    "Gelu": 20,
    "Greater": 13,
    "Identity": 14,
    "IsNaN": 13,
    "LayerNormalization": 17,
    "LeakyRelu": 16,
    "MatMul": 13,
    "Mul": 14,
    "Relu": 14,
    "Sigmoid": 13,
    "Softmax": 13,
    "Softplus": 1,
    "Sub": 14,
    "Tanh": 13,
    "Where": 9,
}


class Afterwards(MetaPathFinder):
    """Registers the converters once skl2onnx has been imported, whoever does it first."""

    def __init__(self):
        self.is_busy = False

    def find_spec(self, name, path, target=None):
        if name != "skl2onnx" or self.is_busy:
            return None
        import importlib.util

        self.is_busy = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.is_busy = False
        if spec is None or spec.loader is None:
            return None
        own = spec.loader.exec_module

        def exec_module(module):
            own(module)
            register()

        spec.loader.exec_module = exec_module
        return spec


def prepare():
    """Registers the converters now, if skl2onnx is there, or when it comes."""
    if "skl2onnx" in sys.modules:
        register()
    else:
        sys.meta_path.insert(0, Afterwards())


def register():
    """Tells skl2onnx of both estimators."""
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )

    from ._mlp import MLPClassifier, MLPRegressor

    options = {"zipmap": [True, False, "columns"], "output_class_labels": [False, True], "nocl": [True, False]}
    update_registered_converter(
        MLPClassifier,
        "PullbackMLPClassifier",
        with_outputs(calculate_linear_classifier_output_shapes),
        convert,
        options=options,
    )
    update_registered_converter(
        MLPRegressor, "PullbackMLPRegressor", with_outputs(calculate_linear_regressor_output_shapes), convert
    )


def with_outputs(calculate):
    """skl2onnx's shapes, which know of one output, with all of several labels or numbers."""

    def shapes(operator):
        calculate(operator)
        own, result = operator.raw_operator, operator.outputs[0].type
        if not is_classifier(own) or own.is_multilabel_:
            result.shape = [result.shape[0], own.n_outputs_]

    return shapes


class Nodes:
    """Adds nodes and constants to a model that skl2onnx builds."""

    def __init__(self, scope, container, number):
        self.scope, self.container, self.number = scope, container, number

    def add(self, operator, *inputs, to=None, **attributes):
        """A node; returns the name of its output, which is `to` if that is given."""
        out = to or self.scope.get_unique_variable_name(operator.lower())
        name = self.scope.get_unique_operator_name(operator)
        version = VERSIONS[operator]
        self.container.add_node(operator, list(inputs), out, name=name, op_version=version, **attributes)
        return out

    def cast(self, value, kind, to=None):
        from skl2onnx.common._apply_operation import apply_cast

        to = to or self.scope.get_unique_variable_name("cast")
        apply_cast(self.scope, value, to, self.container, to=kind)
        return to

    def activated(self, operator, value, **attributes):
        """An activation, in float32 where there is no other."""
        from skl2onnx.proto import onnx_proto

        if self.number is np.float32 or operator not in SINGLE:
            return self.add(operator, value, **attributes)
        kinds = onnx_proto.TensorProto
        return self.cast(self.add(operator, self.cast(value, kinds.FLOAT), **attributes), kinds.DOUBLE)

    def numbers(self, values):
        """Numbers as a constant."""
        from skl2onnx.proto import onnx_proto

        values = np.asarray(values, dtype=self.number)
        types = onnx_proto.TensorProto
        kind = types.DOUBLE if self.number is np.float64 else types.FLOAT
        return self._constant(kind, values.shape, values.ravel().tolist())

    def labels(self, classes):
        """Classes as a constant: whole numbers or texts."""
        from skl2onnx.proto import onnx_proto

        if classes.dtype.kind in "iubf":
            return self._constant(onnx_proto.TensorProto.INT64, classes.shape, [int(label) for label in classes])
        texts = [str(label).encode() for label in classes]
        return self._constant(onnx_proto.TensorProto.STRING, classes.shape, texts)

    def _constant(self, kind, shape, values):
        name = self.scope.get_unique_variable_name("constant")
        self.container.add_initializer(name, kind, list(shape), values)
        return name


def convert(scope, operator, container):
    """The estimator as ONNX nodes."""
    from skl2onnx.common.data_types import guess_proto_type
    from skl2onnx.proto import onnx_proto

    own = operator.raw_operator
    if own.encoder_ is not None:
        raise NotImplementedError(
            "Columns of categories are not converted to ONNX; encode them in the pipeline before the estimator."
        )
    kinds = onnx_proto.TensorProto
    kind = kinds.DOUBLE if guess_proto_type(operator.inputs[0].type) == kinds.DOUBLE else kinds.FLOAT
    nodes = Nodes(scope, container, np.float64 if kind == kinds.DOUBLE else np.float32)
    value = nodes.cast(operator.inputs[0].full_name, kind)
    if own.fill_ is not None:
        value = nodes.add("Where", nodes.add("IsNaN", value), nodes.numbers(own.fill_), value)
    value = hidden(own, nodes, value)
    if not is_classifier(own):
        nodes.add("Exp" if own.out_activation_ == "exp" else "Identity", value, to=operator.outputs[0].full_name)
        return
    label, probability = (output.full_name for output in operator.outputs)
    if own.out_activation_ == "softmax":
        value = nodes.add("Softmax", value, to=probability, axis=1)
    elif own.is_multilabel_:
        value = nodes.add("Sigmoid", value, to=probability)
        nodes.cast(nodes.add("Greater", value, nodes.numbers([0.5])), kinds.INT64, to=label)
        return
    elif len(own.classes_) == 1:
        value = nodes.add("Add", nodes.add("Sub", value, value), nodes.numbers([1.0]), to=probability)
    else:
        value = nodes.add("Sigmoid", value)
        rest = nodes.add("Sub", nodes.numbers([1.0]), value)
        value = nodes.add("Concat", rest, value, to=probability, axis=1)
    best = nodes.add("ArgMax", value, axis=1, keepdims=0)
    nodes.add("Gather", nodes.labels(own.classes_), best, to=label, axis=0)


def hidden(own, nodes, value):
    """The layers up to the last weighted sums."""
    coefs, intercepts = iter(own.coefs_), iter(own.intercepts_)
    for place, layer in enumerate(json.loads(own.network_)["layers"]):
        prefix = f"layers.{place}."
        arrays = {
            name.removeprefix(prefix): numbers
            for name, numbers in own.normalizations_.items()
            if name.startswith(prefix)
        }
        epsilon = layer.get("epsilon", 1e-5)
        match layer["kind"]:
            case "dense":
                value = nodes.add("MatMul", value, nodes.numbers(next(coefs)))
                value = nodes.add("Add", value, nodes.numbers(next(intercepts)))
            case "activation":
                name = layer["function"] if isinstance(layer["function"], str) else next(iter(layer["function"]))
                if name == "silu":
                    value = nodes.add("Mul", value, nodes.add("Sigmoid", value))
                else:
                    what, attributes = OPERATORS[name]
                    value = nodes.activated(what, value, **attributes)
            case "dropout":
                pass
            case "batch_norm":
                scale = arrays["scale"] / np.sqrt(arrays["running_variance"] + epsilon)
                value = nodes.add("Mul", value, nodes.numbers(scale))
                value = nodes.add("Add", value, nodes.numbers(arrays["shift"] - arrays["running_mean"] * scale))
            case "layer_norm":
                numbers = nodes.numbers(arrays["scale"]), nodes.numbers(arrays["shift"])
                value = nodes.add("LayerNormalization", value, *numbers, axis=-1, epsilon=epsilon)
            case other:
                raise NotImplementedError(f"A layer {other} is not converted to ONNX.")
    return value
