"""Arrays in any order, tables of any library, missing numbers and categories."""

import datetime
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import DataConversionWarning

from pullback import DataWarning, MLPClassifier, MLPRegressor, TabularClassifier, TabularRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def settings(**more):
    return {"hidden_layer_sizes": (8,), "max_iter": 20, "random_state": 0, "dtype": "float32"} | more


def test_the_order_and_stride_of_an_array_change_no_bit():
    X, y = load_iris(return_X_y=True)
    X = X.astype(np.float32)
    expected = MLPClassifier(**settings()).fit(X, y)
    wide = np.zeros((len(X) * 2, X.shape[1] * 3), dtype=np.float32)
    wide[::2, ::3] = X
    reversed_rows = X[::-1].copy()
    for other in (np.asfortranarray(X), wide[::2, ::3], reversed_rows[::-1], X.astype(np.float64)):
        fitted = MLPClassifier(**settings()).fit(other, y)
        assert all(map(np.array_equal, fitted.coefs_, expected.coefs_))
        assert np.array_equal(fitted.predict_proba(other), expected.predict_proba(X))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, bool, np.float16])
def test_numbers_of_every_type_are_taken(dtype):
    random = np.random.RandomState(0)
    X = random.randint(0, 2, size=(100, 5)).astype(dtype)
    y = X[:, 0].astype(int) ^ X[:, 1].astype(int)
    fitted = MLPClassifier(**settings(max_iter=300, learning_rate_init=0.01)).fit(X, y)
    again = MLPClassifier(**settings(max_iter=300, learning_rate_init=0.01)).fit(X.astype(np.float64), y)
    assert np.array_equal(fitted.predict_proba(X), again.predict_proba(X))


def rows():
    random = np.random.RandomState(0)
    kind = random.choice(["a", "b", "c"], size=300)
    size = random.normal(size=300)
    size[::17] = np.nan
    y = np.where(kind == "a", 5.0, -2.0) + np.nan_to_num(size)
    return {"kind": kind.tolist(), "size": size, "is_new": (random.uniform(size=300) > 0.5)}, y


def frames():
    pandas, polars, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    columns, y = rows()
    yield "pandas", pandas.DataFrame(columns), y
    yield "categories", pandas.DataFrame(columns).astype({"kind": "category"}), y
    yield "polars", polars.DataFrame(columns).with_columns(polars.col("size").fill_nan(None)), y
    yield "arrow", pyarrow.table(columns), y


def test_tables_of_every_library_are_learned_alike():
    scores = {}
    for name, X, y in frames():
        reg = MLPRegressor(**settings(max_iter=400, learning_rate_init=0.01)).fit(X, y)
        assert reg.n_features_in_ == 3 and list(reg.feature_names_in_) == ["kind", "size", "is_new"]
        assert reg.coefs_[0].shape[0] == 3 + 1 + 1
        scores[name] = reg.predict(X)
        assert reg.score(X, y) > 0.9, name
    first, *others = scores.values()
    assert all(np.array_equal(first, other) for other in others)


def test_levels_that_were_not_seen_and_missing_numbers_are_predicted_for():
    pandas = pytest.importorskip("pandas")
    columns, y = rows()
    X = pandas.DataFrame(columns)
    reg = MLPRegressor(**settings()).fit(X, y)
    new = pandas.DataFrame({"kind": ["unheard", None], "size": [np.nan, 1.0], "is_new": [True, False]})
    with pytest.warns(DataWarning, match='column "kind": 1 row has a category not seen in training, first "unheard" in row 1'):
        assert np.isfinite(reg.predict(new)).all()
    with pytest.raises(ValueError, match="feature names"):
        reg.predict(new.rename(columns={"size": "length"}))


def test_missing_numbers_of_an_array_are_the_median():
    X, y = load_iris(return_X_y=True)
    X[::7, 2] = np.nan
    filled = np.where(np.isnan(X), np.nanmedian(X, axis=0), X)
    fitted, expected = (MLPClassifier(**settings()).fit(given, y) for given in (X, filled))
    assert all(map(np.array_equal, fitted.coefs_, expected.coefs_))
    assert np.array_equal(fitted.predict(X), expected.predict(filled))


def test_a_table_of_numbers_is_read_where_it_lies():
    pandas = pytest.importorskip("pandas")
    X, y = load_iris(return_X_y=True, as_frame=True)
    assert isinstance(X, pandas.DataFrame)
    clf = MLPClassifier(**settings()).fit(X, y)
    assert clf.encoder_ is None and list(clf.feature_names_in_) == list(X.columns)
    with pytest.raises(TypeError, match="'when' has dates"):
        MLPClassifier().fit(pandas.DataFrame({"when": [datetime.datetime(2026, 1, 1)] * 4}), [0, 1, 0, 1])


def test_texts_are_classes_as_they_are_written():
    X, y = load_iris(return_X_y=True)
    names = np.array(["01", "setosa", "x y"], dtype=object)[y]
    clf = MLPClassifier(**settings(max_iter=200, learning_rate_init=0.01)).fit(X, names)
    assert set(clf.predict(X)) <= {"01", "setosa", "x y"} and clf.score(X, names) > 0.9


def test_memory_beside_the_array_stays_small(tmp_path):
    """In a process of its own, whose largest memory the system tells."""
    import subprocess
    import sys

    program = """
import resource, sys
import numpy as np
from pullback import MLPClassifier
order, megabytes = sys.argv[1], 256
width = 64
X = np.ones((megabytes * 2**20 // 4 // width, width), dtype=np.float32, order=order)
X[::2] = 0.5
y = np.arange(len(X)) % 2
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
MLPClassifier((16,), batch_size=4096, max_iter=1, n_threads=2, random_state=0).fit(X, y)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / X.nbytes)
"""
    for order in "CF":
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program, order], capture_output=True, text=True, check=True
        )
        assert float(done.stdout) < 0.25, (order, done.stdout)


def test_missing_cells_of_every_type_of_pandas_are_taken():
    pandas = pytest.importorskip("pandas")
    columns, y = rows()
    X = pandas.DataFrame(columns)
    X.loc[::7, "kind"] = None
    X["is_new"] = X["is_new"].astype("boolean")
    X.loc[::5, "is_new"] = pandas.NA
    for given in (X, X.convert_dtypes(), X.astype({"kind": object})):
        for estimator in (MLPRegressor(**settings()), TabularRegressor(fast=True, max_iter=5, random_state=0)):
            assert np.isfinite(estimator.fit(given, y).predict(given)).all()


def test_truth_values_are_zero_and_one_however_they_come():
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame({"b": [True, False] * 40, "c": np.arange(80) % 7})
    y = X["b"].astype(int)
    clf = TabularClassifier(fast=True, max_iter=20, random_state=0).fit(X, y)
    assert np.array_equal(clf.predict_proba(X), clf.predict_proba(X.astype({"b": int})))
    with pytest.raises(ValueError, match="column 'b' has numbers in training"):
        clf.predict(X.assign(b=["yes", "no"] * 40))


@pytest.mark.parametrize(
    "cells, what",
    [
        ([[1], [2]], "list objects"),
        ([datetime.date(2026, 1, 1)] * 2, "dates"),
        ([{"a": 1}] * 2, "dict"),
        ([b"a", b"b"], "bytes"),
        ([1j, 2j], "complex"),
        ([1.0, {"a": 1}], "dict"),
    ],
)
def test_cells_that_are_no_numbers_or_texts_are_named(cells, what):
    pandas = pytest.importorskip("pandas")
    with pytest.raises(TypeError, match=f"'odd' has {what}"):
        MLPClassifier().fit(pandas.DataFrame({"odd": pandas.Series(cells, dtype=object)}), [0, 1])
    with pytest.raises(ValueError, match="minimum of 1 is required"):
        MLPClassifier().fit(pandas.DataFrame(index=[0, 1]), [0, 1])


@pytest.mark.parametrize("make", [MLPClassifier, TabularClassifier])
def test_a_column_of_bytes_is_named(make):
    polars, pyarrow = map(pytest.importorskip, ("polars", "pyarrow"))
    for table in (polars.DataFrame({"odd": [b"a", b"b"]}), pyarrow.table({"odd": [b"a", b"b"]})):
        with pytest.raises(TypeError, match="'odd' has bytes"):
            make().fit(table, [0, 1])


def test_labels_may_be_sparse():
    from scipy.sparse import csr_array

    X, y = load_iris(return_X_y=True)
    labels = np.eye(3, dtype=int)[y]
    expected = MLPClassifier(**settings()).fit(X, labels).predict_proba(X)
    for early_stopping in (False, True):
        MLPClassifier(**settings(early_stopping=early_stopping)).fit(X, csr_array(labels), eval_set=(X, csr_array(labels)))
    assert np.array_equal(MLPClassifier(**settings()).fit(X, csr_array(labels)).predict_proba(X), expected)


def test_a_table_without_any_value_is_named():
    pyarrow = pytest.importorskip("pyarrow")
    with pytest.raises(ValueError, match="no column of X has a value"):
        MLPClassifier().fit(pyarrow.table({"a": pyarrow.array([None] * 4, pyarrow.string())}), [0, 1, 0, 1])


def test_errors_say_what_is_wrong(tmp_path):
    import pullback
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="'ensemble' parameter of TabularRegressor must be an int.* Got 1.5"):
        TabularRegressor(ensemble=1.5).fit(X, y)
    with pytest.raises(ValueError, match="whole numbers"):
        MLPClassifier((3.5,)).fit(X, y)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        MLPClassifier(**settings()).fit(X, y).save(tmp_path / "none" / "m.safetensors")
    (tmp_path / "text").write_text("this is not a model, but long enough to have a header")
    with pytest.raises(ValueError, match="no model file"):
        pullback.load(tmp_path / "text")


def test_what_replaces_a_missing_number_does_not_depend_on_the_rows_beside_it():
    X, y = load_iris(return_X_y=True)
    holes = X.copy()
    holes[::9, 1] = np.nan
    clf = MLPClassifier(**settings()).fit(holes, y)
    new = np.array([[5.0, np.nan, 1.5, 0.2], [9.0, 9.0, 9.0, 9.0]])
    assert np.array_equal(clf.predict_proba(new[:1]), clf.predict_proba(new)[:1])
    with pytest.raises(ValueError, match="no number was missing in training"):
        MLPClassifier(**settings()).fit(X, y).predict(new)


FAST = {"fast": True, "max_iter": 5, "random_state": 0}


def remarks(call):
    """What is remarked on rows by a call."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [str(one.message) for one in caught if issubclass(one.category, DataWarning)]


def test_what_is_doubtful_about_rows_is_a_warning():
    pandas = pytest.importorskip("pandas")
    random = np.random.RandomState(0)
    y = random.randint(0, 2, size=200)
    X = pandas.DataFrame(
        {
            "same": 7.0,
            "city": np.where(random.uniform(size=200) < 0.5, "Bonn", "bonn "),
            "key": [f"id-{row}" for row in range(200)],
            "copy": y * 3.0,
            "size": random.normal(size=200),
        }
    )
    clf = TabularClassifier(**FAST)
    found = "\n".join(remarks(lambda: clf.fit(X, y)))
    assert 'column "key" is left out' in found and "the type of categories keeps it" in found
    assert "left out" not in "".join(remarks(lambda: TabularClassifier(**FAST).fit(X.astype({"key": "category"}), y)))
    assert 'column "same": all rows have the same value, which says nothing; drop it from X' in found
    assert '"bonn " and "Bonn" differ only in capitals or spaces, and count as different; make them one' in found
    assert 'column "copy"' in found and "--" not in found and "file" not in found
    new = X.assign(city=["Ulm", "Jena"] * 100)
    assert remarks(lambda: clf.predict(new)) == [
        'column "city": 200 rows have categories not seen in training, first "Ulm" in row 1; encoded as none of the '
        "known ones"
    ]
    assert remarks(lambda: clf.predict(X)) == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=DataWarning)
        clf.predict(new)


def test_a_warning_is_at_the_line_that_called():
    pandas = pytest.importorskip("pandas")
    from sklearn.pipeline import make_pipeline

    X = pandas.DataFrame({"k": ["a", "b"] * 20})
    pipeline = make_pipeline("passthrough", MLPClassifier(**settings())).fit(X, [0, 1] * 20)
    with pytest.warns(DataWarning) as caught:
        pipeline.predict(X.assign(k="c"))
    assert [one.filename for one in caught] == [__file__]


def test_texts_without_an_input_are_told():
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame({"k": [f"k{row}" for row in range(1003)] * 2})
    y = np.arange(len(X)) % 2
    reg = MLPRegressor(**settings(max_iter=1))
    assert remarks(lambda: reg.fit(X, y)) == ['column "k": of its 1003 texts the 3 rarest have no input']
    assert reg.coefs_[0].shape[0] == 1000
    (said,) = remarks(lambda: reg.predict(X))
    assert said.startswith('column "k": 6 rows have categories not seen in training or rare there')


@pytest.mark.parametrize("estimator", [MLPClassifier(**settings(max_iter=300)), TabularClassifier(**FAST)])
def test_a_category_is_the_same_whatever_type_it_comes_in(estimator):
    pandas = pytest.importorskip("pandas")
    y = [0, 1, 2] * 30
    X = pandas.DataFrame({"k": pandas.Categorical([1, 2, 1234567] * 30)})
    expected = estimator.fit(X, y).predict_proba(X)
    for other in ([1, 2, 1234567], [1.0, 2.0, 1234567.0], ["1", "2", "1234567"]):
        for column in (pandas.Series(other * 30), pandas.Series(other * 30, dtype=object)):
            assert np.array_equal(estimator.predict_proba(pandas.DataFrame({"k": column})), expected)


@pytest.mark.parametrize("kind", [">f8", ">f4", ">i4", ">u2"])
def test_the_order_of_bytes_changes_no_bit(kind):
    X, y = load_iris(return_X_y=True)
    X = (X * 10).astype(kind)
    native = X.astype(X.dtype.newbyteorder("="))
    fitted = MLPClassifier(**settings()).fit(X, y.astype(">i8"), sample_weight=np.ones(len(y), dtype=">f8"))
    expected = MLPClassifier(**settings()).fit(native, y)
    assert all(map(np.array_equal, fitted.coefs_, expected.coefs_))
    assert np.array_equal(fitted.predict_proba(X), expected.predict_proba(native))
    clf = TabularClassifier(**FAST).fit(X, y)
    assert np.array_equal(clf.predict_proba(X), clf.predict_proba(native))


def test_arrays_that_may_only_be_read_and_packed_records_are_taken(tmp_path):
    X, y = load_iris(return_X_y=True)
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    records = np.zeros(len(X), dtype=[("mark", "u1"), ("x", "f8", (4,))])
    records["x"] = X
    y.flags.writeable = False
    expected = MLPClassifier(**settings()).fit(X, y)
    for other in (mapped, records["x"]):
        fitted = MLPClassifier(**settings(early_stopping=False)).fit(other, y)
        assert np.array_equal(fitted.predict_proba(other), expected.predict_proba(X))


def test_a_table_without_rows_yet_is_named():
    polars = pytest.importorskip("polars")
    X, y = load_iris(return_X_y=True)
    lazy = polars.DataFrame(X).lazy()
    for estimator in (MLPClassifier(**settings()), TabularClassifier(**FAST)):
        with pytest.raises(TypeError, match=r"polars LazyFrame, which has no rows yet: .*X\.collect\(\)"):
            estimator.fit(lazy, y)
        with pytest.raises(TypeError, match="LazyFrame"):
            estimator.fit(lazy.collect(), y).predict(lazy)


def pandas_rows():
    import pandas

    return pandas.DataFrame({"k": ["a", "b", None] * 20, "x": np.linspace(0, 1, 60)})


@pytest.mark.parametrize("make", [lambda: MLPClassifier(**settings()), lambda: TabularClassifier(**FAST)])
@pytest.mark.parametrize(
    "change, error, what",
    [
        (lambda X: X.to_numpy(), TypeError, r"give a table with the columns \['k', 'x'\]"),
        (lambda X: X[["x", "k"]], ValueError, "same order"),
        (lambda X: X[["k"]], ValueError, "yet now missing"),
        (lambda X: X.assign(z=1), ValueError, "unseen at fit time"),
        (lambda X: X.assign(x=np.inf), ValueError, "infinity, in column 'x'"),
        (lambda X: X.assign(x="much"), ValueError, "column 'x' has numbers in training"),
        (lambda X: X[:0], ValueError, "minimum of 1 is required"),
        (lambda X: X["x"], TypeError, "give a table with the columns"),
    ],
)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_a_table_that_is_not_the_fitted_one_is_named(make, change, error, what):
    pytest.importorskip("pandas")
    X, y = pandas_rows(), [0, 1] * 30
    with pytest.raises(error, match=what):
        make().fit(X, y).predict(change(X))


@pytest.mark.parametrize("make", [lambda: MLPClassifier(**settings()), lambda: TabularClassifier(**FAST)])
def test_columns_and_classes_that_cannot_be_told_apart_are_named(make):
    pandas = pytest.importorskip("pandas")
    X, y = pandas_rows(), np.array([0, 1] * 30)
    with pytest.raises(ValueError, match="columns of the same name"):
        make().fit(pandas.concat([X, X], axis=1), y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        make().fit(X, y[:-1])
    with pytest.raises(ValueError, match="row 2 has no class"):
        make().fit(X, np.array(["u", None, "v"] * 20, dtype=object))
    for missing in (pandas.Series(["u", None, "v"] * 20), np.where(y, np.nan, 1.0)):
        with pytest.raises(ValueError, match="contains NaN"):
            make().fit(X, missing)
    with pytest.raises(ValueError, match="Input y contains NaN"):
        make().fit(X, np.where(y, np.nan, 1.0))
    with pytest.raises(ValueError, match="[Nn]egative"):
        make().fit(X, y, sample_weight=-np.ones(60))


@pytest.mark.parametrize("make", [lambda: MLPRegressor(**settings()), lambda: TabularRegressor(**FAST)])
def test_a_column_of_targets_is_one_target_with_a_warning(make):
    X, y = load_iris(return_X_y=True)
    with pytest.warns(DataConversionWarning, match="column-vector"):
        fitted = make().fit(X, y[:, None])
    assert fitted.predict(X).shape == (150,) and np.array_equal(fitted.predict(X), make().fit(X, y).predict(X))


@pytest.mark.parametrize("estimator", [MLPClassifier(**settings()), TabularClassifier(**FAST)])
def test_classes_keep_their_type(estimator):
    pandas, polars = map(pytest.importorskip, ("pandas", "polars"))
    X, _ = load_iris(return_X_y=True)
    numbers, words = np.arange(150) % 3, ["u", "v", "w"] * 50
    for y in (
        numbers,
        numbers.astype(np.uint8),
        numbers == 1,
        pandas.Series(numbers).astype("category"),
        polars.Series(numbers),
        words,
        np.array(words),
        pandas.Series(words),
        pandas.Series(words, dtype="string"),
        polars.Series(words),
        pandas.Categorical(words),
    ):
        expected = np.unique(np.asarray(y))
        estimator.fit(X, y)
        assert list(estimator.classes_) == list(expected)
        assert estimator.predict(X).dtype == estimator.classes_.dtype and set(estimator.predict(X)) <= set(expected)
