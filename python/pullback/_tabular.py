"""Tables in, the best model in a sensible time: what the command's `train` does, as estimators."""

import json
import re
import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, _fit_context
from sklearn.utils import check_random_state, column_or_1d, compute_sample_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_array, check_is_fitted, validate_data

from . import _engine, _network
from ._columns import check_classes, check_columns, finite, is_categorical, is_category, is_frame, is_temporal, moments, native, needs_table, tell, texts, written
from ._threads import thread_count

#: What the weights are called in the table that the engine gets; no column of X is called so.
WEIGHT = "weight of the estimator"


#: What the engine advises is done by flags of the command and in files.
ADVICE = [
    (re.compile(r"`--ignore '.*?'` leaves it out"), "drop it from X"),
    (re.compile(r"`--type '.*?=categorical'` keeps it"), "the type of categories keeps it"),
    (re.compile(r" in the file"), ""),
]


def numbers_of(series):
    """A column that has numbers in training, as numbers, which may be written as texts now."""
    if not is_categorical(series):
        return np.ascontiguousarray(finite(series))
    try:
        return np.array([np.nan if text is None else float(text) for text in texts(series)])
    except ValueError as error:
        raise ValueError(f"column {series.name!r} has numbers in training, but here it has not: {error}") from error


def kind_of(series):
    """What a column holds."""
    return "time" if is_temporal(series) else "categorical" if is_categorical(series) else "numeric"


def cells_of(series, kind):
    """A column as the engine takes one that had this kind in training."""
    if kind == "time":
        if not is_temporal(series) and series.null_count() < len(series):
            raise ValueError(f"column {series.name!r} has dates in training, but here it has not: make dates of it.")
        return moments(series)
    if is_temporal(series):
        raise ValueError(f"column {series.name!r} has dates, but in training it had none.")
    return texts(series).tolist() if kind == "categorical" else numbers_of(series)


def told(remarks):
    """What the engine remarks on rows, with advice for who has no files."""
    for pattern, instead in ADVICE:
        remarks = [pattern.sub(instead, remark) for remark in remarks]
    return remarks


class BaseTabular(BaseEstimator):
    """What both estimators share."""

    _parameter_constraints = {
        "fast": ["boolean"],
        "ensemble": [_network.WHOLE, None],
        "time": [str, None],
        "candidates": [_network.WHOLE, None],
        "metric": [str, None],
        "hidden_layer_sizes": ["array-like", _network.WHOLE, None],
        "embeddings": [_network.WHOLE, StrOptions({"auto", "none"}), None],
        "max_iter": [_network.WHOLE, None],
        "learning_rate_init": [_network.POSITIVE, None],
        "random_state": ["random_state"],
        "n_threads": [_network.THREADS, None],
    }

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = False
        return tags

    def _names(self):
        names = getattr(self, "feature_names_in_", None)
        return [f"x{place}" for place in range(self.n_features_in_)] if names is None else [str(n) for n in names]

    def _table(self, X, reset):
        """The columns of X as the engine takes them."""
        if is_frame(X):
            check_columns(X, has_dates=True)
            validate_data(self, X, reset=reset, skip_check_array=True)
            given = list(native(X).iter_columns())
            if not len(given[0]):
                raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
            if reset:
                self.kinds_ = [kind_of(series) for series in given]
            # A model reads new rows by its own types.
            columns = [cells_of(series, kind) for series, kind in zip(given, self.kinds_)]
        else:
            try:
                array = validate_data(self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")
            except (TypeError, ValueError) as error:
                if not reset and set(self.kinds_) != {"numeric"}:
                    raise needs_table(self._names()) from error
                if "to float" in str(error):
                    raise ValueError(
                        f"{error}. An array has numbers alone; columns of texts come in a table of pandas, Polars or Arrow."
                    ) from error
                raise
            if reset:
                self.kinds_ = ["numeric"] * array.shape[1]
            if "time" in self.kinds_:
                raise needs_table(self._names())
            columns = [
                np.ascontiguousarray(column) if kind == "numeric" else [written(number) for number in column]
                for column, kind in zip(array.T, self.kinds_)
            ]
        return list(zip(self._names(), columns))

    def _declared(self, X):
        """The kinds of columns that are not the engine's to decide: it leaves texts out that only name their rows, but not
        where they have the type of categories, and not numbers."""
        has_type = [is_category(series) for series in native(X).iter_columns()] if is_frame(X) else self.kinds_
        return [kind if kind == "numeric" or own is True else None for kind, own in zip(self.kinds_, has_type)]

    def _learn(self, X, targets, weights, more):
        """Runs the job on columns with those of the target."""
        columns = self._table(X, reset=True)
        if len(columns[0][1]) != len(targets[0]):
            raise ValueError(
                f"Found input variables with inconsistent numbers of samples: {[len(columns[0][1]), len(targets[0])]}"
            )
        taken = {name for name, _ in columns}
        names = ["y"] if len(targets) == 1 else [f"y{place}" for place in range(len(targets))]
        target = [(name if name not in taken else f"{name} (target)", own) for name, own in zip(names, targets)]
        settings = {
            "data": "a table of Python",
            "target": [name for name, _ in target],
            # Who tests, tests on rows of his own.
            "test": 0.0,
            "type": [f"{name}={kind}" for (name, _), kind in zip(columns, self._declared(X)) if kind],
            "seed": int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max)),
        }
        given = {
            "fast": True if self.fast else None,
            "ensemble": self.ensemble,
            "hidden": None if self.hidden_layer_sizes is None else _network.hidden_sizes(self.hidden_layer_sizes),
            "embeddings": self.embeddings,
            "epochs": self.max_iter,
            "learning_rate": self.learning_rate_init,
            "metric": self.metric,
            "candidates": self.candidates,
            "time": self.time,
        }
        settings |= {name: value for name, value in given.items() if value is not None} | more
        if weights is not None:
            settings["weights"] = WEIGHT
            target = [*target, (WEIGHT, np.ascontiguousarray(weights, dtype=np.float64))]
        model, epochs, interrupted, remarks = _engine.fit_table(
            json.dumps(settings, default=np.generic.item), columns + target, thread_count(self.n_threads)
        )
        tell(told(remarks))
        if interrupted:
            warnings.warn("Training interrupted by user.")
        self.model_ = np.frombuffer(model, dtype=np.uint8)
        self.n_iter_ = max(epochs)
        self.n_networks_ = len(epochs)
        return self

    def _outputs(self, X):
        check_is_fitted(self)
        table = self._table(X, reset=False)
        predicted, remarks = _engine.predict_table(self.model_.tobytes(), table, thread_count(self.n_threads))
        tell(told(remarks))
        return predicted

    def save(self, path):
        """Write the model file, which `pullback.load` and the command read.

        Parameters
        ----------
        path : str or Path
            Where it goes. A file that is there is replaced as a whole.
        """
        from ._persist import listed, plain, with_metadata, write

        check_is_fitted(self)
        fitted = {name: value for name, value in vars(self).items() if name.endswith("_") and name != "model_"}
        own = {
            "estimator": type(self).__name__,
            "parameters": plain(self.get_params(deep=False)),
            "fitted": {
                name: {"array": listed(value), "dtype": value.dtype.str} if isinstance(value, np.ndarray) else value
                for name, value in fitted.items()
            },
        }
        write(path, with_metadata(self.model_.tobytes(), own))


class TabularClassifier(ClassifierMixin, BaseTabular):
    """Learns classes from a table: an ensemble of networks, whose settings are decided from the data.

    It is what `pullback train` does. Columns are scaled and encoded, missing cells filled, layers, rates and epochs
    chosen by the rows; by default eight networks are trained, each watched by a tenth of the rows.

    Parameters
    ----------
    fast : bool, default=False
        One network, in a fraction of the time.
    ensemble : int or None, default=None
        How many networks are trained.
    time : str or None, default=None
        How long further candidates with drawn settings are trained, of which the best are kept: `"5m"`.
    candidates : int or None, default=None
        How many candidates, instead of a time; the same number gives the same bits.
    metric : str or None, default=None
        What validation rows are watched by; the cost if None.
    class_weight : dict, "balanced" or None, default=None
        How much each class counts.
    hidden_layer_sizes : sequence of int or None, default=None
        The units of each hidden layer.
    embeddings : int, "auto" or None, default=None
        How many numbers, learned for each level, a column of many texts becomes; `"auto"` by the number of levels. None
        is an input for each level.
    max_iter : int or None, default=None
        The largest number of epochs.
    learning_rate_init : float or None, default=None
        The first learning rate.
    random_state : int, RandomState or None, default=None
        The seed. The same seed gives the same bits on any number of threads.
    n_threads : int or None, default=None
        The threads that may work; None is what OMP_NUM_THREADS, joblib or the machine allow.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes.
    n_networks_ : int
        How many networks predict.
    n_iter_ : int
        The most epochs of one of them.
    model_ : ndarray of uint8
        The model file.

    Examples
    --------
    >>> from pullback import TabularClassifier
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> clf = TabularClassifier(fast=True, random_state=0).fit(X, y)
    >>> bool(clf.score(X, y) > 0.95)
    True
    """

    _parameter_constraints = BaseTabular._parameter_constraints | {
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
    }

    def __init__(
        self,
        *,
        fast=False,
        ensemble=None,
        time=None,
        candidates=None,
        metric=None,
        class_weight=None,
        hidden_layer_sizes=None,
        embeddings=None,
        max_iter=None,
        learning_rate_init=None,
        random_state=None,
        n_threads=None,
    ):
        self.fast = fast
        self.ensemble = ensemble
        self.time = time
        self.candidates = candidates
        self.metric = metric
        self.class_weight = class_weight
        self.hidden_layer_sizes = hidden_layer_sizes
        self.embeddings = embeddings
        self.max_iter = max_iter
        self.learning_rate_init = learning_rate_init
        self.random_state = random_state
        self.n_threads = n_threads

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Learn from rows and their classes.

        Parameters
        ----------
        X : table or array-like of shape (n_samples, n_features)
            The rows; categories, texts, dates and missing cells may be among them.
        y : array-like of shape (n_samples,)
            The class of each row.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts.

        Returns
        -------
        self : TabularClassifier
            The fitted estimator.
        """
        if y is None:
            raise ValueError("This TabularClassifier estimator requires y to be passed, but the target y is None.")
        y = check_array(y, ensure_2d=False, dtype=None, input_name="y")
        check_classes(y)
        check_classification_targets(y)
        y = column_or_1d(y, warn=True)
        self.classes_, places = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class, {self.classes_.tolist()[0]!r}: there is nothing to tell apart.")
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, y, ensure_non_negative=True)
        if self.class_weight is not None:
            own = compute_sample_weight(self.class_weight, y)
            weights = own if weights is None else weights * own
        names = [str(label) for label in self.classes_]
        if len(set(names)) < len(names):
            raise ValueError(f"y has classes that are written alike: {names}.")
        self._learn(X, [[names[place] for place in places]], weights, {"task": "classes"})
        _, _, written, _ = _engine.table_model(self.model_.tobytes())
        self.order_ = [written.index(name) for name in names]
        return self

    def predict_proba(self, X):
        """The probability of each class.

        Parameters
        ----------
        X : table or array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`.
        """
        outputs = self._outputs(X)
        if outputs.shape[1] == 1:
            outputs = np.hstack([1.0 - outputs, outputs])
        return outputs[:, self.order_] / outputs.sum(axis=1, keepdims=True)

    def predict(self, X):
        """The most probable class of each row.

        Parameters
        ----------
        X : table or array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The classes.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[np.argmax(probabilities, axis=1)]


class TabularRegressor(RegressorMixin, BaseTabular):
    """Learns numbers from a table: an ensemble of networks, whose settings are decided from the data.

    Parameters
    ----------
    loss : str or None, default=None
        The cost: squared_error if None, absolute_error, huber, quantile:0.9, poisson, gamma, tweedie:1.5.
    fast, ensemble, time, candidates, metric, hidden_layer_sizes, embeddings, max_iter, learning_rate_init, \
random_state, n_threads : object
        As in :class:`TabularClassifier`.

    Attributes
    ----------
    n_networks_, n_iter_, model_ : object
        As in :class:`TabularClassifier`.

    Examples
    --------
    >>> from pullback import TabularRegressor
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> reg = TabularRegressor(fast=True, random_state=0).fit(X, y)
    >>> bool(reg.score(X, y) > 0.4)
    True
    """

    _parameter_constraints = BaseTabular._parameter_constraints | {"loss": [str, None]}

    def __init__(
        self,
        loss=None,
        *,
        fast=False,
        ensemble=None,
        time=None,
        candidates=None,
        metric=None,
        hidden_layer_sizes=None,
        embeddings=None,
        max_iter=None,
        learning_rate_init=None,
        random_state=None,
        n_threads=None,
    ):
        self.loss = loss
        self.fast = fast
        self.ensemble = ensemble
        self.time = time
        self.candidates = candidates
        self.metric = metric
        self.hidden_layer_sizes = hidden_layer_sizes
        self.embeddings = embeddings
        self.max_iter = max_iter
        self.learning_rate_init = learning_rate_init
        self.random_state = random_state
        self.n_threads = n_threads

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Learn from rows and their numbers.

        Parameters
        ----------
        X : table or array-like of shape (n_samples, n_features)
            The rows; categories, texts, dates and missing cells may be among them.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The number, or the numbers, of each row.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts.

        Returns
        -------
        self : TabularRegressor
            The fitted estimator.
        """
        if y is None:
            raise ValueError("This TabularRegressor estimator requires y to be passed, but the target y is None.")
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        self.is_flat_ = y.ndim == 1
        columns = y.reshape(len(y), -1)
        targets = [np.ascontiguousarray(columns[:, place]) for place in range(columns.shape[1])]
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, y, ensure_non_negative=True)
        more = {"task": "regression"} | ({} if self.loss is None else {"cost": self.loss})
        return self._learn(X, targets, weights, more)

    def predict(self, X):
        """The number of each row.

        Parameters
        ----------
        X : table or array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The numbers.
        """
        outputs = self._outputs(X)
        return outputs.ravel() if self.is_flat_ else outputs
