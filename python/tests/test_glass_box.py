"""What an estimator shows of itself is true of it."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris, make_regression
from sklearn.preprocessing import StandardScaler

import pullback
from pullback import MLPClassifier, MLPRegressor, TabularClassifier

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::pullback.DataWarning"),
]


@pytest.fixture
def iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def test_a_page_has_the_numbers_of_the_network(iris):
    X, y = iris
    clf = MLPClassifier((4,), activation="tanh", alpha=0.0, max_iter=50, random_state=0).fit(X, y)
    page = clf.explain(X[:1], y[:1])
    assert page.to_html().startswith("<!doctype html>") and "<iframe" in page._repr_html_()
    assert "dC/d" in page.to_text() and max(map(len, repr(page).splitlines())) <= 80
    assert "역전파" in clf.explain(X[:1], language="ko").to_markdown()
    assert page.to_svg().startswith("<svg") and "@keyframes" in page.to_animation()
    document = page.to_json()
    assert np.isclose(document["cost"], -np.log(clf.predict_proba(X[:1])[0, y[0]]), rtol=1e-4)
    with pytest.raises(ValueError, match="language"):
        clf.explain(X[:1], language="tlh")


def test_gradients_are_checked(iris):
    X, y = iris
    clf = MLPClassifier((6, 5), activation="tanh", max_iter=5, random_state=0).fit(X, y)
    results = clf.check_gradients(X[:20], y[:20])
    assert [result["name"] for result in results] == clf.parameter_names_
    assert all(result["passes"] for result in results)
    assert pullback.check_gradients(clf, X[:20], y[:20]) == results


def test_integrated_gradients_add_up_to_the_prediction(iris):
    X, y = iris
    clf = MLPClassifier((8,), activation="tanh", max_iter=100, random_state=0, dtype="float64").fit(X, y)
    values = np.asarray(getattr(clf.attributions(X[:9], steps=400), "values", clf.attributions(X[:9], steps=400)))
    best = clf.predict_proba(X[:9]).max(axis=1)
    start = clf.predict_proba(np.zeros((1, 4)))[0][clf.predict(X[:9])]
    np.testing.assert_allclose(values.sum(axis=1), best - start, atol=1e-4)
    X, y = make_regression(50, 3, random_state=0)
    linear = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0.0, random_state=0, dtype="float64").fit(X, y)
    exact = np.asarray(getattr(linear.attributions(X, method="gradient"), "values", linear.attributions(X, method="gradient")))
    np.testing.assert_allclose(exact, X * linear.coefs_[0].ravel(), rtol=1e-9)
    with pytest.raises(ValueError, match="target"):
        clf.attributions(np.zeros((1, 4)), target=3)


def test_an_estimator_is_a_model_file_that_the_command_reads(tmp_path):
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    clf = MLPClassifier((8,), max_iter=20, random_state=0).fit(X, y)
    path = tmp_path / "m.safetensors"
    clf.save(path)
    again = pullback.load(path)
    assert np.array_equal(again.predict_proba(X), clf.predict_proba(X))
    assert again.get_params() == clf.get_params() and again.classes_.dtype == clf.classes_.dtype
    again.partial_fit(X, y)
    table = tmp_path / "new.csv"
    X.to_csv(table, index=False)
    out = tmp_path / "out.csv"
    command = [sys.executable, "-m", "pullback"]
    subprocess.run([*command, "predict", path, table, "--out", out], check=True, capture_output=True)
    predicted = [line.split(",")[0] for line in out.read_text().splitlines()[1:]]
    assert predicted == [str(label) for label in clf.predict(X)]
    (tmp_path / "other.safetensors").write_bytes(path.read_bytes().replace(b"pullback_python", b"pullback_pythoX"))
    # Without what only Python needs it is a file of the command.
    other = pullback.load(tmp_path / "other.safetensors")
    np.testing.assert_allclose(other.predict_proba(X), clf.predict_proba(X), atol=1e-4)


@pytest.mark.parametrize(
    "settings, what",
    [
        ({"steps": 0}, r"'steps' parameter .* range \[1, inf\)"),
        ({"method": "shap"}, "'method' parameter .* Got 'shap'"),
        ({"target": [0, 1]}, "one for each of the 3 rows"),
        ({"baseline": [1.0, 2.0]}, "each of the 4 inputs"),
    ],
)
def test_attributions_that_cannot_be_meant_are_named(iris, settings, what):
    X, y = iris
    with pytest.raises(ValueError, match=what):
        MLPClassifier((4,), max_iter=1).fit(X, y).attributions(X[:3], **settings)


def test_pages_and_checks_that_cannot_be_meant_are_named(iris):
    X, y = iris
    clf = MLPClassifier((4,), max_iter=1).fit(X, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        clf.explain(X[:1], y[:2])
    with pytest.raises(ValueError, match="'digits' parameter"):
        clf.explain(X[:1], digits=-1)
    with pytest.raises(ValueError, match="'samples' parameter"):
        clf.check_gradients(X, y, samples=-1)


@pytest.mark.parametrize(
    "setting",
    [
        {"class_weight": {0: 1.0, 1: 2.0, 2: 3.0}},
        {"hidden_layer_sizes": np.array([3])},
        {"hidden_layer_sizes": (np.int64(3),)},
    ],
)
@pytest.mark.parametrize("make", [MLPClassifier, TabularClassifier])
def test_settings_come_back_from_a_file(make, setting, tmp_path):
    X, y = load_iris(return_X_y=True)
    path = tmp_path / "m.safetensors"
    make(max_iter=1, random_state=0, **setting).fit(X, y).save(path)
    [(name, value)], again = setting.items(), pullback.load(path)
    assert np.array_equal(getattr(again, name), value)
    again.fit(X, y)


@pytest.mark.parametrize("make", [MLPClassifier, TabularClassifier])
def test_dates_as_classes_come_back_from_a_file(make, tmp_path):
    X, y = load_iris(return_X_y=True)
    days = np.array(["2026-01-01", "2026-02-01", "2026-03-01"], dtype="datetime64[D]")
    path = tmp_path / "m.safetensors"
    make(max_iter=1).fit(X, days[y]).save(path)
    assert np.array_equal(pullback.load(path).classes_, days) and pullback.load(path).classes_.dtype == days.dtype


@pytest.mark.parametrize("header", ["[1, 2] ", '{"__metadata__":null}', "3"])
def test_a_header_of_another_form_is_no_model(header, tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header.encode())
    with pytest.raises(ValueError, match="m.safetensors is no model file"):
        pullback.load(path)


@pytest.mark.parametrize("kind", ["table", "labels", "text", "numbers"])
def test_every_estimator_comes_back_from_its_file(kind, tmp_path):
    pandas = pytest.importorskip("pandas")
    random = np.random.RandomState(0)
    X = random.normal(size=(90, 3))
    estimator, y = MLPClassifier((4,), max_iter=5, random_state=0, normalization="batch"), (X[:, 0] > 0).astype(int)
    if kind == "table":
        X = pandas.DataFrame({"a": X[:, 0], "b": random.choice(["u", "v"], size=90)})
    elif kind == "labels":
        y = (X > 0).astype(int)
    elif kind == "text":
        y = np.array(["no", "yes"])[y]
        X[::9, 1] = np.nan
    else:
        estimator, y = MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, random_state=0), X[:, :2]
    path = tmp_path / "m.safetensors"
    estimator.fit(X, y).save(path)
    assert np.array_equal(pullback.load(path).predict(X), estimator.predict(X))


def test_the_command_is_in_the_package(tmp_path):
    command = [sys.executable, "-m", "pullback"]
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("pullback ")
    done = subprocess.run([*command, "train", "no-such.csv"], capture_output=True, text=True)
    assert done.returncode != 0 and "no-such.csv" in done.stderr
    done = subprocess.run(
        [*command, "train", "iris", "--fast", "--quiet", "--out", tmp_path / "m.safetensors"], capture_output=True
    )
    assert done.returncode == 0 and (tmp_path / "m.safetensors").exists()


KINDS = ["classifier", "binary", "labels", "regressor", "norms", "fractions", "one class", "several numbers", "double"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_onnx_model_predicts_the_same(kind):
    skl2onnx, runtime = pytest.importorskip("skl2onnx"), pytest.importorskip("onnxruntime")
    from sklearn.pipeline import make_pipeline

    X, y = load_iris(return_X_y=True)
    X = X.astype(np.float32)
    estimator = MLPClassifier((6, 5), activation=("tanh", "silu"), max_iter=30, random_state=0)
    if kind == "binary":
        y = np.array(["no", "yes"], dtype=object)[(y == 1).astype(int)]
    elif kind == "labels":
        y = (X[:, :2] > X[:, :2].mean(axis=0)).astype(int)
    elif kind == "regressor":
        estimator, y = MLPRegressor(hidden_layer_sizes=(6,), max_iter=30, random_state=0), X[:, 0] * 2
    elif kind == "several numbers":
        estimator, y = MLPRegressor(hidden_layer_sizes=(6,), max_iter=30, random_state=0), X[:, :2] * 2
    elif kind == "norms":
        estimator.set_params(normalization="batch")
    elif kind == "fractions":
        y = y.astype(float)
    elif kind == "one class":
        y = y * 0
    elif kind == "double":
        X = X.astype(np.float64)
        estimator.set_params(hidden_layer_sizes=(5, 5, 5), activation=("elu", "gelu", "softplus"))
    pipeline = make_pipeline(StandardScaler(), estimator).fit(X, y)
    is_regressor = isinstance(estimator, MLPRegressor)
    options = {} if is_regressor else {id(pipeline): {"zipmap": False}}
    model = skl2onnx.to_onnx(pipeline, X[:1], options=options)
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    outputs = session.run(None, {session.get_inputs()[0].name: X})
    assert [place.shape[1:] for place in session.get_outputs()] == [list(own.shape[1:]) for own in outputs]
    if is_regressor:
        expected = pipeline.predict(X)
        np.testing.assert_allclose(outputs[0].reshape(expected.shape), expected, rtol=1e-4, atol=1e-5)
        return
    assert np.array_equal(outputs[0], pipeline.predict(X))
    np.testing.assert_allclose(outputs[1], pipeline.predict_proba(X), atol=1e-5)
