"""Writes docs/quality.md from results.jsonl: document.py DATA"""

import json
import sys
import tomllib
from pathlib import Path

import table

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs" / "quality.md"
RESULTS, OF_FEW = HERE / "results.jsonl", HERE / "few.jsonl"
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


def by_set(rows, metric):
    """The figures of the sets by contestant: {set: {contestant: figure}}."""
    found = {}
    for row in rows:
        if row["split"] == 0 and metric in row:
            found.setdefault(row["set"], {}).setdefault(row["contestant"], row[metric])
    return found


def ranks(rows, contestants, sets):
    """The mean rank of each contestant by error, log loss and RMSE, over the sets that all have."""
    lines = ["| | error | log loss | RMSE |", "| --- | --- | --- | --- |"]
    places = {who: [] for who in contestants}
    for metric in ("error", "log_loss", "nrmse"):
        figures = [by for name, by in by_set(rows, metric).items() if name in sets]
        figures = [by for by in figures if all(who in by for who in contestants)]
        for who in contestants:
            # Of equal figures each has the rank in the middle of theirs.
            rank = lambda by: sum((x < by[who]) + (x == by[who]) / 2 for x in (by[other] for other in contestants))
            places[who].append(sum(map(rank, figures)) / len(figures) + 0.5)
    return lines, places


def rank_table(rows, contestants, words, sets):
    lines, places = ranks(rows, contestants, sets)
    return "\n".join(lines + [f"| {words[who]} | {' | '.join(f'{x:.2f}' for x in places[who])} |" for who in contestants])


def worse(rows, who, metric, sets):
    """Where the defaults are more than a tenth above a contestant, and of how many sets."""
    found = {name: by for name, by in by_set(rows, metric).items() if name in sets and who in by and "default" in by}
    names = [f"{name} ({by['default'] / by[who]:.2f})" for name, by in found.items() if by["default"] > 1.1 * by[who]]
    return f"{len(names)} of {len(found)}{': ' if names else ''}{', '.join(names)}"


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
    slow = ("realmlp",)  # only run where rows are few
    sides = ["fast", "default", *(name for name in PEERS if name in measured and name not in slow)]
    beside_slow = [*sides, *(name for name in slow if name in measured)]
    show = lambda contestants, which: ratios(rows, manifest, contestants, words, sets[which])
    drawn = json.loads((Path(sys.argv[1]) / "few" / "manifest.json").read_text())
    of_few = table.read([OF_FEW])

    def few(count):
        # Of few rows a target of whole numbers may look like classes.
        is_meant = lambda row: ("nrmse" in row) == (drawn[row["set"]]["task"] == "regression")
        meant = {row["set"] for row in of_few if row["contestant"] == "default" and "failed" not in row and is_meant(row)}
        sets = [name for name, entry in drawn.items() if entry["rows"] == count and name in meant]
        return f"### {count} rows: {len(sets)} sets\n\n{ratios(of_few, drawn, sides, words, sets)}\n"

    PAGE.write_text(f"""# How good the models are

{len(manifest)} real tables that ship in packages, each split once into 80 and 20 %: two classes, more classes, and
numbers to predict. Figures are ratios of geometric means over the sets (of the error rate, the log loss, 1 - AUC, and
the RMSE over the targets' deviation, each plus 0.01) to those of `pullback train --fast`, one network: below 1 is
better. All were found by scikit-learn from what `predict` writes. Every program has its defaults. Processor time is
that of training on one thread, on one machine (AMD EPYC, Zen 5); RealMLP's is of another one, which was slower.

`bench/quality/measure BINARY` measures what `results.jsonl` and `few.jsonl` beside it lack, and writes this page.

## Up to {LARGEST} rows: {len(sets["small"])} sets

{show(sides, "small")}

## Up to {SMALL} rows: {len(sets["tiny"])} sets

{show(beside_slow, "tiny")}

## More than {LARGEST} rows: {len(sets["large"])} sets

{show(sides, "large")}

## Few rows

So many rows of each table were drawn to learn from, and up to 2000 others to test on. Here the others' processor time
was taken beside other work.

{chr(10).join(few(rows) for rows in sorted({entry["rows"] for entry in drawn.values()}))}
## Mean rank

Of the defaults, `--fast` and the others on the sets that all were run on; 1 is the best.

{rank_table(rows, sides, words, sets["small"] + sets["large"])}

With RealMLP, up to {SMALL} rows:

{rank_table(rows, beside_slow, words, sets["tiny"])}

## Where others are better

Sets on which the defaults' figure is more than a tenth above another's (with the ratio):

| | log loss | RMSE |
| --- | --- | --- |
{chr(10).join(f"| {words[who]} | {worse(rows, who, 'log_loss', list(manifest))} | {worse(rows, who, 'nrmse', list(manifest))} |"
              for who in beside_slow[2:])}

## What each part does

The sets up to {LARGEST} rows; all but what is said is as in the defaults.

{show([name for name in variants if name in measured], "small")}
""")


if __name__ == "__main__":
    main()
