"""Callbacks for scikit-learn's protocol that write a run to TensorBoard, MLflow or Weights & Biases.

What they need is imported when they are used: `from pullback.callbacks import TensorBoardLog` needs none of them.
"""


class _Log:
    """Writes the figures of each epoch; a subclass says where to."""

    def setup(self, estimator, context):
        self._open(estimator)

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        curve = getattr(estimator, "loss_curve_", None)
        if context.task_name != "iteration" or not curve:
            return False
        figures = {"loss": curve[-1]}
        scores = getattr(estimator, "validation_scores_", None)
        if scores:
            figures["validation_score"] = scores[-1]
        self._write(figures, len(curve))
        return False

    def teardown(self, estimator, context):
        self._close()

    def __getstate__(self):
        # A copy in another process opens its own.
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


class TensorBoardLog(_Log):
    """Writes loss and validation score of each epoch to a folder that TensorBoard shows.

    Parameters
    ----------
    log_dir : str
        The folder.
    """

    def __init__(self, log_dir):
        self.log_dir = log_dir

    def _open(self, estimator):
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._event, self._summary = Event, Summary
        self._writer = EventFileWriter(str(self.log_dir))

    def _write(self, figures, epoch):
        import time

        values = [self._summary.Value(tag=name, simple_value=value) for name, value in figures.items()]
        event = self._event(wall_time=time.time(), step=epoch, summary=self._summary(value=values))
        self._writer.add_event(event)

    def _close(self):
        if hasattr(self, "_writer"):
            self._writer.close()


class MLflowLog(_Log):
    """Logs loss and validation score of each epoch, and the estimator's parameters, to MLflow: to the active run, or to a
    run of its own where none is active."""

    def _open(self, estimator):
        import mlflow

        self._mlflow = mlflow
        self._is_own = mlflow.active_run() is None
        if self._is_own:
            mlflow.start_run()
        mlflow.log_params(estimator.get_params(deep=False))

    def _write(self, figures, epoch):
        self._mlflow.log_metrics(figures, step=epoch)

    def _close(self):
        if getattr(self, "_is_own", False):
            self._mlflow.end_run()


class WandbLog(_Log):
    """Logs loss and validation score of each epoch, and the estimator's parameters, to Weights & Biases: to the active run,
    or to a run of its own where none is active.

    Parameters
    ----------
    **settings : object
        What `wandb.init` takes, for a run of its own.
    """

    def __init__(self, **settings):
        self.settings = settings

    def _open(self, estimator):
        import wandb

        self._is_own = wandb.run is None
        self._run = wandb.init(**self.settings) if self._is_own else wandb.run
        self._run.config.update(estimator.get_params(deep=False), allow_val_change=True)

    def _write(self, figures, epoch):
        self._run.log({**figures, "epoch": epoch})

    def _close(self):
        if getattr(self, "_is_own", False):
            self._run.finish()
