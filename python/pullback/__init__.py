"""Pullback trains neural networks by back propagation, and shows how it did it."""

from ._columns import DataWarning
from ._mlp import MLPClassifier, MLPRegressor
from ._persist import load
from ._onnx import prepare as _prepare_onnx
from ._tabular import TabularClassifier, TabularRegressor
from ._show import Explanation, check_gradients

_prepare_onnx()

__version__ = "0.1.0"
__all__ = [
    "DataWarning",
    "Explanation",
    "MLPClassifier",
    "MLPRegressor",
    "TabularClassifier",
    "TabularRegressor",
    "check_gradients",
    "load",
]
