"""scikit-learn's own tests of its perceptrons, run with ours in their place."""

import subprocess
import sys
from pathlib import Path

import sklearn

#: What is not run, and why.
LEFT_OUT = {
    "test_gradient": "it calls _loss_grad_lbfgs, which only scikit-learn has",
    "test_fit": "it sets private attributes and steps by hand",
    "test_learning_rate_warmstart": "it reads _optimizer",
    "test_adaptive_learning_rate": "it reads _optimizer",
    "test_lbfgs_classification_maxfun": "max_fun bounds the steps of lbfgs, not how often it looks at the cost",
    "test_sparse_matrices": "sparse matrices are refused",
    "test_early_stopping_stratified": "it reads how scikit-learn writes classes in an error of its own",
}

CONFTEST = """
import pytest

@pytest.fixture
def global_random_seed():
    return 42
"""


def test_they_pass(tmp_path):
    theirs = Path(sklearn.__file__).parent / "neural_network" / "tests" / "test_mlp.py"
    text = theirs.read_text()
    line = "from sklearn.neural_network import MLPClassifier, MLPRegressor"
    assert line in text
    own = tmp_path / "test_theirs.py"
    own.write_text(text.replace(line, "from pullback import MLPClassifier, MLPRegressor"))
    (tmp_path / "conftest.py").write_text(CONFTEST)
    left_out = " and ".join(f"not {name}" for name in LEFT_OUT)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", own.name, "-k", left_out],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    passed = int(done.stdout.rsplit(" passed", 1)[0].split()[-1])
    assert passed >= 45, done.stdout[-500:]
