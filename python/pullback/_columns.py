"""Columns of a table as numbers: categories become an input each, missing numbers are filled."""

import sys
import warnings
from decimal import Decimal

import numpy as np

#: Of a column with more levels, the rarest have no input.
MAX_LEVELS = 1000


class DataWarning(UserWarning):
    """Something about rows that are used, but perhaps not as they were meant."""


def tell(remarks):
    """A warning for each remark, at the line that called the estimator, be it through scikit-learn."""
    level, frame = 1, sys._getframe()
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in ("pullback", "sklearn"):
        level, frame = level + 1, frame.f_back
    for remark in remarks:
        warnings.warn(remark, DataWarning, stacklevel=level)


def needs_table(names):
    """What is said to who gives an array instead of the table that an estimator was fitted to."""
    return TypeError(
        "the estimator was fitted to a table with columns of texts or missing cells, which an array of numbers has no "
        f"place for; give a table with the columns {list(names)}."
    )


def is_frame(X):
    """Whether X is a table with columns of their own types."""
    if isinstance(X, np.ndarray):
        return False
    import narwhals as nw

    if isinstance(wrapped(X, pass_through=True), nw.LazyFrame):
        raise TypeError(
            f"X is a {type(X).__module__.split('.')[0]} {type(X).__name__}, which has no rows yet: "
            "make a table of it first, with `X.collect()` or what its library calls that."
        )
    return nw.dependencies.is_into_dataframe(X)


def native(X):
    """The frame behind narwhals, or behind an Arrow stream."""
    return wrapped(X, eager_only=True)


def wrapped(X, **how):
    """What narwhals makes of X."""
    import narwhals as nw

    try:
        return nw.from_native(X, **how)
    except nw.exceptions.DuplicateError as error:
        raise ValueError("X has columns of the same name, which cannot be told apart; rename one of them.") from error


class Encoder:
    """What each column of a frame became when it was fitted; plain lists and arrays, so that it can be stored.

    A number is kept, and where it is missing it is the median. A text or a category becomes an input for each level, of
    which a missing or unknown one sets none. Truth values are the numbers 0 and 1.
    """

    def __init__(self, columns):
        self.columns = columns

    @classmethod
    def fit(cls, X):
        """The encoder of a frame's columns, and remarks on what it leaves out."""
        columns, remarks = [], []
        for series in native(X).iter_columns():
            if is_categorical(series):
                values = texts(series)
                levels, counts = np.unique(values[values != None], return_counts=True)  # noqa: E711
                if len(levels) > MAX_LEVELS:
                    remarks.append(
                        f'column "{series.name}": of its {len(levels)} texts the {len(levels) - MAX_LEVELS} rarest '
                        "have no input"
                    )
                    levels = np.sort(levels[np.argsort(-counts, kind="stable")[:MAX_LEVELS]])
                columns.append(("levels", [str(level) for level in levels]))
            else:
                numbers = finite(series)
                known = numbers[~np.isnan(numbers)]
                columns.append(("number", float(np.median(known)) if len(known) else 0.0))
        return cls(columns), remarks

    @property
    def width(self):
        return sum(len(value) if kind == "levels" else 1 for kind, value in self.columns)

    def transform(self, X, dtype):
        """The numbers of a frame's rows, and remarks on texts that have no input."""
        frame, remarks = native(X), []
        out = np.zeros((len(frame), self.width), dtype=dtype)
        at = 0
        for series, (kind, value) in zip(frame.iter_columns(), self.columns, strict=True):
            if kind == "number":
                numbers = finite(series)
                out[:, at] = np.where(np.isnan(numbers), value, numbers)
                at += 1
                continue
            places = {level: place for place, level in enumerate(value)}
            cells = texts(series)
            codes = np.array([places.get(text, -1) for text in cells], dtype=np.int64)
            known = codes >= 0
            out[np.flatnonzero(known), at + codes[known]] = 1.0
            at += len(value)
            unknown = np.flatnonzero(~known & (cells != None))  # noqa: E711
            if len(unknown):
                rows = "1 row has a category" if len(unknown) == 1 else f"{len(unknown)} rows have categories"
                why = "not seen in training" if len(value) < MAX_LEVELS else "not seen in training or rare there"
                remarks.append(
                    f'column "{series.name}": {rows} {why}, first "{cells[unknown[0]]}" in row {unknown[0] + 1}; '
                    "encoded as none of the known ones"
                )
        return out, remarks

    def names(self, given):
        """The name of each input."""
        names = []
        for name, (kind, value) in zip(given, self.columns, strict=True):
            names += [name] if kind == "number" else [f"{name}={level}" for level in value]
        return names


def check_columns(X, has_dates=False):
    """Refuses columns that are neither numbers nor texts, nor dates where the estimator takes some: times of day,
    durations, lists, records, objects."""
    import datetime

    import narwhals as nw

    frame = native(X)
    if not frame.columns:
        raise ValueError(f"0 feature(s) (shape={frame.shape}) while a minimum of 1 is required.")
    for series in frame.iter_columns():
        odd = next((value for value in known(series) if not isinstance(value, PLAIN)), None)
        if has_dates and is_temporal(series):
            continue
        if series.dtype.is_temporal() or isinstance(odd, (datetime.date, datetime.time, datetime.timedelta)):
            what = "times of day or durations: make numbers of them, such as hours or seconds." if has_dates else (
                "dates or times: make numbers of them, such as month, weekday and hour. "
                "TabularClassifier and TabularRegressor do so by themselves."
            )
            raise TypeError(f"column {series.name!r} has {what}")
        if series.dtype.is_nested() or series.dtype == nw.Binary or odd is not None:
            kind = type(odd).__name__ if odd is not None else "nested" if series.dtype.is_nested() else "bytes"
            raise TypeError(
                f"column {series.name!r} has {kind} objects in its cells: make a column of numbers or texts of each part."
            )


#: What a cell of a column of objects may be.
PLAIN = (str, int, float, bool, Decimal, np.bool_, np.integer, np.floating)


def known(series):
    """The cells of a column of objects that are not missing; of other columns none, whose type says what they are."""
    import narwhals as nw

    return series.drop_nulls().to_list() if series.dtype in (nw.Object, nw.Unknown) else []


def check_classes(y):
    """Refuses classes that are missing, which no order has a place for."""
    if getattr(y, "dtype", None) == object:
        gone = next((place for place, label in enumerate(y) if label is None), None)
        if gone is not None:
            raise ValueError(f"Input y contains {y[gone]}: row {gone + 1} has no class; leave such rows out.")


def is_category(series):
    """Whether a column has a type of categories."""
    import narwhals as nw

    return series.dtype in (nw.Categorical, nw.Enum)


def is_temporal(series):
    """Whether a column is dates, with or without a time."""
    import datetime

    import narwhals as nw

    cells = known(series)
    has_type = series.dtype in (nw.Date, nw.Datetime)
    return has_type or len(cells) > 0 and all(isinstance(cell, datetime.date) for cell in cells)


def moments(series):
    """A column of dates as `datetime64[ms]`, on the clocks of the places that they were written at."""
    import datetime

    import narwhals as nw

    if series.dtype in (nw.Object, nw.Unknown):
        gone = series.is_null().to_list()
        cells = [
            None if missing else cell.replace(tzinfo=None) if isinstance(cell, datetime.datetime) else cell
            for cell, missing in zip(series.to_list(), gone)
        ]
        return np.array(cells, dtype="datetime64[ms]")
    if series.dtype == nw.Datetime and series.dtype.time_zone is not None:
        series = series.dt.replace_time_zone(None)
    return np.ascontiguousarray(series.to_numpy().astype("datetime64[ms]"))


def is_categorical(series):
    """Whether a column is texts or categories, not numbers or truth values, which are 0 and 1."""
    import narwhals as nw

    if is_category(series) or series.dtype == nw.String:
        return True
    return any(isinstance(value, str) for value in known(series))


def numeric(series):
    """A column as numbers; missing ones are NaN."""
    try:
        if series.null_count() or series.dtype.is_numeric() is False:
            missing = series.is_null().to_list()
            values = [np.nan if gone else value for value, gone in zip(series.to_list(), missing)]
            return np.array(values, dtype=np.float64)
        return series.to_numpy().astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"column {series.name!r} has numbers in training, but here it has not: {error}") from error


def finite(series):
    """The same, where none of them is infinite."""
    numbers = numeric(series)
    if np.isinf(numbers).any():
        raise ValueError(f"Input X contains infinity, in column {series.name!r}.")
    return numbers


def texts(series):
    """A column as texts; missing ones are None."""
    missing = series.is_null().to_list()
    cells = [None if gone else written(value) for value, gone in zip(series.to_list(), missing)]
    return np.array(cells, dtype=object)


def written(value):
    """A cell as a text, None if it is missing. A whole number is written the same whatever type it has: a column of whole
    numbers becomes one of fractions where a cell is missing."""
    if isinstance(value, str):
        return value
    if value is None or value != value:
        return None
    if isinstance(value, (float, np.floating)) and value == np.floor(value) and np.isfinite(value):
        return str(int(value))
    return str(value)
