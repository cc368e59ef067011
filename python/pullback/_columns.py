"""Columns of a table as numbers: categories become an input each, missing numbers are filled."""

import numpy as np

#: A column with more levels than that has one input for all that are rare.
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

    A number is kept, and where it is missing it is the median. A text, a category or a truth value becomes an input for
    each level, of which a missing or unknown one sets none.
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


def refuse_times(X):
    """Refuses columns of dates and times, which are no numbers."""
    for series in native(X).iter_columns():
        if series.dtype.is_temporal():
            raise TypeError(
                f"column {series.name!r} has dates or times: make numbers of them, such as month, weekday and hour. "
                "`python -m pullback train` does so by itself."
            )


def is_categorical(series):
    """Whether a column is texts, categories or truth values, not numbers."""
    import narwhals as nw

    if series.dtype in (nw.Categorical, nw.Enum, nw.String, nw.Boolean):
        return True
    if series.dtype == nw.Object:
        try:
            numeric(series)
        except (TypeError, ValueError):
            return True
    return False


def numeric(series):
    """A column as numbers; missing ones are NaN."""
    values = series.to_numpy()
    if values.dtype == object:
        values = np.array([np.nan if value is None else value for value in values])
    return values.astype(np.float64)


def texts(series):
    """A column as texts; missing ones are None."""
    values = series.to_list()
    return np.array([None if value is None or value != value else str(value) for value in values], dtype=object)
