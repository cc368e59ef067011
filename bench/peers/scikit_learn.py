"""scikit-learn's MLPClassifier: `partial_fit` over the batches, as its `fit` does each epoch."""

import warnings

import contestant

work, threads = contestant.workload()

import numpy
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

if "convolutions" in work:
    raise SystemExit("scikit-learn has no convolutions")

warnings.filterwarnings("ignore")
features, classes = contestant.data(work)
is_multilabel = work["outputs"] > 1 and work["cost"] == "sigmoid_cross_entropy"
targets = contestant.targets(work, classes).astype(int) if is_multilabel else classes
network = MLPClassifier(
    hidden_layer_sizes=work["hidden"],
    activation={"sigmoid": "logistic"}.get(work["activation"], work["activation"]),
    solver="adam" if work["optimizer"] == "adam" else "sgd",
    momentum=0.9 if work["optimizer"] == "momentum" else 0.0,
    nesterovs_momentum=False,
    alpha=work["l2"],
    batch_size=work["batch"],
    learning_rate_init=contestant.learning_rate(work),
    max_iter=1,
    n_iter_no_change=10**9,
    warm_start=True,
    random_state=0,
)


def epochs(count):
    with threadpool_limits(threads):
        network.set_params(max_iter=count)
        network.fit(features, targets)
    return network.loss_


contestant.serve(work, epochs)
