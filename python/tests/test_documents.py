"""The examples of the README and of docstrings run."""

import doctest
import re
from pathlib import Path

import pullback
import pullback._mlp
import pullback._tabular

README = Path(__file__).parents[1] / "README.md"


def test_the_programs_of_the_readme_run(capsys):
    programs = re.findall(r"```python\n(.*?)```", README.read_text(), re.S)
    assert len(programs) == 3
    exec("\n".join(programs), {})
    lines = capsys.readouterr().out.splitlines()
    assert float(lines[0]) > 0.9 and float(lines[1]) > 0.9
    assert lines[3] == "True" and lines[4] == "(1, 30)"


def test_the_examples_of_docstrings_hold():
    for module in (pullback._mlp, pullback._tabular):
        result = doctest.testmod(module)
        assert result.failed == 0 and result.attempted >= 6


def test_every_parameter_is_documented():
    estimators = pullback.MLPClassifier, pullback.MLPRegressor, pullback.TabularClassifier, pullback.TabularRegressor
    for estimator in estimators:
        for name in estimator().get_params():
            assert re.search(rf"\b{name}\b", estimator.__doc__), (estimator.__name__, name)
