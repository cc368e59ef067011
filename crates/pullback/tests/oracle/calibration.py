"""The temperatures that the test of job/calibrate.rs expects, by scipy 1.17.

pip install scipy==1.17.1 && python calibration.py
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, softmax

SUMS = np.array([[2.0, -1.0, 0.5], [0.1, 3.0, -2.0], [4.0, 1.0, 0.0], [-1.0, 0.5, 2.5], [3.0, 2.0, -1.0]])
CLASSES = np.array([0, 1, 1, 2, 1])


def softmax_loss(temperature, weights=None):
    own = -log_softmax(SUMS / temperature, axis=1)[np.arange(len(CLASSES)), CLASSES]
    return np.average(own, weights=weights)


def pairs_loss(temperature):
    probabilities = softmax(SUMS / temperature, axis=1)
    mean = (probabilities[:-1] + probabilities[1:]) / 2
    return -np.log(mean[np.arange(4), CLASSES[:4]]).mean()


def binary_loss(temperature):
    sums, yes = np.array([4.0, -3.0, 2.0, -5.0, 1.0, 3.0]), np.array([1, 0, 0, 0, 1, 1])
    p = expit(sums / temperature)
    return -np.log(np.where(yes == 1, p, 1 - p)).mean()


def show(name, loss):
    found = minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-12})
    print(name, "at one", repr(float(loss(1.0))), "least at", repr(float(found.x)), repr(float(found.fun)))


show("softmax", softmax_loss)
show("weighted", lambda temperature: softmax_loss(temperature, [1.0, 0.5, 2.0, 3.0, 0.0]))
show("pairs", pairs_loss)
show("binary", binary_loss)
