"""The stubs are those of the extension module, and the package's own types hold."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import pullback

FOLDER = Path(pullback.__file__).parent


@pytest.mark.parametrize(
    "command", [["mypy", "--ignore-missing-imports", "-p", "pullback"], ["mypy.stubtest", "pullback._engine"]]
)
def test_mypy_finds_nothing(command, tmp_path):
    pytest.importorskip("mypy")
    environment = dict(os.environ)
    if FOLDER.parent.name != "site-packages":
        environment |= {"MYPYPATH": str(FOLDER.parent), "PYTHONPATH": str(FOLDER.parent)}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
