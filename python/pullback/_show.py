"""The glass box of an estimator: pages, checks, attributions."""

import json
from numbers import Integral

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from . import _engine
from ._columns import Encoder
from ._threads import thread_count


#: How closely one looks at the steps of an update.
LEVELS = ("pass", "layer", "example", "unit", "term")

#: A widget keeps all numbers of a network in the browser's memory.
MOST_WEIGHTS = 500_000


class Explanation:
    """A page about one forward and backward pass. In a notebook it shows itself."""

    def __init__(self, make, language, weights):
        self._make, self._language, self._weights = make, language, weights

    def _repr_html_(self):
        page = self._make("html").replace("&", "&amp;").replace('"', "&quot;")
        return (
            f'<iframe srcdoc="{page}" title="Back propagation, number by number" '
            'style="width:100%;height:40em;border:1px solid #8888"></iframe>'
        )

    def _repr_markdown_(self):
        return self.to_markdown()

    def __repr__(self):
        return self.to_text()

    def to_html(self):
        """The page as HTML."""
        return self._make("html")

    def to_markdown(self):
        """The page as Markdown."""
        return self._make("markdown")

    def to_text(self):
        """The page as text of 80 columns."""
        return self._make("text")

    def to_json(self):
        """Every number of the page as a dictionary."""
        return json.loads(self._make("json"))

    def to_svg(self):
        """The network with all its numbers as a drawing."""
        return self._make("svg")

    def to_animation(self):
        """The same as a drawing that moves by itself, step by step, with subtitles."""
        return self._make("animation")


    def widget(self, *, level="unit", at=0, height=720):
        """The update as a widget of a notebook, through which one goes step by step; needs `pullback[widget]`.

        Parameters
        ----------
        level : "pass", "layer", "example", "unit" or "term", default="unit"
            How closely one looks.
        at : int or None, default=0
            The first step that is shown; None is the end, where all numbers are.
        height : int, default=720
            In pixels.

        Returns
        -------
        widget : anywidget.AnyWidget
            Its `at` is the step, which can be set and watched, and `sentence` is what is said of it.
        """
        if level not in LEVELS:
            raise ValueError(f"level={level!r} is not known; choose one of {', '.join(map(repr, LEVELS))}.")
        if self._weights > MOST_WEIGHTS:
            raise ValueError(f"a network of {self._weights} weights is more than a page can show; see it with to_text().")
        try:
            from ._widget import StepWidget
        except ImportError as error:
            raise ImportError("a widget needs anywidget: pip install 'pullback[widget]'") from error
        return StepWidget(self._make("example"), level=level, at=at, language=self._language, height=height)


COUNT = Interval(Integral, 0, None, closed="left")


class ShowMixin:
    """What an estimator shows of itself."""

    def _rows(self, X):
        check_is_fitted(self)
        array = self._inputs(X, reset=False)
        return np.ascontiguousarray(array, dtype=np.float64)

    def _wanted(self, X, y):
        """Targets of rows for every output, in float64; without y, what is predicted."""
        if y is None:
            y = self.predict(X)
        check_consistent_length(X, y)
        y = np.asarray(y)
        if not is_classifier(self):
            return np.ascontiguousarray(y.reshape(len(y), -1), dtype=np.float64)
        targets, width, classes = self._targets(y, False, True, None)
        if classes <= 1:
            return np.ascontiguousarray(targets.reshape(len(y), -1), dtype=np.float64)
        return np.eye(width)[targets]

    def _parameters64(self):
        return [np.asarray(numbers, dtype=np.float64) for numbers in self._numbers()]

    def _input_names(self):
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            names = [f"x{place}" for place in range(self.n_features_in_)]
        return Encoder(self.encoder_).names(names) if self.encoder_ is not None else [str(name) for name in names]

    def _output_names(self):
        if not is_classifier(self) or self.is_multilabel_:
            return [f"y{place}" for place in range(self.n_outputs_)]
        if self.n_outputs_ == 1:
            return [str(self.classes_[-1])]
        return [str(label) for label in self.classes_]

    @validate_params({"digits": [COUNT], "most_units": [COUNT]}, prefer_skip_nested_validation=True)
    def explain(self, X, y=None, *, language="en", notation="plain", digits=6, most_units=10):
        """Every number of a forward and backward pass.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows, as one batch: one row is easiest to follow.
        y : array-like of shape (n_samples,), default=None
            What is true of them; what is predicted, if None.
        language : "en" or "ko", default="en"
            The language of the page.
        notation : str, default="plain"
            Whose symbols it uses: plain, matrix, mazur, ng.
        digits : int, default=6
            The significant digits.
        most_units : int, default=10
            A layer with more units is shown by its largest.

        Returns
        -------
        page : Explanation
            It shows itself in a notebook; `to_html`, `to_markdown`, `to_text`, `to_json`,
            `to_svg` and `to_animation` give it elsewhere.
        """
        rows, targets = self._rows(X), self._wanted(X, y)
        network, parameters = self.network_, self._parameters64()
        names = self._input_names()
        cells = [f"{number:g}" for number in rows[0]]
        outputs = self._output_names()
        training = {"optimizer": {"kind": "sgd"}, "learning_rate": float(self.learning_rate_init)}
        title = f"{type(self).__name__}: {'1 row' if len(rows) == 1 else f'{len(rows)} rows'}"

        def make(form):
            page = {
                "title": title,
                "language": language,
                "notation": notation,
                "digits": digits,
                "most_units": most_units,
                "width": 80,
                "inputs": names,
                "cells": cells,
                "outputs": outputs,
                "training": training,
                "format": form,
            }
            return _engine.explain(network, parameters, rows, targets, json.dumps(page))

        make("json")  # What cannot be explained is better known now.
        return Explanation(make, language, sum(numbers.size for numbers in parameters))

    @validate_params({"samples": [COUNT], "random_state": [COUNT]}, prefer_skip_nested_validation=True)
    def check_gradients(self, X, y, *, samples=100, random_state=0):
        """Compares the gradients of back propagation with central differences and forward mode, in float64.

        Parameters
        ----------
        X, y : array-like
            Rows and what is true of them: one batch.
        samples : int, default=100
            At most so many numbers of each array of weights are checked.
        random_state : int, default=0
            Which.

        Returns
        -------
        results : list of dict
            One for each array: its `name`, how many numbers were `checked`, the largest relative errors against
            `differences` and `forward` mode, the `kinks` met, and whether it `passes`.
        """
        rows, targets = self._rows(X), self._wanted(X, y)
        return json.loads(
            _engine.check(self.network_, self._parameters64(), rows, targets, samples, random_state)
        )

    @validate_params(
        {"method": [StrOptions({"integrated", "gradient"})], "steps": [Interval(Integral, 1, None, closed="left")]},
        prefer_skip_nested_validation=True,
    )
    def attributions(self, X, *, target=None, method="integrated", steps=64, baseline=None):
        """How much each input adds to what is predicted: exact gradients times inputs, or integrated gradients.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.
        target : int, array-like of int or None, default=None
            The place of the output that is looked at; None is the predicted class, or the first number.
        method : "integrated" or "gradient", default="integrated"
            "gradient" is gradient times (input - baseline); "integrated" its mean on the way from the baseline to the
            row (Sundararajan, Taly, Yan, 2017), whose sum is the difference of both predictions.
        steps : int, default=64
            The points on that way.
        baseline : array-like of shape (n_inputs,), default=None
            Where nothing is said; all zeros if None.

        Returns
        -------
        values : ndarray of shape (n_samples, n_inputs) or shap.Explanation
            A `shap.Explanation` if shap is installed.
        """
        rows = self._rows(X)
        predicted = self._outputs_of(rows)
        single = predicted.shape[1] == 1
        if target is None:
            wanted = np.zeros(len(rows), dtype=np.int64)
            if is_classifier(self) and not single and not self.is_multilabel_:
                wanted = np.argmax(predicted, axis=1).astype(np.int64)
        else:
            if np.shape(target) not in ((), (len(rows),)):
                raise ValueError(f"target is one place, or one for each of the {len(rows)} rows, got {target!r}.")
            wanted = np.broadcast_to(np.asarray(target, dtype=np.int64), len(rows)).copy()
            if wanted.min(initial=0) < 0 or wanted.max(initial=0) >= predicted.shape[1]:
                raise ValueError(f"target is a place from 0 to {predicted.shape[1] - 1}.")
        base = np.zeros(rows.shape[1]) if baseline is None else np.asarray(baseline, dtype=np.float64)
        if base.shape != rows.shape[1:]:
            raise ValueError(f"baseline is a number for each of the {rows.shape[1]} inputs, got shape {base.shape}.")
        threads, parameters = thread_count(self.n_threads), self._parameters64()
        # The midpoint rule on equal parts of the way.
        shares = [1.0] if method == "gradient" else (np.arange(steps) + 0.5) / steps
        total = np.zeros_like(rows)
        for share in shares:
            point = np.ascontiguousarray(base + share * (rows - base))
            total += _engine.attributions(self.network_, parameters, point, wanted, threads)
        values = total / len(shares) * (rows - base)
        start = self._outputs_of(np.ascontiguousarray(base.reshape(1, -1)))[0]
        try:
            import shap
        except ImportError:
            return values
        return shap.Explanation(
            values, base_values=start[wanted], data=rows, feature_names=self._input_names()
        )


def check_gradients(estimator, X, y, *, samples=100, random_state=0):
    """The same as `estimator.check_gradients`."""
    return estimator.check_gradients(X, y, samples=samples, random_state=random_state)
