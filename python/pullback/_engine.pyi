from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "initialize",
    "predict",
    "train",
    "fit_table",
    "predict_table",
    "table_model",
    "attributions",
    "check",
    "explain",
    "main",
    "model_bytes",
    "model_parts",
    "page_file",
]

def initialize(network: str, seed: int) -> list[tuple[str, list[int], NDArray[np.float64]]]: ...
def train(
    spec: str,
    x: NDArray[Any],
    y: NDArray[Any],
    weights: NDArray[Any] | None = None,
    rows: tuple[Sequence[int], Sequence[int]] | None = None,
    watched: tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None] | None = None,
    initial: list[NDArray[Any]] | None = None,
    state: bytes | None = None,
    on_epoch: Callable[[dict[str, Any]], tuple[bool, bool, float | None] | None] | None = None,
) -> dict[str, Any]: ...
def predict(
    network: str, parameters: list[NDArray[Any]], x: NDArray[Any], threads: int = 0, double: bool = False
) -> NDArray[Any]: ...
def explain(
    network: str, list: list[NDArray[np.float64]], x: NDArray[np.float64], targets: NDArray[np.float64], page: str
) -> str: ...
def check(
    network: str,
    list: list[NDArray[np.float64]],
    x: NDArray[np.float64],
    targets: NDArray[np.float64],
    samples: int,
    seed: int,
) -> str: ...
def attributions(
    network: str,
    list: list[NDArray[np.float64]],
    x: NDArray[np.float64],
    outputs: NDArray[np.int64],
    threads: int,
) -> NDArray[np.float64]: ...
def model_bytes(
    network: str, list: list[NDArray[Any]], preprocessing: str | None = None, run: str | None = None, double: bool = False
) -> bytes: ...
def model_parts(bytes: bytes) -> tuple[str, str | None, list[NDArray[np.float64]]]: ...
def page_file(name: str) -> bytes: ...
def fit_table(
    settings: str, table: list[tuple[str, NDArray[np.float64] | list[str | None]]], threads: int
) -> tuple[bytes, list[int], bool, list[str]]: ...
def predict_table(
    model: bytes, table: list[tuple[str, NDArray[np.float64] | list[str | None]]], threads: int
) -> tuple[NDArray[np.float64], list[str]]: ...
def table_model(model: bytes) -> tuple[list[str], list[str], list[str] | None, list[str]]: ...
def main(called: list[str], arguments: list[str]) -> int: ...
