"""What the peers of `processes` share: reading, holding out, scaling and reporting, as `pullback train` does them.

A peer is started as `python job_NAME.py DATA_FOLDER MODEL_FILE SEED` and does a whole job: it reads the gzipped
IDX files, holds out 2000 of the 60,000 training images, trains a network 784-128-10 on the others, measures the
held-out ones after each epoch and keeps the best epoch's weights, predicts the 10,000 test images, saves the model
and prints a line of JSON.
"""

import gzip
import json
import pathlib
import sys

import numpy

HIDDEN = 128
CLASSES = 10
EPOCHS = 5
BATCH = 128
LEARNING_RATE = 0.001
HELD_OUT = 2000

folder, model_file, seed = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])


def read(part):
    """The images of the part `train` or `t10k`, `[images, pixels]` of bytes, and their classes."""

    def content(name, dimensions):
        with gzip.open(folder / f"{part}-{name}-idx{dimensions}-ubyte.gz") as file:
            # The header: a number that says what follows, then the extent of each dimension.
            _, *shape = numpy.frombuffer(file.read(4 + 4 * dimensions), ">u4")
            values = numpy.empty(numpy.prod(shape), numpy.uint8)
            file.readinto(values)
            return values.reshape(shape[0], -1)

    return content("images", 3), content("labels", 1).ravel().astype(numpy.int64)


def hold_out(classes):
    """The rows to train on, and those to watch training with: of each class the same share, by chance."""
    order = numpy.random.default_rng(seed).permutation(len(classes))
    is_held_out = numpy.zeros(len(classes), bool)
    for number in range(CLASSES):
        rows = order[classes[order] == number]
        is_held_out[rows[: round(HELD_OUT / len(classes) * len(rows))]] = True
    return numpy.flatnonzero(~is_held_out), numpy.flatnonzero(is_held_out)


def mean_and_spread(images, rows):
    """The mean of all pixels of the rows and their standard deviation, in pieces that fit the cache."""
    total = squares = 0.0
    for piece in numpy.array_split(rows, 100):
        numbers = images[piece].astype(numpy.float32).ravel()
        total += float(numbers.sum())
        squares += float(numbers @ numbers)
    pixels = len(rows) * images.shape[1]
    mean = total / pixels
    return mean, (squares / pixels - mean**2) ** 0.5


def report(accuracy, log_loss):
    print(json.dumps({"accuracy": float(accuracy), "log_loss": float(log_loss)}))
