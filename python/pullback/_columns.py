"""Columns of a table as numbers: categories become an input each, missing numbers are filled."""

import numpy as np

#: Of a column with more levels, the rarest have no input.
MAX_LEVELS = 1000


def is_frame(X):
    """Whether X is a table with columns of their own types."""
    import narwhals as nw

    return nw.dependencies.is_into_dataframe(X)


def native(X):
    """The frame behind narwhals, or behind an Arrow stream."""
    import narwhals as nw

    return nw.from_native(X, eager_only=True)


class Encoder:
    """What each column of a frame became when it was fitted; plain lists and arrays, so that it can be stored.

    A number is kept, and where it is missing it is the median. A text or a category becomes an input for each level, of
    which a missing or unknown one sets none. Truth values are the numbers 0 and 1.
    """

    def __init__(self, columns):
        self.columns = columns

    @classmethod
    def fit(cls, X):
        columns = []
        for series in native(X).iter_columns():
            if is_categorical(series):
                values = texts(series)
                levels, counts = np.unique(values[values != None], return_counts=True)  # noqa: E711
                if len(levels) > MAX_LEVELS:
                    levels = np.sort(levels[np.argsort(-counts, kind="stable")[:MAX_LEVELS]])
                columns.append(("levels", [str(level) for level in levels]))
            else:
                numbers = numeric(series)
                known = numbers[~np.isnan(numbers)]
                columns.append(("number", float(np.median(known)) if len(known) else 0.0))
        return cls(columns)

    @property
    def width(self):
        return sum(len(value) if kind == "levels" else 1 for kind, value in self.columns)

    def transform(self, X, dtype):
        frame = native(X)
        out = np.zeros((len(frame), self.width), dtype=dtype)
        at = 0
        for series, (kind, value) in zip(frame.iter_columns(), self.columns, strict=True):
            if kind == "number":
                numbers = numeric(series)
                out[:, at] = np.where(np.isnan(numbers), value, numbers)
                at += 1
                continue
            places = {level: place for place, level in enumerate(value)}
            codes = np.array([places.get(text, -1) for text in texts(series)], dtype=np.int64)
            known = codes >= 0
            out[np.flatnonzero(known), at + codes[known]] = 1.0
            at += len(value)
        return out

    def names(self, given):
        """The name of each input."""
        names = []
        for name, (kind, value) in zip(given, self.columns, strict=True):
            names += [name] if kind == "number" else [f"{name}={level}" for level in value]
        return names


def check_columns(X):
    """Refuses columns that are neither numbers nor texts: dates and times, lists, records."""
    import datetime

    frame = native(X)
    if not frame.columns:
        raise ValueError(f"0 feature(s) (shape={frame.shape}) while a minimum of 1 is required.")
    for series in frame.iter_columns():
        first = next((value for value in known(series) if value is not None), None)
        if series.dtype.is_temporal() or isinstance(first, (datetime.date, datetime.time, datetime.timedelta)):
            raise TypeError(
                f"column {series.name!r} has dates or times: make numbers of them, such as month, weekday and hour. "
                "`python -m pullback train` does so by itself."
            )
        if series.dtype.is_nested() or isinstance(first, (list, tuple, dict, set, np.ndarray, complex)):
            raise TypeError(
                f"column {series.name!r} has {type(first).__name__} objects in its cells: make a column of numbers "
                "or texts of each part."
            )


def known(series):
    """The cells of a column of objects; of other columns none, whose type says what they are."""
    import narwhals as nw

    return series.to_list() if series.dtype in (nw.Object, nw.Unknown) else []


def is_categorical(series):
    """Whether a column is texts or categories, not numbers or truth values, which are 0 and 1."""
    import narwhals as nw

    if series.dtype in (nw.Categorical, nw.Enum, nw.String):
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


def texts(series):
    """A column as texts; missing ones are None."""
    missing = series.is_null().to_list()
    cells = [
        None if gone or value is None or value is np.nan else str(value)
        for value, gone in zip(series.to_list(), missing)
    ]
    return np.array(cells, dtype=object)
