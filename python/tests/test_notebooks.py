"""The notebooks run from their first cell to their last."""

from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    if path.stem == "search":
        pytest.importorskip("distributed")
        pytest.importorskip("ray")
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    last = codes[-1].outputs[-1]
    assert "text/plain" in last["data"]
    if path.stem in ("estimators", "search"):
        assert last["data"]["text/plain"] == "True"
    if path.stem == "explain":
        assert "<iframe" in codes[1].outputs[-1]["data"]["text/html"]


def test_there_are_three():
    assert [path.stem for path in NOTEBOOKS] == ["estimators", "explain", "search"]
