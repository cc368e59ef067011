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

    def content(name, header):
        packed = (folder / f"{part}-{name}-ubyte.gz").read_bytes()
        return numpy.frombuffer(gzip.decompress(packed), numpy.uint8, offset=header)

    classes = content("labels-idx1", header=8).astype(numpy.int64)
    return content("images-idx3", header=16).reshape(len(classes), -1), classes


def is_held_out(classes):
    """Which rows training is watched with: of each class the same share, by chance."""
    order = numpy.random.default_rng(seed).permutation(len(classes))
    held_out = numpy.zeros(len(classes), bool)
    for number in range(CLASSES):
        rows = order[classes[order] == number]
        held_out[rows[: round(HELD_OUT / len(classes) * len(rows))]] = True
    return held_out


def mean_and_spread(images):
    """The mean of all pixels and their standard deviation, in pieces that fit the cache."""
    total = squares = 0.0
    for piece in numpy.array_split(images, 100):
        numbers = piece.astype(numpy.float32).ravel()
        total += float(numbers.sum())
        squares += float(numbers @ numbers)
    mean = total / images.size
    return mean, (squares / images.size - mean**2) ** 0.5


def data():
    """Images and classes to train on, to watch training with, and to test on; the first ones' mean and spread."""
    images, classes = read("train")
    held_out = is_held_out(classes)
    kept = (images[~held_out], classes[~held_out])
    # A copy, since PyTorch warns of arrays that cannot be written to.
    test = tuple(map(numpy.copy, read("t10k")))
    return kept, (images[held_out], classes[held_out]), test, mean_and_spread(kept[0])


def report(accuracy, log_loss):
    print(json.dumps({"accuracy": float(accuracy), "log_loss": float(log_loss)}))
