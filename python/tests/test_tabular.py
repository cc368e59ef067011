"""Tables in, the command's defaults out."""

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
    assert TabularRegressor(ensemble=4, random_state=0).fit(X_train, y_train).score(X_test, y_test) > 0.3
    with pytest.raises(ValueError, match="one class"):
        TabularClassifier().fit(X, np.zeros(len(X)))
