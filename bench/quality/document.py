"""Writes docs/quality.md from results.jsonl: document.py DATA"""

import json
import sys
import tomllib
from pathlib import Path

import table

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs" / "quality.md"
RESULTS = HERE / "results.jsonl"
REFERENCE = "fast"
LARGEST, SMALL = 9000, 1800
PEERS = {
    "linear": "linear model (scikit-learn)",
    "mlp": "MLP (scikit-learn)",
    "lightgbm": "LightGBM",
    "catboost": "CatBoost",
    "realmlp": "RealMLP-TD (pytabkit)",
}


def ratios(rows, manifest, contestants, words, sets):
    """Ratios of geometric means to the reference, over the sets that all contestants have, and processor seconds."""
    rows = [row for row in rows if row["split"] == 0 and row["set"] in sets]
    _, means = table.collect(rows, manifest, contestants=contestants)
    lines = ["| | error | log loss | 1 - AUC | RMSE | processor s |", "| --- | --- | --- | --- | --- | --- |"]
    for who in contestants:
        cells = []
        for metric in ("error", "log_loss", "auc", "nrmse"):
            by = {name: [1 - x if metric == "auc" else x for x in found.values()]
                  for name, found in means.get(metric, {}).items()}
            has_both = who in by and REFERENCE in by
            cells.append(f"{table.shifted(by[who]) / table.shifted(by[REFERENCE]):.3f}" if has_both else "")
        seconds = sum(means.get("cpu", {}).get(who, {}).values())
        lines.append(f"| {words[who]} | {' | '.join(cells)} | {seconds:.0f} |")
    return "\n".join(lines)


def main():
    manifest = json.loads((Path(sys.argv[1]) / "manifest.json").read_text())
    variants = tomllib.loads((HERE / "variants.toml").read_text())
    rows = table.read([RESULTS])
    measured = {row["contestant"] for row in rows}
    words = {name: variant["says"] for name, variant in variants.items()} | PEERS
    sets = {
        "tiny": [name for name, entry in manifest.items() if entry["rows"] <= SMALL],
        "small": [name for name, entry in manifest.items() if entry["rows"] <= LARGEST],
        "large": [name for name, entry in manifest.items() if entry["rows"] > LARGEST],
    }
    slow = ("catboost", "realmlp")  # only run where rows are few
    sides = ["fast", "default", *(name for name in PEERS if name in measured and name not in slow)]
    beside_slow = [*sides, *(name for name in slow if name in measured)]
    show = lambda contestants, which: ratios(rows, manifest, contestants, words, sets[which])
    PAGE.write_text(f"""# How good the models are

{len(manifest)} real tables that ship in packages, each split once into 80 and 20 %: two classes, more classes, and
numbers to predict. Figures are ratios of geometric means over the sets (of the error rate, the log loss, 1 - AUC, and
the RMSE over the targets' deviation, each plus 0.01) to those of `pullback train --fast`, one network: below 1 is
better. All were found by scikit-learn from what `predict` writes. Every program has its defaults. Processor time is
that of training, of Pullback on one thread.

`bench/quality/measure BINARY` measures what `bench/quality/results.jsonl` lacks, and writes this page.

## Up to {LARGEST} rows: {len(sets["small"])} sets

{show(sides, "small")}

## Up to {SMALL} rows: {len(sets["tiny"])} sets

{show(beside_slow, "tiny")}

## More than {LARGEST} rows: {len(sets["large"])} sets

{show(sides, "large")}

## What each part does

The sets up to {LARGEST} rows; all but what is said is as in the defaults.

{show([name for name in variants if name in measured], "small")}
""")


if __name__ == "__main__":
    main()
