"""What scikit-learn builds of estimators is built of ours: pipelines, ensembles, searches, routing, other processes."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import sklearn
from scipy.stats import loguniform
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import AdaBoostClassifier, BaggingRegressor, StackingClassifier, VotingClassifier
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_validate,
    learning_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

from pullback import MLPClassifier, MLPRegressor, TabularClassifier, TabularRegressor

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::pullback.DataWarning"),
]

CLASSIFIERS = [
    MLPClassifier((16,), max_iter=60, learning_rate_init=0.02, random_state=0),
    TabularClassifier(fast=True, max_iter=20, random_state=0),
]
REGRESSORS = [
    make_pipeline(
        StandardScaler(), MLPRegressor(hidden_layer_sizes=(8,), max_iter=100, learning_rate_init=0.02, random_state=0)
    ),
    TabularRegressor(fast=True, max_iter=60, random_state=0),
]


def frame():
    """Iris as a table with a column of texts that tells one class."""
    pytest.importorskip("pandas")
    X, y = load_iris(return_X_y=True, as_frame=True)
    return X.assign(kind=np.where(y > 0, "large", "small")), y


def test_a_pipeline_hands_on_names():
    X, y = frame()
    encoder = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["kind"]), (StandardScaler(), make_column_selector(dtype_include="number"))
    )
    pipeline = make_pipeline(encoder, CLASSIFIERS[0]).set_output(transform="pandas").fit(X, y)
    assert pipeline.score(X, y) > 0.9
    assert list(pipeline[-1].feature_names_in_) == list(pipeline[:-1].get_feature_names_out())


@pytest.mark.parametrize("clf", CLASSIFIERS)
def test_classifiers_are_members_of_others(clf):
    X, y = load_iris(return_X_y=True)
    for built in (
        CalibratedClassifierCV(clf, cv=3),
        VotingClassifier([("own", clf), ("other", LogisticRegression(max_iter=1000))], voting="soft"),
        StackingClassifier([("own", clf)], cv=3),
        OneVsRestClassifier(clf),
        AdaBoostClassifier(clf, n_estimators=2),
        make_pipeline(make_union(PCA(2), PolynomialFeatures(2)), StandardScaler(), clf),
    ):
        assert built.fit(X, y).score(X, y) > 0.85, built


@pytest.mark.parametrize("clf", CLASSIFIERS)
def test_classifiers_are_validated_and_inspected(clf):
    X, y = frame()
    probabilities = cross_val_predict(clf, X, y, method="predict_proba", n_jobs=2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-6)
    assert np.array_equal(probabilities, cross_val_predict(clf, X, y, method="predict_proba"))
    sizes, train, test = learning_curve(clf, X, y, cv=3, shuffle=True, random_state=0, train_sizes=[0.5, 1.0])
    assert list(sizes) == [50, 100] and test.mean() > 0.6
    clf = clf.fit(X, y)
    importance = permutation_importance(clf, X, y, n_repeats=3, random_state=0).importances_mean
    assert importance.shape == (5,) and importance.max() > 0.1
    curve = partial_dependence(clf, X, ["kind"], categorical_features=["kind"])["average"]
    assert curve.shape == (3, 2) and abs(curve[0, 0] - curve[0, 1]) > 0.01


@pytest.mark.parametrize("reg", REGRESSORS)
def test_regressors_are_members_of_others(reg):
    X, y = load_diabetes(return_X_y=True)
    target = (y - y.mean()) / y.std()
    bagged = BaggingRegressor(reg, n_estimators=3, n_jobs=2, random_state=0).fit(X, target)
    assert bagged.score(X, target) > 0.2
    assert TransformedTargetRegressor(reg, transformer=StandardScaler()).fit(X, y).score(X, y) > 0.3
    for several in (MultiOutputRegressor(reg), RegressorChain(reg)):
        assert several.fit(X, np.c_[target, -target]).score(X, np.c_[target, -target]) > 0.3


def test_searches_draw_settings():
    X, y = load_iris(return_X_y=True)
    drawn = {"alpha": loguniform(1e-5, 1), "hidden_layer_sizes": [(4,), (8, 8)]}
    search = RandomizedSearchCV(CLASSIFIERS[0], drawn, n_iter=3, cv=3, random_state=0, n_jobs=2).fit(X, y)
    assert search.best_score_ > 0.8
    assert GridSearchCV(CLASSIFIERS[1], {"max_iter": [2, 20]}, cv=3).fit(X, y).best_params_ == {"max_iter": 20}


@pytest.mark.parametrize("clf", CLASSIFIERS)
def test_weights_are_routed(clf):
    X, y = load_iris(return_X_y=True)
    weights = np.where(y == 2, 0.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        asks = sklearn.base.clone(clf).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), asks)
        pipeline.fit(X, y, sample_weight=weights)
        assert 2 not in pipeline.predict(X)
        scores = cross_validate(pipeline, X, y, params={"sample_weight": weights})["test_score"]
        assert scores.mean() > 0.9
        if isinstance(clf, MLPClassifier):
            asks.set_fit_request(eval_set=True)
            pipeline.fit(X, y, sample_weight=weights, eval_set=(X, y))
            assert len(pipeline[-1].validation_scores_) == pipeline[-1].n_iter_


@pytest.mark.parametrize("clf", CLASSIFIERS)
def test_another_process_predicts_the_same_bits(clf, tmp_path):
    X, y = frame()
    clf = sklearn.base.clone(clf).fit(X, y)
    (tmp_path / "both.pkl").write_bytes(pickle.dumps((clf, X)))
    program = (
        "import pickle, sys; clf, X = pickle.load(open(sys.argv[1], 'rb'));"
        "print(clf.predict_proba(X).astype('<f8').tobytes().hex())"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "both.pkl"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == clf.predict_proba(X).astype("<f8").tobytes().hex()
