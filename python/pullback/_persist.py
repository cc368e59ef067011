"""Estimators as model files, which the command and the library read too."""

import json
import re
import struct
from pathlib import Path

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from . import _engine
from ._columns import Encoder

#: The key of what only Python needs, in the metadata of a model file.
KEY = "pullback_python"


class SaveMixin:
    """What an estimator needs to be a file."""

    def save(self, path):
        """Write a model file: safetensors, which `pullback.load`, the command and the library read.

        Parameters
        ----------
        path : str or Path
            Where it goes. A file that is there is replaced as a whole.
        """
        check_is_fitted(self)
        is_double = self._dtype() == np.float64
        preprocessing = self._preprocessing()
        text = None if preprocessing is None else json.dumps(preprocessing)
        own = {
            "estimator": type(self).__name__,
            "parameters": plain(self.get_params(deep=False)),
            "fitted": self._fitted(),
        }
        data = _engine.model_bytes(self.network_, self._numbers(), text, self.run_, is_double)
        write(path, with_metadata(data, own))

    def _fitted(self):
        fitted = {
            "n_features_in_": self.n_features_in_,
            "out_activation_": self.out_activation_,
            "parameter_names_": self.parameter_names_,
            "dtype_": self.dtype_,
            "run_": self.run_,
            "encoder_": self.encoder_,
            "fill_": None if getattr(self, "fill_", None) is None else self.fill_.tolist(),
            "n_iter_": self.n_iter_,
            "t_": self.t_,
            "loss_": self.loss_,
            "loss_curve_": self.loss_curve_,
            "best_loss_": self.best_loss_,
            "validation_scores_": self.validation_scores_,
            "best_validation_score_": self.best_validation_score_,
            "_no_improvement_count": self._no_improvement_count,
        }
        if hasattr(self, "feature_names_in_"):
            fitted["feature_names_in_"] = [str(name) for name in self.feature_names_in_]
        if is_classifier(self):
            fitted["classes_"] = listed(self.classes_)
            fitted["classes_dtype"] = self.classes_.dtype.str
            fitted["is_multilabel_"] = self.is_multilabel_
        else:
            fitted["is_flat_"] = self.is_flat_
        return fitted

    def _preprocessing(self):
        """What the command needs to read a table for the network; None where it has no form for it."""
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            names = [f"x{place}" for place in range(self.n_features_in_)]
        columns = self.encoder_
        if columns is None:
            fill = getattr(self, "fill_", None)
            fill = np.zeros(self.n_features_in_) if fill is None else fill
            columns = [("number", float(value)) for value in fill]
        features = []
        for name, (kind, value) in zip(names, columns):
            if kind == "number":
                encoding = {"kind": "numeric", "center": 0.0, "spread": 1.0, "fill": value}
            else:
                return None
            features.append({"name": str(name), "encoding": encoding})
        if is_classifier(self):
            if self.is_multilabel_ or len(self.classes_) < 2:
                return None
            task = "binary" if len(self.classes_) == 2 else "classes"
            target = {"task": task, "classes": [str(label) for label in self.classes_]}
            outputs = ["y"]
        else:
            outputs = ["y"] if self.n_outputs_ == 1 else [f"y{place}" for place in range(self.n_outputs_)]
            target = {"task": "regression", "centers": [0.0] * len(outputs), "spreads": [1.0] * len(outputs)}
        return {
            "features": features,
            "left_out": [],
            "target": {"names": outputs, "target": target, "reason": "an estimator of Python"},
        }


def load(path):
    """Read an estimator from a model file that `save` wrote, or from one that the command wrote.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    estimator : MLPClassifier, MLPRegressor, TabularClassifier or TabularRegressor
        It predicts what the estimator that was saved did. A file that the command wrote becomes one of the latter two.
    """
    from ._mlp import MLPClassifier, MLPRegressor
    from ._tabular import TabularClassifier, TabularRegressor

    data = Path(path).read_bytes()
    own = metadata(path, data).get(KEY)
    if own is None:
        return of_command(path, data)
    own = json.loads(own)
    known = {
        one.__name__: one for one in (MLPClassifier, MLPRegressor, TabularClassifier, TabularRegressor)
    }
    if own["estimator"] not in known:
        raise ValueError(f"{path} has an estimator {own['estimator']!r}, which this version does not know.")
    estimator = known[own["estimator"]](**{name: original(value) for name, value in own["parameters"].items()})
    fitted = own["fitted"]
    if own["estimator"].startswith("Tabular"):
        for name, value in fitted.items():
            is_array = isinstance(value, dict)
            setattr(estimator, name, np.array(value["array"], dtype=value["dtype"]) if is_array else value)
        estimator.model_ = np.frombuffer(data, dtype=np.uint8)
        return estimator
    if "classes_" in fitted:
        dtype = np.dtype(fitted.pop("classes_dtype"))
        fitted["classes_"] = np.array(fitted["classes_"], dtype=dtype)
    if "feature_names_in_" in fitted:
        fitted["feature_names_in_"] = np.array(fitted["feature_names_in_"], dtype=object)
    if fitted["fill_"] is not None:
        fitted["fill_"] = np.array(fitted["fill_"])
    if fitted["encoder_"] is not None:
        fitted["encoder_"] = [tuple(column) for column in fitted["encoder_"]]
    for name, value in fitted.items():
        setattr(estimator, name, value)
    estimator.network_, _, numbers = _engine.model_parts(data)
    estimator._state = None
    estimator._take(numbers)
    return estimator


def of_command(path, data):
    """The estimator of a model file that the command wrote."""
    from ._tabular import TabularClassifier, TabularRegressor

    try:
        names, kinds, classes, targets = _engine.table_model(data)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if "else" in kinds:
        raise ValueError(
            f"{path} takes images, which estimators do not read. "
            f"`python -m pullback predict {path} DATA` predicts with it."
        )
    estimator = TabularRegressor() if classes is None else TabularClassifier()
    if classes is None:
        estimator.is_flat_ = len(targets) == 1
    else:
        numbers = all(re.fullmatch(r"0|-?[1-9][0-9]*", label) for label in classes)
        estimator.classes_ = np.unique(np.array([int(label) if numbers else label for label in classes]))
        estimator.order_ = [classes.index(str(label)) for label in estimator.classes_]
    estimator.kinds_, estimator.n_features_in_ = kinds, len(names)
    estimator.feature_names_in_ = np.array(names, dtype=object)
    estimator.model_ = np.frombuffer(data, dtype=np.uint8)
    return estimator


def plain(parameters):
    """Parameters that JSON has; others were only needed for fitting."""
    plain = {}
    for name, value in parameters.items():
        try:
            plain[name] = json.loads(json.dumps(written(value), default=np.generic.item))
        except TypeError:
            continue
    return plain


def written(value):
    """A parameter in JSON's form: a tuple and a dictionary, whose keys may be numbers, are lists with a name."""
    if isinstance(value, tuple):
        return {"tuple": [written(one) for one in value]}
    if isinstance(value, dict):
        return {"dict": [[key, weight] for key, weight in value.items()]}
    return value.tolist() if isinstance(value, np.ndarray) else value


def original(value):
    """The parameter again."""
    match value:
        case {"tuple": items}:
            return tuple(original(one) for one in items)
        case {"dict": items}:
            return dict(items)
    return value


def listed(array):
    """An array as a list that JSON has; dates as they are written."""
    return (array.astype(str) if array.dtype.kind in "mM" else array).tolist()


def metadata(path, data):
    """The metadata of a safetensors file."""
    try:
        (length,) = struct.unpack("<Q", data[:8])
        return dict(json.loads(data[8 : 8 + length]).get("__metadata__", {}))
    except (struct.error, ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no model file, which is a whole safetensors file: {error}") from error


def with_metadata(data, own):
    """The same file with what only Python needs in its metadata."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.setdefault("__metadata__", {})[KEY] = json.dumps(own)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def write(path, data):
    """Writes beside the place and renames, so that a file is never there in part."""
    import os
    import tempfile

    path = Path(path)
    folder = path.resolve().parent
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder} to write {path.name} to")
    handle, beside = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(beside, os.stat(path).st_mode & 0o777 if path.exists() else 0o644)
        os.replace(beside, path.resolve())
    except BaseException:
        os.unlink(beside)
        raise
