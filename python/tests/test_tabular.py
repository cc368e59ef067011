"""Tables in, the command's defaults out."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.model_selection import train_test_split
from sklearn.utils.estimator_checks import check_estimator

import pullback
from pullback import TabularClassifier, TabularRegressor
from pullback._persist import metadata


@pytest.mark.parametrize("estimator", [TabularClassifier(fast=True, max_iter=60), TabularRegressor(fast=True, max_iter=60)])
@pytest.mark.filterwarnings("ignore")
def test_every_check_of_scikit_learn_passes(estimator):
    # Which rows a network is watched by, and how columns are scaled, depends on the rows and not on their weights.
    expected = {"check_sample_weight_equivalence_on_dense_data": "rows are chosen and scaled without their weights"}
    results = check_estimator(estimator, on_skip=None, on_fail=None, expected_failed_checks=expected)
    failed = [f"{result['check_name']}: {result['exception']}" for result in results if result["status"] == "failed"]
    assert not failed, "\n".join(failed)


def mixed():
    pandas = pytest.importorskip("pandas")
    random = np.random.RandomState(0)
    kind, size = random.choice(["a", "b", "c"], size=400), random.normal(size=400)
    y = np.where(kind == "b", 3.0, 0.0) + size
    size = np.where(np.arange(400) % 19 == 0, np.nan, size)
    return pandas.DataFrame({"kind": kind, "size": size, "y": random.uniform(size=400)}), y


def test_a_table_with_texts_and_missing_cells_is_learned():
    X, y = mixed()
    reg = TabularRegressor(fast=True, random_state=0).fit(X, y)
    assert reg.score(X, y) > 0.8 and reg.n_networks_ == 1
    clf = TabularClassifier(fast=True, random_state=0).fit(X, np.where(y > 1, "much", "little"))
    assert clf.score(X, np.where(y > 1, "much", "little")) > 0.9
    assert list(clf.classes_) == ["little", "much"]
    assert np.array_equal(pickle.loads(pickle.dumps(clf)).predict(X), clf.predict(X))


def test_the_default_is_an_ensemble_whose_bits_depend_on_no_threads():
    X, y = load_iris(return_X_y=True)
    one, two = (TabularClassifier(max_iter=20, random_state=3, n_threads=n, ensemble=8).fit(X, y) for n in (1, 2))
    assert one.n_networks_ == 8 and np.array_equal(one.model_, two.model_)
    assert not np.array_equal(one.model_, TabularClassifier(max_iter=20, ensemble=8, random_state=4).fit(X, y).model_)


def test_texts_of_many_levels_have_learned_numbers_where_that_is_asked_for():
    pandas = pytest.importorskip("pandas")
    random = np.random.RandomState(0)
    level, effect = random.choice(40, size=600), random.normal(size=40)
    X = pandas.DataFrame({"level": [f"l{code}" for code in level], "size": random.normal(size=600)})
    for embeddings, is_embedded in [(None, False), ("none", False), ("auto", True), (np.int64(4), True)]:
        reg = TabularRegressor(fast=True, random_state=0, embeddings=embeddings).fit(X, effect[level])
        assert reg.score(X, effect[level]) > 0.9
        assert (b"level_embedding" in reg.model_.tobytes()) == is_embedded
    with pytest.raises(ValueError, match="many"):
        TabularRegressor(fast=True, embeddings="many").fit(X, effect[level])


def test_weights_count():
    X, y = load_breast_cancer(return_X_y=True)
    X = X[:, :1]
    heavy = TabularClassifier(fast=True, class_weight={0: 20, 1: 1}, random_state=0).fit(X, y).predict(X)
    light = TabularClassifier(fast=True, class_weight={0: 1, 1: 20}, random_state=0).fit(X, y).predict(X)
    assert (heavy == 0).sum() > (light == 0).sum()


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_files_come_back_and_are_the_commands(kind, tmp_path):
    X, y = mixed()
    if kind == "classes":
        y = (y > 1).astype(int)
        estimator = TabularClassifier(fast=True, random_state=0)
    else:
        estimator = TabularRegressor("huber", fast=True, random_state=0)
    path, table, out = tmp_path / "m.safetensors", tmp_path / "new.csv", tmp_path / "out.csv"
    estimator.fit(X, y).save(path)
    again = pullback.load(path)
    assert np.array_equal(again.predict(X), estimator.predict(X)) and again.get_params() == estimator.get_params()
    X.to_csv(table, index=False)
    subprocess.run([sys.executable, "-m", "pullback", "predict", path, table, "--out", out], check=True)
    predicted = [float(line.split(",")[0]) for line in out.read_text().splitlines()[1:]]
    np.testing.assert_allclose(predicted, estimator.predict(X), rtol=1e-3, atol=1e-3)


def test_a_model_of_the_command_is_an_estimator(tmp_path):
    path = tmp_path / "m.safetensors"
    command = [sys.executable, "-m", "pullback", "train", "iris", "--fast", "--quiet", "--out", path]
    subprocess.run(command, check=True)
    clf = pullback.load(path)
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])
    assert set(clf.classes_) == set(names)
    frame = pytest.importorskip("pandas").DataFrame(X, columns=clf.feature_names_in_)
    assert clf.score(frame, names[y]) > 0.9


def test_it_is_better_than_a_constant_on_held_out_rows():
    X, y = load_diabetes(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    assert TabularRegressor(ensemble=4, random_state=0).fit(X_train, y_train).score(X_test, y_test) > 0.2
    with pytest.raises(ValueError, match="one class"):
        TabularClassifier().fit(X, np.zeros(len(X)))


def test_time_ends_the_choice_among_candidates():
    X, y = load_iris(return_X_y=True)
    clf = TabularClassifier(time="1s", max_iter=5, random_state=0).fit(X, y)
    told = json.loads(metadata("the model", clf.model_.tobytes())["pullback"])
    # Without a clock all 10,000 are trained.
    assert 1 <= told["configuration"]["candidates"] < 5000
    assert clf.score(X, y) > 0.5


def test_a_metric_needs_rows_to_watch_which_small_tables_have_too():
    X, y = load_iris(return_X_y=True)
    for fast in (False, True):
        assert TabularClassifier(metric="accuracy", fast=fast, random_state=0).fit(X, y).score(X, y) > 0.8


def dated(rows=240):
    """Hours of three weeks, of which every tenth is missing, and what depends on the hour."""
    start = np.datetime64("2026-03-01T00:00", "ms")
    when = start + (np.arange(rows) * 2_000).astype("timedelta64[s]") * 4
    hours = (when - when.astype("datetime64[D]")) // np.timedelta64(1, "h")
    y = np.where(hours < 12, 0.0, 5.0) + np.linspace(0, 1, rows)
    when[::10] = np.datetime64("NaT")
    return when, y


def test_dates_are_the_same_whoever_holds_them(tmp_path):
    pandas, polars, arrow = map(pytest.importorskip, ["pandas", "polars", "pyarrow"])
    when, y = dated()
    table = pandas.DataFrame({"when": when, "n": np.arange(len(when)) % 5})
    reg = TabularRegressor(fast=True, random_state=0).fit(table, y)
    assert reg.kinds_ == ["time", "numeric"] and reg.score(table, y) > 0.8
    expected = reg.predict(table)
    seoul = table.assign(when=table["when"].dt.tz_localize("Asia/Seoul"))
    objects = table.assign(when=pandas.Series(table["when"].dt.to_pydatetime().tolist(), dtype=object))
    for other in [seoul, objects, polars.from_pandas(table), arrow.Table.from_pandas(table), table.assign(when=when.astype("datetime64[s]"))]:
        assert np.array_equal(reg.predict(other), expected), type(other)
        again = TabularRegressor(fast=True, random_state=0).fit(other, y)
        assert np.array_equal(again.predict(table), expected), type(other)
    path, file, out = tmp_path / "m.safetensors", tmp_path / "new.csv", tmp_path / "out.csv"
    reg.save(path)
    assert np.array_equal(pullback.load(path).predict(table), expected)
    table.to_csv(file, index=False)
    subprocess.run([sys.executable, "-m", "pullback", "predict", path, file, "--out", out], check=True)
    predicted = [float(line.split(",")[0]) for line in out.read_text().splitlines()[1:]]
    np.testing.assert_allclose(predicted, expected, rtol=1e-3, atol=1e-3)


def test_days_without_a_time_are_dates_too():
    pandas, polars = map(pytest.importorskip, ["pandas", "polars"])
    days = np.arange("2026-01-01", "2026-12-01", dtype="datetime64[D]")
    y = (days.astype(int) % 7 < 2).astype(int)
    frames = [
        pandas.DataFrame({"day": days.astype("datetime64[ns]")}),
        pandas.DataFrame({"day": pandas.Series(days.tolist(), dtype=object)}),
        polars.DataFrame({"day": days}),
    ]
    predicted = [TabularClassifier(fast=True, random_state=0).fit(frame, y).predict_proba(frames[0]) for frame in frames]
    assert (predicted[0].argmax(axis=1) == y).mean() > 0.95
    assert all(np.array_equal(predicted[0], other) for other in predicted)


def test_dates_stay_dates():
    pandas = pytest.importorskip("pandas")
    when, y = dated()
    table = pandas.DataFrame({"when": when, "n": np.arange(len(when)) % 5})
    reg = TabularRegressor(fast=True, max_iter=5, random_state=0).fit(table, y)
    with pytest.raises(ValueError, match="'when' has dates in training"):
        reg.predict(table.assign(when="yesterday"))
    with pytest.raises(ValueError, match="'n' has dates, but in training"):
        reg.predict(table.assign(n=table["when"]))
    with pytest.raises(TypeError, match="give a table"):
        reg.predict(np.zeros((3, 2)))
    with pytest.raises(TypeError, match="'when' has times of day or durations"):
        reg.fit(table.assign(when=table["when"] - table["when"].min()), y)


def test_a_model_of_the_command_with_dates_is_an_estimator(tmp_path):
    pandas = pytest.importorskip("pandas")
    when, y = dated()
    table = pandas.DataFrame({"when": when, "y": y})
    data, path = tmp_path / "data.csv", tmp_path / "m.safetensors"
    table.to_csv(data, index=False)
    command = [sys.executable, "-m", "pullback", "train", data, "--target", "y", "--fast", "--quiet", "--out", path]
    subprocess.run(command, check=True)
    reg = pullback.load(path)
    assert reg.kinds_ == ["time"] and reg.score(table[["when"]], y) > 0.8
