"""From an estimator's parameters to the engine's description of a network and of its training."""

import json
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

#: scikit-learn's names of activations, and the engine's.
ACTIVATIONS = {
    "identity": "identity",
    "logistic": "sigmoid",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
    "leaky_relu": "leaky_relu",
    "elu": "elu",
    "gelu": "gelu",
    "silu": "silu",
    "softplus": "softplus",
}

#: Losses of classifiers, for one output for each class and for independent outputs.
CLASSIFIER_LOSSES = {
    "log_loss": ("softmax_cross_entropy", "sigmoid_cross_entropy"),
    "smoothed": ("smoothed_cross_entropy", None),
    "focal": (None, "focal"),
}

#: Losses of regressors.
REGRESSOR_LOSSES = {
    "squared_error": "squared_error",
    "absolute_error": "absolute_error",
    "huber": "huber",
    "quantile": "quantile",
    "poisson": "poisson",
    "gamma": "gamma",
    "tweedie": "tweedie",
}

#: Solvers beside scikit-learn's three.
SOLVERS = (
    "sgd",
    "adam",
    "lbfgs",
    "adamw",
    "rmsprop",
    "adagrad",
    "adamax",
    "nadam",
    "amsgrad",
    "lion",
    "muon",
)

#: Courses of the learning rate beside scikit-learn's three.
SCHEDULES = ("constant", "invscaling", "adaptive", "cosine", "one_cycle", "exponential")

WHOLE = Interval(Integral, 1, None, closed="left")
# More than any machine has processors; the engine refuses them too.
THREADS = Interval(Integral, 1, 1024, closed="both")
POSITIVE = Interval(Real, 0, None, closed="neither")
NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
SHARE = Interval(Real, 0, 1, closed="left")

#: What the parameters of both estimators may be. scikit-learn checks them before a fit, and its messages name the
#: parameter, its value and what is allowed.
CONSTRAINTS = {
    "hidden_layer_sizes": ["array-like", WHOLE],
    "activation": [StrOptions(set(ACTIVATIONS)), list, tuple],
    "solver": [StrOptions(set(SOLVERS))],
    "alpha": [NOT_NEGATIVE],
    "batch_size": [StrOptions({"auto"}), WHOLE],
    "learning_rate": [StrOptions(set(SCHEDULES))],
    "learning_rate_init": [POSITIVE],
    "power_t": [NOT_NEGATIVE],
    "max_iter": [WHOLE],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [NOT_NEGATIVE],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [SHARE],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [SHARE],
    "beta_1": [SHARE],
    "beta_2": [SHARE],
    "epsilon": [POSITIVE],
    "n_iter_no_change": [WHOLE, Options(Real, {np.inf})],
    "max_fun": [WHOLE],
    "scoring": [str, callable, None],
    "dropout": [SHARE],
    "normalization": [StrOptions({"batch", "layer"}), None],
    "weight_decay": [NOT_NEGATIVE],
    "clip_norm": [POSITIVE, None],
    "ema": [SHARE, None],
    "n_threads": [THREADS, None],
    "dtype": "no_validation",
}


def choice(name, value, known):
    """The value, if it is one of those known."""
    if value not in known:
        listed = ", ".join(repr(one) for one in known)
        raise ValueError(f"{name}={value!r} is not known; choose one of {listed}.")
    return value


def hidden_sizes(sizes):
    """The units of the hidden layers as a list."""
    if not hasattr(sizes, "__iter__"):
        sizes = [sizes]
    sizes = list(sizes)
    if any(not isinstance(size, Integral) for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be whole numbers, got {sizes}.")
    sizes = [int(size) for size in sizes]
    if any(size <= 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return sizes


def activations(given, count):
    """The activation of each hidden layer, by the engine's names."""
    each = [given] * count if isinstance(given, str) else list(given)
    if len(each) != count:
        raise ValueError(
            f"activation names {len(each)} functions for {count} hidden layers; "
            "give one name, or one for each layer."
        )
    return [ACTIVATIONS[choice("activation", name, ACTIVATIONS)] for name in each]


def network(inputs, outputs, estimator, cost, setting):
    """The network as the engine reads it."""
    sizes = hidden_sizes(estimator.hidden_layer_sizes)
    layers = []
    for units, function in zip(sizes, activations(estimator.activation, len(sizes))):
        layers.append({"kind": "dense", "units": units})
        if estimator.normalization is not None:
            known = {"batch": "batch_norm", "layer": "layer_norm"}
            layers.append({"kind": known[estimator.normalization]})
        layers.append({"kind": "activation", "function": function})
        if estimator.dropout:
            layers.append({"kind": "dropout", "rate": float(estimator.dropout)})
    layers.append({"kind": "dense", "units": outputs})
    return {
        "inputs": int(inputs),
        "layers": layers,
        "cost": cost if setting is None else f"{cost}:{float(setting)}",
        # The penalty of a batch is divided by its rows, as scikit-learn does.
        "regularization": {"l2": float(estimator.alpha), "l1": 0.0, "divide_by_batch": True},
    }


def weighted(description):
    """The layers of a network that have weights: its inputs, the units of each dense one, the names of others."""
    layers = [layer for layer in description["layers"] if layer["kind"] not in ("activation", "dropout")]
    return [description["inputs"], *(layer.get("units", layer["kind"]) for layer in layers)]


def optimizer(estimator):
    """The optimizer as the engine reads it."""
    solver = estimator.solver
    if solver == "lbfgs":
        return {"kind": "lbfgs", "tolerance": max(float(estimator.tol), 1e-30)}
    if solver == "sgd":
        if estimator.momentum == 0:
            return {"kind": "sgd"}
        kind = "nesterov" if estimator.nesterovs_momentum else "momentum"
        return {"kind": kind, "momentum": float(estimator.momentum)}
    settings = {"kind": solver}
    if solver in ("adam", "adamw", "adamax", "nadam", "amsgrad", "lion"):
        settings |= {"beta_1": float(estimator.beta_1), "beta_2": float(estimator.beta_2)}
    if solver not in ("lion", "muon"):
        settings["epsilon"] = float(estimator.epsilon)
    if solver in ("adamw", "lion", "muon"):
        settings["weight_decay"] = float(estimator.weight_decay)
    elif estimator.weight_decay:
        raise ValueError(f"weight_decay is for adamw, lion and muon, not for {solver}; alpha is for all.")
    return settings


def training(estimator, rows, epochs, seed):
    """The configuration of a run."""
    schedule = estimator.learning_rate
    shape = "constant" if schedule in ("invscaling", "adaptive") else schedule
    lbfgs = estimator.solver == "lbfgs"
    return {
        "epochs": int(epochs),
        "batch": "full" if lbfgs else batch_size(estimator, rows),
        "optimizer": optimizer(estimator),
        "learning_rate": 1.0 if lbfgs else float(estimator.learning_rate_init),
        "schedule": {"warmup_epochs": 0.0, "shape": {"kind": "constant" if lbfgs else shape}},
        "clip_norm": None if estimator.clip_norm is None else float(estimator.clip_norm),
        "ema": None if estimator.ema is None else float(estimator.ema),
        "shuffle": bool(estimator.shuffle),
        "seed": int(seed),
    }


def batch_size(estimator, rows):
    """How many rows make a step."""
    if estimator.batch_size == "auto":
        return min(200, rows)
    return int(np.clip(estimator.batch_size, 1, rows))


def start(description, estimator, random_state, dtype):
    """Names, shapes and first numbers of the parameters, drawn as scikit-learn draws them from the same seed."""
    from . import _engine

    items = _engine.initialize(json.dumps(description), 0)
    sizes = [description["inputs"]]
    sizes += [layer["units"] for layer in description["layers"] if layer["kind"] == "dense"]
    factor = 2.0 if estimator.activation == "logistic" else 6.0
    dense = {}
    for layer, (inputs, units) in enumerate(zip(sizes, sizes[1:])):
        bound = np.sqrt(factor / (inputs + units))
        coefs = random_state.uniform(-bound, bound, (inputs, units))
        dense[layer] = coefs, random_state.uniform(-bound, bound, units)
    numbers, layer = [], -1
    for name, shape, own in items:
        if name.endswith(".weight"):
            layer += 1
            own = dense[layer][0].T
        elif name.endswith(".bias"):
            own = dense[layer][1]
        numbers.append(np.ascontiguousarray(own, dtype=dtype).reshape(shape))
    return [name for name, _, _ in items], numbers
