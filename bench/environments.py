"""What `compare` and `processes` share: where programs are, how they are made, how many threads they get, and how
ratios are summed up.

Each Python peer has an environment of its own under bench/target; what is there is kept.
"""

import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TARGET = HERE / "target"
# The packages of the Python peers, pinned so that a figure says what it was measured against.
ENVIRONMENTS = {
    "pytorch": ["torch==2.15.0", "numpy==2.4.6"],
    "pandas": ["pandas==3.1.1", "torch==2.15.0", "numpy==2.4.6"],
    "jax": ["jax==0.10.2", "numpy==2.4.6"],
    "scikit-learn": ["scikit-learn==1.9.1", "numpy==2.4.6"],
    "onnx": ["onnx==1.23.2", "onnxruntime==1.32.0", "numpy==2.4.6"],
}


def set_up(environment):
    """Installs the packages of a Python peer, unless they are there."""
    if (TARGET / environment / "done").exists():
        return
    print(f"setting up {environment}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", TARGET / environment], check=True)
    subprocess.run([TARGET / environment / "bin/pip", "install", "-q", *ENVIRONMENTS[environment]], check=True)
    (TARGET / environment / "done").touch()


def python(environment):
    return TARGET / environment / "bin/python"


def build(folder, package):
    """Builds this package, and no other, of the workspace in the folder.

    Several in one build would share the features of their dependencies: what is measured would depend on
    what is built beside it. An incremental build inlines less."""
    whole = os.environ | {"CARGO_INCREMENTAL": "0"}
    subprocess.run(["cargo", "build", "--release", "-q", "-p", package], cwd=folder, env=whole, check=True)


def threaded(threads):
    """What a child process of so many threads needs: as many processors, and the sizes of thread pools."""
    processors = sorted(os.sched_getaffinity(0))[:threads]
    pools = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
    return {
        "env": os.environ | {pool: str(threads) for pool in pools},
        "preexec_fn": lambda: os.sched_setaffinity(0, processors),
    }


def middle(ratios):
    """The median of the rounds' ratios, and the quartiles around it."""
    low, _, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else (ratios[0],) * 3
    return {"ratio": statistics.median(ratios), "ratio_quartiles": [low, high]}


def multiply_adds(work):
    """Multiply-adds of one example: forward, deltas and weight gradients."""
    # Of each layer's forward pass; a weight of a convolution has one in each of its windows.
    products, inputs = [], work["inputs"]
    if "convolutions" in work:
        height, width, channels = (work["image"][name] for name in ("height", "width", "channels"))
        for layer in work["convolutions"]:
            height, width = height - layer["size"] + 1, width - layer["size"] + 1
            products.append(height * width * layer["size"] ** 2 * channels * layer["filters"])
            height, width, channels = height // layer["pool"], width // layer["pool"], layer["filters"]
        inputs = height * width * channels
    sizes = [inputs, *work["hidden"], work["outputs"]]
    products += [inputs * outputs for inputs, outputs in zip(sizes, sizes[1:])]
    return 3 * sum(products) - products[0]
