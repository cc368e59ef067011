"""A whole job by scikit-learn's MLPClassifier, which holds out and keeps the best epoch itself.

It starts weights and biases by Glorot's rule, judges epochs by accuracy, and has no schedule for Adam.
"""

import warnings

import job
import joblib
import numpy
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore")
images, classes = job.read("train")
mean, spread = job.mean_and_spread(images, numpy.arange(len(images)))


def scaled(images):
    numbers = images.astype(numpy.float32)
    numbers -= mean
    numbers /= spread
    return numbers


network = MLPClassifier(
    hidden_layer_sizes=(job.HIDDEN,),
    solver="adam",
    alpha=0,
    batch_size=job.BATCH,
    learning_rate_init=job.LEARNING_RATE,
    max_iter=job.EPOCHS,
    early_stopping=True,
    validation_fraction=job.HELD_OUT / len(images),
    n_iter_no_change=job.EPOCHS,
    random_state=job.seed,
)
images = scaled(images)
network.fit(images, classes)
images, classes = job.read("t10k")
probabilities = network.predict_proba(scaled(images))
job.report((probabilities.argmax(1) == classes).mean(), log_loss(classes, probabilities))
joblib.dump(network, job.model_file)
