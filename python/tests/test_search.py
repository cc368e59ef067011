"""Searches in parallel: equal scores wherever they run, and no more threads than asked."""

import os

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pullback import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore")


def search(**more):
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(max_iter=20, random_state=0))
    return GridSearchCV(pipeline, {"mlpclassifier__hidden_layer_sizes": [(4,), (16,)]}, cv=3, **more)


@pytest.fixture(scope="module")
def expected():
    return search().fit(*load_iris(return_X_y=True)).cv_results_["mean_test_score"]


def test_loky_gives_equal_scores(expected):
    X, y = load_iris(return_X_y=True)
    assert np.array_equal(search(n_jobs=2).fit(X, y).cv_results_["mean_test_score"], expected)


def test_dask_gives_equal_scores(expected):
    distributed = pytest.importorskip("distributed")
    import joblib

    X, y = load_iris(return_X_y=True)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        with distributed.Client(cluster), joblib.parallel_backend("dask"):
            assert np.array_equal(search().fit(X, y).cv_results_["mean_test_score"], expected)


def test_ray_gives_equal_scores(expected):
    ray = pytest.importorskip("ray")
    import joblib
    from ray.util.joblib import register_ray

    X, y = load_iris(return_X_y=True)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        register_ray()
        with joblib.parallel_backend("ray"):
            assert np.array_equal(search().fit(X, y).cv_results_["mean_test_score"], expected)
    finally:
        ray.shutdown()


def threads_of_a_fit(estimator):
    """The most threads of this process while an estimator is fitted, less those there were before."""
    import threading

    def count():
        return len(os.listdir("/proc/self/task"))

    before, most, over = count(), [0], threading.Event()

    def watch():
        while not over.wait(0.001):
            most[0] = max(most[0], count())

    watcher = threading.Thread(target=watch)
    watcher.start()
    X = np.random.RandomState(0).normal(size=(4000, 64))
    estimator.fit(X, (X[:, 0] > 0).astype(int))
    over.set()
    watcher.join()
    return most[0] - before - 1  # the one that watches


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="needs Linux")
@pytest.mark.parametrize("threads", [1, 2])
def test_no_more_threads_work_than_asked(threads):
    estimator = MLPClassifier((256, 256), max_iter=3, n_threads=threads)
    # The thread that calls is one of them. What other libraries begin meanwhile is not begun every time.
    assert min(threads_of_a_fit(estimator) for _ in range(3)) <= threads - 1


def test_weights_and_watched_rows_are_routed():
    X, y = load_iris(return_X_y=True)
    weights = np.where(np.arange(len(y)) % 2, 2.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        clf = MLPClassifier(max_iter=10, random_state=0).set_fit_request(sample_weight=True, eval_set=True)
        clf.set_score_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), clf)
        given = {"sample_weight": weights, "eval_set": (X[:30], y[:30])}
        fitted = pipeline.fit(X, y, **given)[-1]
        alone = clone(clf).fit(StandardScaler().fit_transform(X), y, **given)
        assert all(map(np.array_equal, fitted.coefs_, alone.coefs_)) and len(fitted.validation_scores_) == 10
        routed = cross_validate(pipeline, X, y, params={"sample_weight": weights}, cv=3)
        assert len(routed["test_score"]) == 3
