"""The examples of the README and of docstrings run."""

import doctest
import re
from pathlib import Path

import pullback
import pullback._mlp

README = Path(__file__).parents[1] / "README.md"


def test_the_programs_of_the_readme_run(capsys):
    programs = re.findall(r"```python\n(.*?)```", README.read_text(), re.S)
    assert len(programs) == 2
    exec("\n".join(programs), {})
    lines = capsys.readouterr().out.splitlines()
    assert float(lines[0]) > 0.9
    assert lines[2] == "True" and lines[3] == "(1, 30)"


def test_the_examples_of_docstrings_hold():
    for module in (pullback, pullback._mlp):
        assert doctest.testmod(module).failed == 0
    assert doctest.testmod(pullback._mlp).attempted >= 6


def test_every_parameter_is_documented():
    for estimator in (pullback.MLPClassifier, pullback.MLPRegressor):
        for name in estimator().get_params():
            assert re.search(rf"\b{name}\b", estimator.__doc__), (estimator.__name__, name)
