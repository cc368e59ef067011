"""What every Python contestant does: make the workload's data, then time epochs whenever it is told to.

The bench starts each contestant once, as `python NAME.py WORKLOAD_JSON THREADS`. A contestant prints
`ready` when it has warmed up. For each line `run SECONDS` on its standard input it trains for about as
long and prints `SAMPLES SECONDS COST`. So contestants can take turns without paying their start again.
"""

import json
import sys
import time

import numpy


def workload(precisions=()):
    """The workload and the number of threads; ends here if the workload is of a precision, other than f32, that the
    contestant was not written for."""
    work = json.loads(sys.argv[1])
    if work.get("precision", "f32") not in ("f32", *precisions):
        raise SystemExit(f"no products in {work['precision']} here")
    return work, int(sys.argv[2])


def data(work):
    """The rows of an epoch: features of mean 0 and variance 1, classes (0 or 1 for a single output), in f32."""
    random = numpy.random.default_rng(1)
    rows = work["batch"] * work["batches"]
    features = (random.random((rows, work["inputs"]), dtype=numpy.float32) - 0.5) * 12**0.5
    classes = random.integers(0, max(work["outputs"], 2), rows)
    return features, classes


def targets(work, classes):
    """The classes as numbers: one column, or one for each class."""
    if work["outputs"] == 1:
        return classes.astype(numpy.float32)[:, None]
    return numpy.eye(work["outputs"], dtype=numpy.float32)[classes]


def learning_rate(work):
    return {"sgd": 0.1, "momentum": 0.01, "adam": 0.001}[work["optimizer"]]


def serve(work, epochs):
    """`epochs(count)` trains that many epochs and returns the last cost."""
    rows = work["batch"] * work["batches"]
    epochs(1)
    start = time.perf_counter()
    epochs(1)
    once = time.perf_counter() - start
    print("ready", flush=True)
    for line in sys.stdin:
        count = max(1, round(float(line.split()[1]) / once))
        start = time.perf_counter()
        cost = epochs(count)
        seconds = time.perf_counter() - start
        once = seconds / count
        print(rows * count, seconds, cost, flush=True)
