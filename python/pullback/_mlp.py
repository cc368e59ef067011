"""scikit-learn's multi-layer perceptrons, trained by Pullback's engine."""

import copy
import json
import warnings
from numbers import Real

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, _fit_context, is_classifier
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, check_scoring, r2_score
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, column_or_1d, compute_sample_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_array, check_consistent_length, check_is_fitted, validate_data

from . import _engine, _network
from ._columns import Encoder, check_classes, check_columns, is_categorical, is_frame, native, needs_table, tell
from ._persist import SaveMixin
from ._show import ShowMixin
from ._threads import thread_count


class BaseMLP(CallbackSupportMixin, SaveMixin, ShowMixin, BaseEstimator):
    """What both estimators share."""

    def _set(self, **parameters):
        for name, value in parameters.items():
            setattr(self, name, value)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = False
        return tags

    # Inputs

    def _inputs(self, X, reset, y="no_validation"):
        """X as the array that the network reads, and y if there is one; nothing is copied that need not be."""
        checks_y = not isinstance(y, str)
        has_columns = is_frame(X)
        if has_columns:
            check_columns(X)
        is_encoded = self._needs_encoding(X) if has_columns and reset else not reset and self.encoder_ is not None
        if is_encoded:
            if not has_columns:
                raise needs_table(self.feature_names_in_)
            validate_data(self, X, y, reset=reset, skip_check_array=True)
            if not len(native(X)):
                raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
            if reset:
                encoder, remarks = Encoder.fit(X)
                if not encoder.width:
                    raise ValueError("no column of X has a value in any row: there is nothing to learn from.")
                self.encoder_, self.fill_ = encoder.columns, None
                array, _ = encoder.transform(X, self._dtype())
            else:
                array, remarks = Encoder(self.encoder_).transform(X, self._dtype())
            tell(remarks)
            if checks_y:
                y = check_array(y, ensure_2d=False, dtype=None, input_name="y")
                check_consistent_length(array, y)
            return (array, y) if checks_y else array
        given = validate_data(
            self,
            X,
            y,
            reset=reset,
            dtype="numeric",
            ensure_all_finite="allow-nan",
            **({"multi_output": True, "y_numeric": not is_classifier(self)} if checks_y else {}),
        )
        array, y = given if checks_y else (given, None)
        y = y.toarray() if issparse(y) else y
        if reset:
            self.encoder_ = None
            self.fill_ = None
        if array.dtype == bool:
            array = array.view(np.uint8)
        elif array.dtype.kind not in "fiu" or array.dtype.itemsize > 8 or array.dtype == np.float16:
            array = array.astype(self._dtype())
        elif not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
        if array.dtype.kind == "f":
            array = self._filled(array, reset)
        return (array, y) if checks_y else array

    def _filled(self, array, reset):
        """The array without missing numbers: each is its column's median in training."""
        # A sum needs no array of its own, as a look at each number would.
        with np.errstate(invalid="ignore", over="ignore"):
            if np.isfinite(array.sum(dtype=np.float64)):
                return array
        missing = np.isnan(array)
        if not missing.any():
            return array
        if reset:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # a column without any number, which becomes 0
                self.fill_ = np.nan_to_num(np.nanmedian(array, axis=0))
        elif self.fill_ is None:
            raise ValueError(
                "Input X contains NaN, but no number was missing in training, so nothing says what to put in its place. "
                "Fit with rows that have some, or put sklearn.impute.SimpleImputer before the estimator."
            )
        return np.where(missing, self.fill_, array).astype(array.dtype)

    @staticmethod
    def _needs_encoding(X):
        return any(is_categorical(series) or series.null_count() for series in native(X).iter_columns())

    def _dtype(self):
        """The numbers that the engine computes with."""
        return np.dtype(self.dtype_)

    def _choose_dtype(self, X):
        """Those that are asked for, or those of X as far as they are known before it is read."""
        asked = self.dtype if isinstance(self.dtype, str) else str(np.dtype(self.dtype))
        _network.choice("dtype", asked, ("auto", "float32", "float64"))
        if asked == "auto":
            small = isinstance(X, np.ndarray) and X.dtype in (np.float32, np.float16, np.uint8, np.int8)
            asked = "float32" if small else "float64"
        self.dtype_ = asked

    # Fitting

    def _fit(self, X, y, sample_weight, eval_set, incremental=False, classes=None):
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        given = X, y
        if first:
            self._choose_dtype(X)
        X, y = self._inputs(X, first, y)
        targets, width, classes = self._targets(y, first, incremental, classes)
        rows = X.shape[0]
        dtype = self._dtype()
        weights = self._weights(sample_weight, X, y)
        random_state = check_random_state(self.random_state)
        cost, setting = self._cost()
        description = _network.network(X.shape[1], width, self, cost, setting)
        if first:
            names, numbers = _network.start(description, self, random_state, dtype)
            self.network_ = json.dumps(description)
            self.parameter_names_ = names
            self._state = None
            self._take(numbers)
            self._begin()
        else:
            self._go_on(description)
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")

        watched, places = None, None
        if eval_set is not None:
            watched = self._eval_set(eval_set, dtype)
        elif self.early_stopping:
            places = self._split(y, rows, random_state)
        # Drawn last, so that weights and split are those that scikit-learn draws.
        seed = int(random_state.randint(np.iinfo(np.int32).max))
        trained = rows if places is None else len(places[0])
        size = self.batch_size
        if size != "auto" and not 1 <= size <= trained:
            warnings.warn("Got `batch_size` less than 1 or larger than sample size. It is going to be clipped")

        epochs = 1 if incremental else self.max_iter
        if self.solver == "lbfgs":
            # Each step looks at the cost at least once.
            epochs = min(epochs, self.max_fun)
        course = Course(self, given, sample_weight, watched, places, X, y, epochs, incremental)
        spec = {
            "network": json.loads(self.network_),
            "training": _network.training(self, trained, epochs, seed),
            "threads": thread_count(self.n_threads),
            "double": dtype == np.float64,
            "classes": classes,
            "wants_parameters": course.wants_parameters,
            "wants_state": incremental and self.solver != "lbfgs",
        }
        course.begin()
        result = _engine.train(
            json.dumps(spec),
            X,
            targets,
            weights=weights,
            rows=None if places is None else tuple(list(map(int, part)) for part in places),
            watched=watched.arrays if watched is not None else None,
            initial=self._numbers(),
            state=self._state_for(spec["training"]["optimizer"]) if incremental else None,
            on_epoch=course,
        )
        history = json.loads(result["history"])
        self._check_finite(history, result["parameters"], course)
        self._take(result["parameters"])
        # A model file says how its network was trained; what it was trained on is an array without a name.
        data = {"source": "an array", "rows": rows, "trained_rows": trained, "hash": "0" * 16}
        self.run_ = json.dumps({"training": spec["training"], "history": history, "data": data})
        self._state = np.frombuffer(result["state"], dtype=np.uint8) if spec["wants_state"] else None
        course.end(history, result["interrupted"])
        return self

    def _begin(self):
        """What scikit-learn keeps of a run, before its first epoch."""
        self.n_iter_ = 0
        self.t_ = 0
        self.loss_curve_ = []
        self._no_improvement_count = 0
        self.validation_scores_ = None
        self.best_validation_score_ = None
        self.best_loss_ = np.inf

    def _go_on(self, description):
        """Takes the settings of a network that changed since the previous call; its weights stay, and must fit."""
        before = json.loads(self.network_)
        if description == before:
            return
        layers, wanted = map(_network.weighted, (before, description))
        if layers != wanted:
            raise ValueError(
                f"warm_start and partial_fit go on with the layers of the previous call, {layers}, "
                f"but now they would be {wanted}."
            )
        numbers = self._numbers()
        self.network_ = json.dumps(description)
        self.parameter_names_ = [name for name, _, _ in _engine.initialize(self.network_, 0)]
        self._take(numbers)

    def _state_for(self, optimizer):
        """What the optimizer kept in the previous call; nothing for one of another kind, which begins anew."""
        if self._state is None or json.loads(self.run_)["training"]["optimizer"]["kind"] != optimizer["kind"]:
            return None
        return bytes(self._state)

    def _check_finite(self, history, parameters, course):
        diverged = history["stop"]["kind"] == "diverged"
        is_finite = all(np.isfinite(numbers).all() for numbers in parameters)
        if diverged and is_finite and course.has_best():
            self.validation_scores_.append(float("nan"))
            warnings.warn(
                "Training diverged; the weights with the best validation score are kept. "
                "Scale the inputs or lower learning_rate_init.",
                ConvergenceWarning,
            )
        elif diverged or not is_finite:
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and "
                "need to be preprocessed, for example by StandardScaler; or lower learning_rate_init."
            )

    def _weights(self, sample_weight, X, y):
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, X, ensure_non_negative=True).astype(np.float64)
        class_weight = getattr(self, "class_weight", None)
        if class_weight is not None:
            own = compute_sample_weight(class_weight, y)
            weights = own if weights is None else weights * own
        if weights is not None and not weights.any():
            raise ValueError("All sample weights are zero: there is nothing to learn from.")
        return None if weights is None else weights.astype(self._dtype())

    def _split(self, y, rows, random_state):
        """The rows to train on and those to watch, as scikit-learn draws them."""
        stratify = y if is_classifier(self) and np.ndim(y) == 1 else None
        places = train_test_split(
            np.arange(rows), random_state=random_state, test_size=self.validation_fraction, stratify=stratify
        )
        if len(places[1]) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        return places

    def _eval_set(self, eval_set, dtype):
        if not isinstance(eval_set, (tuple, list)) or len(eval_set) not in (2, 3):
            raise ValueError("eval_set is (X, y) or (X, y, sample_weight).")
        try:
            return Watched(self, *eval_set, dtype=dtype)
        except (TypeError, ValueError) as error:
            error.add_note("This is said of eval_set.")
            raise

    # Parameters in scikit-learn's form and in the engine's

    def _take(self, numbers):
        """Sets coefs_, intercepts_ and the others from the engine's arrays."""
        sizes = self._sizes()
        self.coefs_, self.intercepts_, self.normalizations_ = self._parts(numbers, sizes)
        self.n_layers_ = len(sizes)
        self.n_outputs_ = sizes[-1]

    def _sizes(self):
        description = json.loads(self.network_)
        layers = [layer["units"] for layer in description["layers"] if layer["kind"] == "dense"]
        return [description["inputs"], *layers]

    def _parts(self, numbers, sizes):
        dtype = self._dtype()
        coefs, intercepts, others = [], [], {}
        shapes = iter(zip(sizes, sizes[1:]))
        for name, own in zip(self.parameter_names_, numbers):
            own = np.asarray(own, dtype=dtype)
            if name.endswith(".weight"):
                inputs, units = next(shapes)
                coefs.append(np.ascontiguousarray(own.reshape(units, inputs).T))
            elif name.endswith(".bias"):
                intercepts.append(own.ravel().copy())
            else:
                others[name] = own.ravel().copy()
        return coefs, intercepts, others

    def _numbers(self):
        """The engine's arrays, from coefs_, intercepts_ and the others, which may have been changed by hand."""
        dtype = self._dtype()
        coefs, intercepts = iter(self.coefs_), iter(self.intercepts_)
        numbers = []
        for name in self.parameter_names_:
            if name.endswith(".weight"):
                own = np.asarray(next(coefs)).T
            elif name.endswith(".bias"):
                own = np.asarray(next(intercepts))
            else:
                own = self.normalizations_[name]
            numbers.append(np.ascontiguousarray(own, dtype=dtype).ravel())
        return numbers

    # Predicting

    def _outputs(self, X):
        """What the network says of rows: probabilities or numbers, one column for each output."""
        check_is_fitted(self)
        return self._outputs_of(self._inputs(X, reset=False))

    def _outputs_of(self, array):
        threads = thread_count(self.n_threads)
        is_double = self._dtype() == np.float64
        return _engine.predict(self.network_, self._numbers(), array, threads, is_double)


class Watched:
    """Rows of their own that training is watched by."""

    def __init__(self, estimator, X, y, sample_weight=None, *, dtype):
        array, y = estimator._inputs(X, False, y)
        targets, width, _ = estimator._targets(y, False, True, None)
        if width != estimator.n_outputs_:
            raise ValueError(f"y has {width} outputs, but {estimator.n_outputs_} in training.")
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, array, ensure_non_negative=True)
        self.X, self.y, self.weights = array, y, weights
        self.arrays = (array, targets, None if weights is None else weights.astype(dtype))


class Course:
    """Watches a run: keeps scikit-learn's figures, stops where its rules say so, and calls the callbacks."""

    def __init__(self, estimator, given, sample_weight, watched, places, X, y, epochs, incremental):
        self.estimator, self.incremental, self.epochs = estimator, incremental, epochs
        self.given, self.metadata = given, None
        if sample_weight is not None:
            self.metadata = {"sample_weight": sample_weight}
        self.X = self.y = self.weights = None
        rows = len(X)
        if watched is not None:
            self.X, self.y, self.weights = watched.X, watched.y, watched.weights
        elif places is not None:
            self.X, self.y = X[places[1]], y[places[1]]
            if sample_weight is not None:
                self.weights = np.broadcast_to(sample_weight, rows)[places[1]]
        self.scorer = None
        if self.X is not None and estimator.scoring is not None:
            self.scorer = check_scoring(estimator, estimator.scoring)
        self.callbacks = bool(getattr(estimator, "_skl_callbacks", []))
        self.wants_parameters = self.X is not None or self.callbacks
        self.rows = rows if places is None else len(places[0])
        self.rate = float(estimator.learning_rate_init)
        self.done = 0
        self.context = self.root = None
        self.is_over = False
        if self.X is not None and estimator.best_validation_score_ is None:
            estimator.validation_scores_ = []
            estimator.best_validation_score_ = -np.inf
            estimator.best_loss_ = None
        elif self.X is None and estimator.best_loss_ is None:
            estimator.validation_scores_ = estimator.best_validation_score_ = None
            estimator.best_loss_ = np.inf

    def has_best(self):
        """Whether there are weights to go back to."""
        return self.X is not None and self.estimator.best_validation_score_ > -np.inf

    def begin(self):
        own = self.estimator
        own.n_iter_ = 0
        if self.callbacks or hasattr(own, "_parent_callback_ctx"):
            self.root = own._init_callback_context(max_subtasks=self.epochs)
            X, y = self.given
            self.root.call_on_fit_task_begin(estimator=own, X=X, y=y, metadata=self.metadata)
            self._next()

    def _next(self):
        self.context = self.root.subcontext(task_name="iteration")
        X, y = self.given
        self.context.call_on_fit_task_begin(estimator=self.estimator, X=X, y=y, metadata=self.metadata)

    def _attributes(self, numbers=None):
        """The fitted attributes as they are now."""
        own = self.estimator
        fitted = {name: value for name, value in vars(own).items() if name.endswith("_") and name[0] != "_"}
        if numbers is not None:
            parts = own._parts(numbers, own._sizes())
            fitted |= dict(zip(("coefs_", "intercepts_", "normalizations_"), parts))
            fitted |= {"n_layers_": len(own._sizes()), "n_outputs_": own._sizes()[-1]}
        return fitted

    def __call__(self, report):
        own = self.estimator
        self.done += 1
        own.n_iter_ += 1
        own.t_ += self.rows
        own.loss_ = report["cost"]
        own.loss_curve_.append(own.loss_)
        if own.verbose:
            print(f"Iteration {own.n_iter_}, loss = {own.loss_:.8f}")
        stops, keeps = self._progress(report)
        if own.learning_rate == "invscaling":
            self.rate = own.learning_rate_init / (own.t_ + 1) ** own.power_t
        if self.root is not None:
            X, y = self.given
            stops |= self.context.call_on_fit_task_end(
                estimator=own,
                X=X,
                y=y,
                metadata=self.metadata,
                reconstruction_attributes=lambda: self._attributes(report.get("parameters")),
            )
            self.context = None
            if not stops and self.done < self.epochs:
                self._next()
        self.is_over |= stops
        has_rate = own.solver != "lbfgs" and own.learning_rate in ("invscaling", "adaptive")
        return bool(stops), bool(keeps), self.rate if has_rate else None

    def _progress(self, report):
        """Whether the run stops here by scikit-learn's rules, and whether these are the best weights."""
        own, keeps = self.estimator, False
        if self.X is not None:
            score = self._score(report["parameters"])
            own.validation_scores_.append(score)
            if own.verbose:
                print(f"Validation score: {score:f}")
            improves = score >= own.best_validation_score_ + own.tol
            if score > own.best_validation_score_:
                own.best_validation_score_, keeps = score, True
        else:
            improves = own.loss_ <= own.best_loss_ - own.tol
            own.best_loss_ = min(own.best_loss_, own.loss_)
        own._no_improvement_count = 0 if improves else own._no_improvement_count + 1
        if own.solver == "lbfgs" or own._no_improvement_count <= own.n_iter_no_change:
            return False, keeps
        if own.learning_rate == "adaptive" and own.solver == "sgd":
            own._no_improvement_count = 0
            if self.rate <= 1e-6:
                return True, keeps
            self.rate /= 5.0
            if own.verbose:
                print(f"Training loss did not improve: setting learning rate to {self.rate:f}")
            return False, keeps
        if own.verbose:
            what = "Validation score" if self.X is not None else "Training loss"
            print(
                f"{what} did not improve more than tol={own.tol:f} "
                f"for {own.n_iter_no_change} consecutive epochs. Stopping."
            )
        return True, keeps

    def _score(self, numbers):
        own = self.estimator
        before = own.coefs_, own.intercepts_, own.normalizations_
        own._take(numbers)
        try:
            if self.scorer is not None:
                weights = {} if self.weights is None else {"sample_weight": self.weights}
                # The rows are the network's inputs already, whatever the scorer calls.
                ready = copy.copy(own)
                ready._outputs = ready._outputs_of
                return float(self.scorer(ready, self.X, self.y, **weights))
            outputs = own._outputs_of(self.X)
            if not np.isfinite(outputs).all():
                return float("nan")
            predicted = own._predicted(outputs)
            score = accuracy_score if is_classifier(own) else r2_score
            return float(score(self.y, predicted, sample_weight=self.weights))
        finally:
            own.coefs_, own.intercepts_, own.normalizations_ = before

    def end(self, history, interrupted):
        own = self.estimator
        if self.root is not None:
            if self.context is not None:
                self.context.call_on_fit_task_end(estimator=own)
            X, y = self.given
            self.root.call_on_fit_task_end(
                estimator=own, X=X, y=y, metadata=self.metadata, reconstruction_attributes=self._attributes
            )
        if interrupted:
            warnings.warn("Training interrupted by user.")
            return
        ended = self.is_over or history["stop"]["kind"] != "finished"
        if not ended and not self.incremental and own.n_iter_ >= self.epochs:
            name = "lbfgs" if own.solver == "lbfgs" else "Stochastic Optimizer"
            warnings.warn(
                f"{name}: Maximum iterations ({self.epochs}) reached and the optimization hasn't converged yet.",
                ConvergenceWarning,
            )


def _is_stochastic(estimator):
    if estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic."
        )
    return True


class MLPClassifier(ClassifierMixin, BaseMLP):
    """A multi-layer perceptron that learns classes: scikit-learn's estimator on Pullback's engine.

    The cost of a row is its cross-entropy; weights are found by back propagation. Parameters, attributes and rules for
    stopping are scikit-learn's, with its names and defaults; those from `class_weight` on are not in scikit-learn.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        The units of each hidden layer; none for a linear model.
    activation : str or sequence of str, default="relu"
        The function of hidden units: identity, logistic, tanh, relu, and beside scikit-learn's leaky_relu, elu, gelu,
        silu, softplus. A sequence names one for each hidden layer.
    solver : str, default="adam"
        How weights are changed: lbfgs, sgd, adam, and beside scikit-learn's adamw, rmsprop, adagrad, adamax, nadam,
        amsgrad, lion, muon.
    alpha : float, default=0.0001
        The strength of the L2 penalty `alpha / 2 * sum(w^2)`, divided by the rows of a batch.
    batch_size : int or "auto", default="auto"
        The rows of a step; "auto" is `min(200, n_samples)`.
    learning_rate : str, default="constant"
        The course of the learning rate: constant, invscaling, adaptive, and beside scikit-learn's cosine, one_cycle,
        exponential.
    learning_rate_init : float, default=0.001
        The learning rate of the first step.
    power_t : float, default=0.5
        The exponent of invscaling.
    max_iter : int, default=200
        The largest number of epochs, or for lbfgs of steps.
    shuffle : bool, default=True
        Whether the rows come in another order in each epoch.
    random_state : int, RandomState or None, default=None
        The seed of first weights, order and split. The same seed gives the same bits on any number of threads.
    tol : float, default=1e-4
        An improvement smaller than that is none.
    verbose : bool, default=False
        Whether each epoch is printed.
    warm_start : bool, default=False
        Whether `fit` begins with the weights of the previous call.
    momentum : float, default=0.9
        The momentum of sgd.
    nesterovs_momentum : bool, default=True
        Whether it is Nesterov's.
    early_stopping : bool, default=False
        Whether a part of the rows is held out, whose score decides when to stop and which weights are kept.
    validation_fraction : float, default=0.1
        That part.
    beta_1, beta_2 : float, default=0.9, 0.999
        The shares of the running means of adam and its kind.
    epsilon : float, default=1e-8
        What is added to the divisor in adam and its kind.
    n_iter_no_change : int, default=10
        After so many epochs without improvement training stops.
    max_fun : int, default=15000
        At most so many steps of lbfgs, each of which looks at the cost at least once.
    class_weight : dict, "balanced" or None, default=None
        How much the rows of each class count.
    scoring : str, callable or None, default=None
        The score of held-out rows that early stopping watches; accuracy if None.
    loss : str, default="log_loss"
        The cost: log_loss, smoothed (label smoothing, several classes), focal (two classes or several labels).
    dropout : float, default=0.0
        The share of hidden units that are left out at each step.
    normalization : "batch", "layer" or None, default=None
        What is put between a hidden layer's sums and its activation.
    weight_decay : float, default=0.0
        The decay of adamw, lion and muon.
    clip_norm : float or None, default=None
        A gradient with a larger norm is scaled down to it.
    ema : float or None, default=None
        The share of an average of the weights that is kept at each step; then that average is the result.
    n_threads : int or None, default=None
        The threads that may work; None is what OMP_NUM_THREADS, joblib or the machine allow.
    dtype : "auto", "float32" or "float64", default="auto"
        The numbers that the engine computes with; "auto" is float32 for an array of float32 or of bytes, else float64.
        float32 takes half the time.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes.
    coefs_ : list of ndarray of shape (n_inputs, n_units)
        The weights of each layer.
    intercepts_ : list of ndarray of shape (n_units,)
        The biases of each layer.
    loss_ : float
        The mean cost of the last epoch, with the penalty.
    loss_curve_ : list of float
        The same of each epoch.
    best_loss_ : float or None
        The smallest of them; None with early stopping.
    validation_scores_ : list of float or None
        The score of held-out rows after each epoch.
    best_validation_score_ : float or None
        The best of them.
    n_iter_ : int
        The number of epochs.
    n_features_in_ : int
        The number of columns.
    feature_names_in_ : ndarray of str
        Their names, where X was a table.
    n_layers_, n_outputs_ : int
        The number of layers with the inputs, and of outputs.
    out_activation_ : str
        The function of the outputs.
    t_ : int
        The rows that were seen in training.

    Examples
    --------
    >>> from pullback import MLPClassifier
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_iris(return_X_y=True)
    >>> X = StandardScaler().fit_transform(X)
    >>> clf = MLPClassifier((16,), solver="lbfgs", random_state=0).fit(X, y)
    >>> bool(clf.score(X, y) > 0.97)
    True
    >>> clf.predict_proba(X[:2]).shape
    (2, 3)
    """

    _parameter_constraints = _network.CONSTRAINTS | {
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
        "loss": [StrOptions(set(_network.CLASSIFIER_LOSSES))],
    }

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        class_weight=None,
        scoring=None,
        loss="log_loss",
        dropout=0.0,
        normalization=None,
        weight_decay=0.0,
        clip_norm=None,
        ema=None,
        n_threads=None,
        dtype="auto",
    ):
        parameters = dict(locals())
        parameters.pop("self")
        parameters.pop("__class__", None)
        self._set(**parameters)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _targets(self, y, first, incremental, classes):
        """Targets as the engine takes them, the number of outputs, and what they are."""
        check_classes(y)
        check_classification_targets(y)
        has_labels = type_of_target(y, input_name="y") == "multilabel-indicator"
        if not first and has_labels != self.is_multilabel_:
            now, before = ("several labels", "one class") if has_labels else ("one class", "several labels")
            raise ValueError(f"`y` has {now} for each row, but had {before} in the previous call.")
        if has_labels:
            y = np.asarray(y)
            if first:
                self.classes_ = np.arange(y.shape[1])
                self.is_multilabel_ = True
                self.out_activation_ = "logistic"
            if y.shape[1] != len(self.classes_):
                raise ValueError(f"`y` has {y.shape[1]} labels, not the {len(self.classes_)} of the previous call.")
            return np.ascontiguousarray(y, dtype=self._dtype()), y.shape[1], 0
        y = column_or_1d(y, warn=True)
        if first:
            self.classes_ = np.unique(y) if classes is None else np.unique(classes)
            self.is_multilabel_ = False
            self.out_activation_ = "softmax" if len(self.classes_) > 2 else "logistic"
        places = np.searchsorted(self.classes_, y)
        places = np.clip(places, 0, len(self.classes_) - 1)
        unknown = self.classes_[places] != y
        is_warm = not first and not incremental
        if is_warm and (np.any(unknown) or len(np.unique(places)) != len(self.classes_)):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {np.unique(y)}"
            )
        if np.any(unknown):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. "
                f"'y' has {np.unique(np.asarray(y)[unknown])}."
            )
        count = len(self.classes_)
        return places.astype(np.uint32), 1 if count <= 2 else count, 1 if count <= 2 else count

    def _cost(self):
        several, one = _network.CLASSIFIER_LOSSES[self.loss]
        cost = several if self.out_activation_ == "softmax" else one
        if cost is None:
            what = "several classes" if several else "two classes or several labels"
            raise ValueError(f"loss={self.loss!r} is for {what}.")
        return cost, None

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, eval_set=None):
        """Learn from rows and their classes.

        Parameters
        ----------
        X : array-like or table of shape (n_samples, n_features)
            The rows. Columns of categories or texts become an input for each level, missing numbers the column's
            median. Arrays are read where they lie: nothing is copied as a whole.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            The class of each row, or which labels it has.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts.
        eval_set : tuple (X, y) or (X, y, sample_weight), default=None
            Rows of their own that decide when to stop and which weights are kept.

        Returns
        -------
        self : MLPClassifier
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, eval_set)

    @available_if(_is_stochastic)
    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None, classes=None):
        """Go on with one epoch over rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,)
            The class of each row.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts.
        classes : array of shape (n_classes,), default=None
            All classes that may come; needed in the first call.

        Returns
        -------
        self : MLPClassifier
            The estimator.
        """
        if not hasattr(self, "coefs_") and classes is None and type_of_target(y) != "multilabel-indicator":
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if hasattr(self, "coefs_") and classes is not None and not np.array_equal(self.classes_, np.unique(classes)):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {self.classes_!r}"
            )
        return self._fit(X, y, sample_weight, None, incremental=True, classes=classes)

    def _probabilities(self, outputs):
        if self.is_multilabel_:
            return outputs
        outputs = outputs.astype(np.float64)
        if outputs.shape[1] > 1:
            return outputs / outputs.sum(axis=1, keepdims=True)
        if len(self.classes_) == 1:
            return np.ones_like(outputs)
        return np.hstack([1.0 - outputs, outputs])

    def _predicted(self, outputs):
        if self.is_multilabel_:
            return (outputs > 0.5).astype(np.int64)
        return self.classes_[np.argmax(self._probabilities(outputs), axis=1)]

    def predict(self, X):
        """The class of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            The most probable class, or the labels that are more probable than not.
        """
        return self._predicted(self._outputs(X))

    def predict_proba(self, X):
        """The probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`.
        """
        return self._probabilities(self._outputs(X))

    def predict_log_proba(self, X):
        """The logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            Logarithms in the order of `classes_`.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))


class MLPRegressor(RegressorMixin, BaseMLP):
    """A multi-layer perceptron that learns numbers: scikit-learn's estimator on Pullback's engine.

    Parameters
    ----------
    loss : str, default="squared_error"
        The cost: squared_error (`(a - t)^2 / 2`), poisson, and beside scikit-learn's absolute_error, huber, quantile,
        gamma, tweedie.
    loss_parameter : float or None, default=None
        The quantile, the difference of huber, or the power of tweedie.
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter, \
shuffle, random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction, \
beta_1, beta_2, epsilon, n_iter_no_change, max_fun, scoring, dropout, normalization, weight_decay, clip_norm, ema, \
n_threads, dtype : object
        As in :class:`MLPClassifier`; the score of held-out rows is R2 if `scoring` is None.

    Attributes
    ----------
    coefs_, intercepts_, loss_, loss_curve_, best_loss_, validation_scores_, best_validation_score_, n_iter_, \
n_features_in_, feature_names_in_, n_layers_, n_outputs_, out_activation_, t_ : object
        As in :class:`MLPClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> from pullback import MLPRegressor
    >>> X = np.linspace(-1, 1, 200).reshape(-1, 1)
    >>> reg = MLPRegressor(hidden_layer_sizes=(20,), activation="tanh", solver="lbfgs", random_state=0)
    >>> bool(reg.fit(X, X.ravel() ** 2).score(X, X.ravel() ** 2) > 0.99)
    True
    """

    _parameter_constraints = _network.CONSTRAINTS | {
        "loss": [StrOptions(set(_network.REGRESSOR_LOSSES))],
        "loss_parameter": [Real, None],
    }

    def __init__(
        self,
        loss="squared_error",
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        loss_parameter=None,
        scoring=None,
        dropout=0.0,
        normalization=None,
        weight_decay=0.0,
        clip_norm=None,
        ema=None,
        n_threads=None,
        dtype="auto",
    ):
        parameters = dict(locals())
        parameters.pop("self")
        parameters.pop("__class__", None)
        self._set(**parameters)

    def _targets(self, y, first, incremental, classes):
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if first:
            self.is_flat_ = y.ndim == 1
        self.out_activation_ = "identity" if self.loss not in ("poisson", "gamma", "tweedie") else "exp"
        numbers = np.ascontiguousarray(y.reshape(len(y), -1), dtype=self._dtype())
        return numbers, numbers.shape[1], 0

    def _cost(self):
        cost = _network.REGRESSOR_LOSSES[self.loss]
        if self.loss_parameter is not None and self.loss not in ("huber", "quantile", "tweedie"):
            raise ValueError(f"loss_parameter has no use with loss={self.loss!r}.")
        return cost, self.loss_parameter

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, eval_set=None):
        """Learn from rows and their numbers.

        Parameters
        ----------
        X : array-like or table of shape (n_samples, n_features)
            The rows, as in :meth:`MLPClassifier.fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The number, or the numbers, of each row.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts.
        eval_set : tuple (X, y) or (X, y, sample_weight), default=None
            Rows of their own that decide when to stop and which weights are kept.

        Returns
        -------
        self : MLPRegressor
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, eval_set)

    @available_if(_is_stochastic)
    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Go on with one epoch over rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,)
            The number of each row.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts.

        Returns
        -------
        self : MLPRegressor
            The estimator.
        """
        return self._fit(X, y, sample_weight, None, incremental=True)

    def _predicted(self, outputs):
        return outputs.ravel() if self.is_flat_ else outputs

    def predict(self, X):
        """The number of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The numbers.
        """
        return self._predicted(self._outputs(X))
