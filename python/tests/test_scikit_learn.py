"""The estimators are scikit-learn's: its checks, its signatures, its attributes, its numbers."""

import inspect
import pickle

import joblib
import numpy as np
import pytest
from sklearn import neural_network
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator, check_param_validation

import pullback
from pullback import MLPClassifier, MLPRegressor, TabularClassifier, TabularRegressor

PAIRS = [(MLPClassifier, neural_network.MLPClassifier), (MLPRegressor, neural_network.MLPRegressor)]


@pytest.mark.parametrize("estimator", [MLPClassifier(max_iter=100), MLPRegressor(max_iter=100)])
@pytest.mark.filterwarnings("ignore")
def test_every_check_of_scikit_learn_passes(estimator):
    results = check_estimator(estimator, on_skip=None, on_fail=None, expected_failed_checks=None)
    failed = [f"{result['check_name']}: {result['exception']}" for result in results if result["status"] == "failed"]
    assert not failed, "\n".join(failed)
    assert sum(result["status"] == "passed" for result in results) >= 50


@pytest.mark.parametrize("own, theirs", PAIRS)
def test_signatures_begin_with_those_of_scikit_learn(own, theirs):
    ours, expected = (list(inspect.signature(which.__init__).parameters.values()) for which in (own, theirs))
    positional = [p for p in expected if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert [(p.name, p.default) for p in ours[: len(positional)]] == [(p.name, p.default) for p in positional]
    by_name = {p.name: p for p in ours}
    for parameter in expected:
        assert by_name[parameter.name].default == parameter.default, parameter
        assert by_name[parameter.name].kind == parameter.kind, parameter
    for method in ("fit", "partial_fit", "predict"):
        names = list(inspect.signature(getattr(theirs, method)).parameters)
        assert list(inspect.signature(getattr(own, method)).parameters)[: len(names)] == names


@pytest.mark.parametrize("own, theirs", PAIRS)
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_attributes_are_those_of_scikit_learn(own, theirs, early_stopping):
    X, y = load_iris(return_X_y=True)
    settings = {"max_iter": 3, "early_stopping": early_stopping, "random_state": 0}
    fitted, expected = own(**settings).fit(X, y), theirs(**settings).fit(X, y)
    for name, value in vars(expected).items():
        if name.endswith("_") and not name.startswith("_"):
            mine = getattr(fitted, name)
            if isinstance(value, list):
                assert [np.shape(one) for one in mine] == [np.shape(one) for one in value], name
            else:
                assert (mine is None) == (value is None) and np.shape(mine) == np.shape(value), name


@pytest.mark.parametrize("momentum, nesterovs", [(0.0, False), (0.9, False), (0.9, True)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("outputs", ["binary", "classes", "numbers", "several"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_one_epoch_of_gradient_descent_gives_the_weights_of_scikit_learn(momentum, nesterovs, weighted, outputs):
    X, y = load_iris(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(X))
    X, y = StandardScaler().fit_transform(X)[order], y[order]
    own, theirs = PAIRS[0] if outputs in ("binary", "classes") else PAIRS[1]
    y = {"binary": y == 1, "classes": y, "numbers": X[:, 0] * 2 + 1, "several": X[:, :2] ** 2}[outputs]
    X = X[:, 1:]
    weights = np.random.RandomState(1).uniform(0.5, 2.0, len(X)) if weighted else None
    settings = dict(
        hidden_layer_sizes=(7, 5),
        activation="tanh",
        solver="sgd",
        shuffle=False,
        batch_size=32,
        learning_rate_init=0.1,
        momentum=momentum,
        nesterovs_momentum=nesterovs,
        max_iter=1,
        alpha=0.05,
        random_state=3,
    )
    expected = theirs(**settings).fit(X, y, sample_weight=weights)
    fitted = own(**settings).fit(X, y, sample_weight=weights)
    for mine, value in zip(fitted.coefs_ + fitted.intercepts_, expected.coefs_ + expected.intercepts_):
        np.testing.assert_allclose(mine, value, rtol=1e-9, atol=1e-11)
    single = own(**settings, dtype="float32").fit(X, y, sample_weight=weights)
    for mine, value in zip(single.coefs_ + single.intercepts_, expected.coefs_ + expected.intercepts_):
        np.testing.assert_allclose(mine, value, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("rate", ["constant", "invscaling", "adaptive"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_whole_runs_without_shuffling_are_those_of_scikit_learn(activation, rate):
    X, y = load_wine(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    settings = dict(
        hidden_layer_sizes=(9,),
        activation=activation,
        solver="sgd",
        learning_rate=rate,
        learning_rate_init=0.2,
        shuffle=False,
        batch_size=len(X) // 2,
        max_iter=60,
        tol=1e-3,
        n_iter_no_change=3,
        # scikit-learn's momentum keeps the rate of each step, ours does not: they part where the rate changes.
        momentum=0.9 if rate == "constant" else 0.0,
        random_state=0,
    )
    expected = neural_network.MLPClassifier(**settings).fit(X, y)
    fitted = MLPClassifier(**settings).fit(X, y)
    assert fitted.n_iter_ == expected.n_iter_
    np.testing.assert_allclose(fitted.loss_curve_, expected.loss_curve_, rtol=1e-6)
    np.testing.assert_allclose(fitted.predict_proba(X), expected.predict_proba(X), atol=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ["digits", "iris", "breast_cancer", "wine", "diabetes"])
def test_it_is_as_good_as_scikit_learn_over_ten_seeds(name):
    loaders = dict(
        digits=load_digits, iris=load_iris, breast_cancer=load_breast_cancer, wine=load_wine, diabetes=load_diabetes
    )
    X, y = loaders[name](return_X_y=True)
    own, theirs = PAIRS[1] if name == "diabetes" else PAIRS[0]
    ours, expected = [], []
    for seed in range(10):
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
        scaler = StandardScaler().fit(X_train)
        X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
        settings = {"random_state": seed, "max_iter": 100}
        ours.append(own(**settings).fit(X_train, y_train).score(X_test, y_test))
        expected.append(theirs(**settings).fit(X_train, y_train).score(X_test, y_test))
    spread = np.std(np.subtract(ours, expected)) / np.sqrt(10)
    assert np.mean(ours) >= np.mean(expected) - max(2 * spread, 0.005), (np.mean(ours), np.mean(expected))


def test_partial_fit_is_an_epoch_and_keeps_the_optimizers_numbers():
    X, y = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    settings = dict(hidden_layer_sizes=(6,), shuffle=False, random_state=0)
    part, whole = MLPClassifier(**settings), neural_network.MLPClassifier(**settings)
    for _ in range(5):
        part.partial_fit(X, y, classes=[0, 1, 2])
        whole.partial_fit(X, y, classes=[0, 1, 2])
    assert part.t_ == whole.t_ and len(part.loss_curve_) == 5
    # scikit-learn's Adam adds epsilon before it corrects for the first steps.
    np.testing.assert_allclose(part.loss_curve_, whole.loss_curve_, rtol=1e-5)
    with pytest.raises(ValueError, match="classes must be passed"):
        MLPClassifier().partial_fit(X, y)
    with pytest.raises(AttributeError, match="partial_fit"):
        MLPClassifier(solver="lbfgs").partial_fit(X, y)


def test_warm_start_goes_on_with_the_same_weights():
    X, y = load_iris(return_X_y=True)
    clf = MLPClassifier((5,), warm_start=True, max_iter=20, random_state=0)
    with pytest.warns(ConvergenceWarning):
        first = clf.fit(X, y).loss_
    with pytest.warns(ConvergenceWarning):
        assert clf.fit(X, y).loss_ < first
    assert len(clf.loss_curve_) == 40
    with pytest.raises(ValueError, match="same classes"):
        clf.fit(X, np.where(y == 0, 1, y))


@pytest.mark.parametrize("changed", [{"alpha": 50.0}, {"activation": "tanh"}, {"learning_rate_init": 0.01}])
@pytest.mark.parametrize("incremental", [False, True])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_further_calls_take_the_settings_of_now(changed, incremental):
    X, y = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    settings = dict(hidden_layer_sizes=(6,), solver="sgd", momentum=0.0, shuffle=False, max_iter=3, random_state=0)
    curves = []
    for which in PAIRS[0]:
        clf = which(**settings, warm_start=True)
        for _ in range(2):
            clf.partial_fit(X, y, classes=[0, 1, 2]) if incremental else clf.fit(X, y)
            # scikit-learn keeps the learning rate of the first call to partial_fit.
            clf.set_params(**({} if incremental and "learning_rate_init" in changed else changed))
        curves.append(clf.loss_curve_)
    np.testing.assert_allclose(*curves, rtol=1e-9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_further_calls_take_layers_without_weights_and_refuse_others():
    X, y = load_iris(return_X_y=True)
    clf = MLPClassifier((6,), normalization="layer", warm_start=True, max_iter=3, random_state=0).fit(X, y)
    clf.set_params(dropout=0.5).fit(X, y)
    assert '"dropout"' in clf.network_ and clf.predict(X).shape == (150,)
    assert set(clf.normalizations_) <= set(clf.parameter_names_)
    with pytest.raises(ValueError, match=r"\[4, 6, 'layer_norm', 3\], but now they would be \[4, 6, 3\]"):
        clf.set_params(normalization=None).fit(X, y)
    with pytest.raises(ValueError, match="several labels for each row, but had one class"):
        clf.set_params(normalization="layer").fit(X, np.eye(3)[y])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_an_optimizer_kept_is_for_the_next_call_alone(tmp_path):
    X, y = load_iris(return_X_y=True)
    clf = MLPClassifier((6,), max_iter=3, warm_start=True, random_state=0).partial_fit(X, y, classes=[0, 1, 2])
    clf.fit(X, y).save(tmp_path / "m.safetensors")
    fresh = pullback.load(tmp_path / "m.safetensors").partial_fit(X, y)
    assert np.array_equal(clf.partial_fit(X, y).coefs_[0], fresh.coefs_[0])
    assert clf.set_params(solver="sgd").partial_fit(X, y).solver == "sgd"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_early_stopping_can_end_in_a_further_call():
    X, y = load_iris(return_X_y=True)
    clf = MLPClassifier((6,), early_stopping=True, warm_start=True, max_iter=3, random_state=0).fit(X, y)
    clf.set_params(early_stopping=False).fit(X, y)
    assert clf.best_loss_ == min(clf.loss_curve_[3:]) and clf.validation_scores_ is None


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_one_weight_for_all_rows_is_taken_with_early_stopping():
    X, y = load_iris(return_X_y=True)
    clf = MLPClassifier((6,), early_stopping=True, max_iter=5, random_state=0)
    expected = clf.fit(X, y, sample_weight=np.full(150, 2.0)).validation_scores_
    assert clf.fit(X, y, sample_weight=2.0).validation_scores_ == expected


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_scorer_may_call_every_method_of_the_estimator():
    pandas = pytest.importorskip("pandas")
    X, y = load_iris(return_X_y=True)
    table = pandas.DataFrame({"kind": np.where(y > 0, "large", "small"), "size": X[:, 0]})

    def score(estimator, X, y):
        assert isinstance(estimator, MLPClassifier) and len(estimator.predict_log_proba(X)) == len(y)
        return estimator.score(X, y)

    settings = dict(early_stopping=True, max_iter=5, random_state=0)
    expected = MLPClassifier((6,), **settings).fit(table, y).validation_scores_
    assert MLPClassifier((6,), scoring=score, **settings).fit(table, y).validation_scores_ == expected


@pytest.mark.parametrize(
    "own, more, what",
    [
        (MLPClassifier, lambda X, y: (X[:, :2], y), "2 features"),
        (MLPClassifier, lambda X, y: (X, y[:9]), "inconsistent"),
        (MLPClassifier, lambda X, y: (X, y + 1), "classes not in"),
        (MLPClassifier, lambda X, y: (X, np.eye(3)[y]), "several labels"),
        (MLPRegressor, lambda X, y: (X, np.c_[y, y]), "y has 2 outputs, but 1 in training"),
    ],
)
def test_what_is_wrong_with_rows_of_ones_own_is_said_of_them(own, more, what):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=what) as caught:
        own(max_iter=1).fit(X, y, eval_set=more(X, y))
    assert caught.value.__notes__ == ["This is said of eval_set."]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads():
    X, y = load_digits(return_X_y=True)
    fitted = [MLPClassifier(max_iter=5, random_state=1, n_threads=n).fit(X, y) for n in (1, 2, 3)]
    for other in fitted[1:]:
        for mine, value in zip(fitted[0].coefs_, other.coefs_):
            assert np.array_equal(mine, value)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_it_can_be_pickled_cloned_searched_and_stored():
    X, y = load_iris(return_X_y=True)
    clf = MLPClassifier((8,), max_iter=30, random_state=0).fit(X, y)
    for again in (pickle.loads(pickle.dumps(clf)), clone(clf).fit(X, y)):
        assert np.array_equal(again.predict_proba(X), clf.predict_proba(X))
    assert joblib.hash(clf) == joblib.hash(pickle.loads(pickle.dumps(clf)))
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(max_iter=30, random_state=0))
    grid = GridSearchCV(pipeline, {"mlpclassifier__hidden_layer_sizes": [(4,), (16,)]}, n_jobs=2, cv=3)
    alone = clone(grid).set_params(n_jobs=None)
    assert np.array_equal(
        grid.fit(X, y).cv_results_["mean_test_score"], alone.fit(X, y).cv_results_["mean_test_score"]
    )
    allowed = (type(None), bool, int, float, str, list, dict, tuple, np.ndarray)
    for name, value in vars(clf).items():
        assert isinstance(value, allowed) or np.isscalar(value), name


def test_skops_trusts_all_but_the_class_itself(tmp_path):
    skops = pytest.importorskip("skops.io")
    X, y = load_iris(return_X_y=True)
    clf = MLPClassifier((8,), solver="lbfgs", random_state=0).fit(X, y)
    data = skops.dumps(clf)
    assert skops.get_untrusted_types(data=data) == ["pullback._mlp.MLPClassifier"]
    again = skops.loads(data, trusted=["pullback._mlp.MLPClassifier"])
    assert np.array_equal(again.predict(X), clf.predict(X))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_early_stopping_keeps_the_best_weights():
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    clf = MLPClassifier(early_stopping=True, random_state=0, max_iter=200).fit(X, y)
    assert clf.best_validation_score_ == max(clf.validation_scores_)
    assert clf.n_iter_ < 200 and clf.best_loss_ is None
    own = MLPClassifier(scoring="neg_log_loss", max_iter=300, random_state=0)
    own.fit(X[:400], y[:400], eval_set=(X[400:], y[400:]))
    from sklearn.metrics import log_loss

    kept = -log_loss(y[400:], own.predict_proba(X[400:]))
    np.testing.assert_allclose(kept, own.best_validation_score_, rtol=1e-6)
    with pytest.raises(ValueError, match="eval_set"):
        own.fit(X, y, eval_set=X)


def test_class_weights_and_sample_weights():
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    settings = dict(hidden_layer_sizes=(5,), solver="lbfgs", random_state=0, max_iter=500)
    repeated = MLPClassifier(**settings, alpha=0.05).set_params(max_iter=5)
    weights = np.where(np.arange(len(X)) % 3 == 0, 2.0, 1.0)
    rows = np.repeat(np.arange(len(X)), weights.astype(int))
    with pytest.warns(ConvergenceWarning):
        by_weight = clone(repeated).fit(X, y, sample_weight=weights)
    with pytest.warns(ConvergenceWarning):
        by_rows = clone(repeated).fit(X[rows], y[rows])
    np.testing.assert_allclose(by_weight.predict_proba(X), by_rows.predict_proba(X), atol=1e-5)
    balanced = MLPClassifier(**settings, class_weight={0: 10.0, 1: 1.0}).fit(X[:, :2], y)
    plain = MLPClassifier(**settings).fit(X[:, :2], y)
    assert np.mean(balanced.predict(X[:, :2]) == 0) > np.mean(plain.predict(X[:, :2]) == 0)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_labels_and_several_outputs():
    X = np.random.RandomState(0).normal(size=(300, 4))
    labels = (X[:, :3] > 0).astype(int)
    clf = MLPClassifier((16,), max_iter=300, random_state=0).fit(X, labels)
    assert clf.predict(X).shape == (300, 3) and clf.score(X, labels) > 0.8
    assert clf.predict_proba(X).shape == (300, 3)
    X, Y = make_regression(200, 5, n_targets=2, random_state=0)
    reg = MLPRegressor(solver="lbfgs", random_state=0, max_iter=300).fit(X, Y)
    assert reg.predict(X).shape == (200, 2) and reg.score(X, Y) > 0.95


@pytest.mark.parametrize("loss, parameter", [("poisson", None), ("huber", 0.5), ("quantile", 0.9), ("gamma", None)])
def test_losses_of_regression(loss, parameter):
    random = np.random.RandomState(0)
    X = random.uniform(-1, 1, size=(500, 2))
    y = random.gamma(2.0, np.exp(X[:, 0]))
    reg = MLPRegressor(loss, (16,), loss_parameter=parameter, max_iter=300, learning_rate_init=0.01, random_state=0)
    reg.fit(X, y)
    if loss == "quantile":
        assert 0.85 < np.mean(y <= reg.predict(X)) < 0.95
    else:
        assert np.corrcoef(reg.predict(X), y)[0, 1] > 0.4


@pytest.mark.parametrize(
    "settings, what",
    [
        ({"solver": "sdg"}, "'solver' parameter of MLPClassifier must be a str among .* Got 'sdg'"),
        ({"alpha": -1}, "'alpha' parameter of MLPClassifier must be a float in the range .* Got -1"),
        ({"activation": ("rleu",)}, "activation='rleu' is not known"),
        ({"hidden_layer_sizes": (3, 4), "activation": np.array(["relu", "tanh"])}, "'activation' parameter"),
        ({"activation": ("relu", "tanh")}, "2 functions for 1 hidden layers"),
        ({"hidden_layer_sizes": (0,)}, "must be > 0"),
        ({"loss": "focal"}, "two classes"),
        ({"n_threads": 0}, r"'n_threads' parameter of MLPClassifier must be an int in the range \[1"),
        ({"n_threads": 10**9}, r"'n_threads' parameter of MLPClassifier must be an int in the range \[1, 1024\]"),
        ({"weight_decay": 0.1}, "not for adam"),
        ({"dtype": "float16"}, "dtype='float16' is not known"),
    ],
)
def test_settings_that_cannot_be_meant_are_named(settings, what):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=what):
        MLPClassifier(**settings).fit(X, y)


@pytest.mark.parametrize("estimator", [MLPClassifier(), MLPRegressor(), TabularClassifier(), TabularRegressor()])
def test_every_parameter_is_checked_by_its_name(estimator):
    check_param_validation(type(estimator).__name__, estimator.set_params(max_iter=1))


def test_numbers_of_numpy_are_settings_too():
    X, y = load_iris(return_X_y=True)
    whole, part = np.int64(3), np.float32(0.5)
    clf = MLPClassifier(whole, max_iter=whole, clip_norm=part, ema=part, alpha=part, batch_size=whole, n_threads=whole)
    assert clf.fit(X, y).n_iter_ == 3
    clf = TabularClassifier(ensemble=whole, max_iter=whole, hidden_layer_sizes=whole, learning_rate_init=part)
    assert clf.fit(X, y).n_networks_ == 3


def test_a_run_that_diverges_is_an_error_with_advice():
    X, y = make_regression(100, 3, random_state=0)
    with pytest.raises(ValueError, match="non-finite.*learning_rate_init"):
        MLPRegressor(solver="sgd", learning_rate_init=1e10, random_state=0).fit(X, y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_further_solvers_schedules_and_layers_learn():
    X, y = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    for settings in (
        {"solver": "adamw", "weight_decay": 0.01, "learning_rate": "cosine"},
        {"solver": "lion", "learning_rate": "one_cycle"},
        {"solver": "muon", "learning_rate_init": 0.02},
        {"solver": "rmsprop", "normalization": "batch"},
        {"normalization": "layer", "dropout": 0.1, "ema": 0.9, "clip_norm": 1.0},
        {"hidden_layer_sizes": (8, 8), "activation": ("gelu", "silu")},
        {"loss": "smoothed"},
    ):
        clf = MLPClassifier(random_state=0, max_iter=300, **({"learning_rate_init": 0.01} | settings))
        assert cross_val_score(clf, X, y, cv=3).mean() > 0.9, settings


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_choice_that_is_listed_can_be_fitted():
    from pullback import _network

    X, y = load_iris(return_X_y=True)
    binary, positive = (y == 1).astype(int), X[:, 0]
    for solver in _network.SOLVERS:
        MLPClassifier((4,), solver=solver, max_iter=2).fit(X, y)
    for rate in _network.SCHEDULES:
        MLPClassifier((4,), learning_rate=rate, max_iter=2).fit(X, y)
    for activation in _network.ACTIVATIONS:
        MLPClassifier((4,), activation=activation, max_iter=2).fit(X, y)
    for loss, (several, one) in _network.CLASSIFIER_LOSSES.items():
        for cost, target in ((several, y), (one, binary)):
            if cost is not None:
                MLPClassifier((4,), loss=loss, max_iter=2).fit(X, target)
    for loss in _network.REGRESSOR_LOSSES:
        MLPRegressor(loss, (4,), max_iter=2).fit(X, positive)
    for normalization in (None, "batch", "layer"):
        MLPClassifier((4,), normalization=normalization, dropout=0.1, max_iter=2).fit(X, y)
