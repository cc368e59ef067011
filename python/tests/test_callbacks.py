"""scikit-learn's callbacks, interrupts, forks."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pullback import MLPClassifier, MLPRegressor, TabularClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Counts:
    """A callback that stops after some epochs and remembers what it was told."""

    def __init__(self, most=None):
        self.most, self.begun, self.ended, self.scores = most, 0, 0, []

    def setup(self, estimator, context):
        self.is_open = True

    def on_fit_task_begin(self, estimator, context):
        self.begun += 1

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None, X=None, y=None):
        self.ended += 1
        if context.task_name == "iteration" and fitted_estimator is not None:
            self.scores.append(fitted_estimator.score(X, y))
        return len(self.scores) == self.most

    def teardown(self, estimator, context):
        self.is_open = False


@pytest.mark.parametrize("most, epochs", [(None, 12), (5, 5)])
def test_a_callback_sees_each_epoch_and_may_stop(most, epochs):
    X, y = load_iris(return_X_y=True)
    callback = Counts(most)
    clf = MLPClassifier((8,), max_iter=12, random_state=0).set_callbacks(callback).fit(X, y)
    assert clf.n_iter_ == epochs == len(callback.scores)
    assert callback.begun == callback.ended == epochs + 1 and not callback.is_open
    assert callback.scores[-1] == clf.score(X, y)
    assert not [name for name in vars(clf) if "context" in name]


def test_the_callbacks_of_scikit_learn_work(capsys):
    X, y = load_iris(return_X_y=True)
    monitor = ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
    clf = MLPClassifier((8,), max_iter=7, random_state=0)
    clf.set_callbacks(monitor)
    clf.fit(X, y)
    log = monitor.get_logs()
    assert "accuracy" in str(log.data if hasattr(log, "data") else log)
    pytest.importorskip("rich")
    clf.set_callbacks()
    make_pipeline(StandardScaler(), clf).set_callbacks(ProgressBar(max_propagation_depth=2)).fit(X, y)
    MLPRegressor(solver="lbfgs", max_iter=5).set_callbacks(ProgressBar()).fit(X, y)


def test_an_error_in_a_callback_ends_the_run():
    class Fails(Counts):
        def on_fit_task_end(self, estimator, context):
            raise RuntimeError("no room")

    X, y = load_iris(return_X_y=True)
    with pytest.raises(RuntimeError, match="no room"):
        MLPClassifier().set_callbacks(Fails()).fit(X, y)


def test_tensorboard_gets_each_epoch(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from pullback.callbacks import TensorBoardLog

    X, y = load_iris(return_X_y=True)
    clf = MLPClassifier((8,), max_iter=6, random_state=0).set_callbacks(TensorBoardLog(tmp_path)).fit(X, y)
    events = EventAccumulator(str(tmp_path)).Reload().Scalars("loss")
    assert [event.step for event in events] == [1, 2, 3, 4, 5, 6]
    np.testing.assert_allclose([event.value for event in events], clf.loss_curve_, rtol=1e-6)


@pytest.mark.parametrize("is_within", [False, True])
def test_mlflow_gets_each_epoch(is_within, tmp_path):
    """MLflow is too large to be among the packages for testing: this runs where it is installed."""
    mlflow = pytest.importorskip("mlflow")
    from pullback.callbacks import MLflowLog

    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/runs.db")
    X, y = load_iris(return_X_y=True)
    clf = MLPClassifier((8,), max_iter=6, early_stopping=True, random_state=0).set_callbacks(MLflowLog())
    if is_within:
        with mlflow.start_run():
            clf.fit(X, y)
            assert mlflow.active_run() is not None
    else:
        clf.fit(X, y)
    assert mlflow.active_run() is None
    client = mlflow.MlflowClient()
    (run,) = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
    assert run.info.status == "FINISHED" and run.data.params["solver"] == "adam"
    for name, expected in (("loss", clf.loss_curve_), ("validation_score", clf.validation_scores_)):
        history = client.get_metric_history(run.info.run_id, name)
        assert [(metric.step, metric.value) for metric in history] == list(enumerate(expected, 1))


@pytest.mark.parametrize("is_within", [False, True])
def test_weights_and_biases_gets_each_epoch(is_within, tmp_path):
    """Its package is too large to be among those for testing: this runs where it is installed, without a network."""
    wandb = pytest.importorskip("wandb")
    from pullback.callbacks import WandbLog

    X, y = load_iris(return_X_y=True)
    settings = {"mode": "offline", "dir": str(tmp_path), "config": {"note": "mine"}}
    written = []
    clf = MLPClassifier((8,), max_iter=6, random_state=0).set_callbacks(WandbLog(**settings))
    with pytest.MonkeyPatch.context() as patch:
        own = wandb.Run.log
        patch.setattr(wandb.Run, "log", lambda run, data, **more: (written.append((run, data)), own(run, data, **more))[1])
        if is_within:
            with wandb.init(**settings) as run:
                clf.fit(X, y)
                assert wandb.run is run and run.summary["loss"] == clf.loss_
        else:
            clf.fit(X, y)
    assert wandb.run is None and len({id(run) for run, _ in written}) == 1
    assert [(data["epoch"], data["loss"]) for _, data in written] == list(enumerate(clf.loss_curve_, 1))
    assert written[0][0].config["note"] == "mine" and written[0][0].config["solver"] == "adam"
    (records,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    assert b"loss" in records.read_bytes()


@pytest.mark.parametrize(
    "estimator",
    [
        MLPClassifier((512, 512), max_iter=10**6, tol=0.0, n_iter_no_change=10**6, n_threads=1),
        TabularClassifier(hidden_layer_sizes=(512, 512), ensemble=2, max_iter=10**6, n_threads=1),
        TabularClassifier(time="1h", n_threads=2),
    ],
    ids=["one network", "ensemble", "candidates"],
)
def test_an_interrupt_leaves_a_fitted_estimator(estimator):
    X = np.random.RandomState(0).normal(size=(20000, 64)).astype(np.float32)
    y = (X[:, 0] > 0).astype(int)
    # What was started in the background of a script ignores interrupts, and would train for ever.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    start = time.monotonic()
    try:
        with pytest.warns(UserWarning, match="interrupted"):
            estimator.fit(X, y)
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - start < 60
    assert estimator.predict(X[:3]).shape == (3,)


def test_other_threads_run_meanwhile():
    X = np.random.RandomState(0).normal(size=(5000, 64)).astype(np.float32)
    y = (X[:, 0] > 0).astype(int)
    ticks, over = [], threading.Event()

    def tick():
        while not over.wait(0.01):
            ticks.append(1)

    ticker = threading.Thread(target=tick)
    ticker.start()
    MLPClassifier((128,), max_iter=20, n_threads=1).fit(X, y)
    over.set()
    ticker.join()
    assert len(ticks) >= 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_trains_too():
    program = """
import os
from sklearn.datasets import load_iris
from pullback import MLPClassifier
X, y = load_iris(return_X_y=True)
make = lambda: MLPClassifier((8,), max_iter=5, n_threads=2, random_state=0).fit(X, y)
own = make().coefs_[0].sum()
child = os.fork()
if child == 0:
    os._exit(0 if make().coefs_[0].sum() == own else 1)
assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=120)


def test_threads_obey_the_environment():
    from pullback._threads import thread_count

    program = "from pullback._threads import thread_count; print(thread_count(None))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "1"
    assert thread_count(3) == 3
