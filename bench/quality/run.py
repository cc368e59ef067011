"""Trains a pullback binary on all sets; each line of the output file is one model, and table.py reads it.

    run.py DATA PULLBACK --out FILE.jsonl [--variant NAME ...] [--only A,B] [--splits N] [--largest ROWS] [--seeds 0,1]

What stands in the file is not run again. Training has one thread, so that other load does not change the processor time.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd

import metrics

HERE = Path(__file__).resolve().parent
THREADS = ["--threads", "1"]


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def call(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().splitlines()[0] if done.stderr.strip() else "failed")
    return done.stdout


def texts(series):
    """A target column as Pullback names its classes."""
    if pd.api.types.is_numeric_dtype(series):
        return [str(int(x)) if float(x).is_integer() else repr(float(x)) for x in series]
    return [str(x).strip() for x in series]


def run(pullback, files, entry, variant, seed, folder):
    """One contestant on one split: a dictionary of figures, found from what `predict` writes."""
    model, predictions, config = (folder / name for name in ("model.safetensors", "predictions.csv", "job.toml"))
    job = [pullback, "train", files[0], "--target", entry["target"], "--test-data", files[1], "--seed", seed,
           *variant.get("flags", [])]
    if variant.get("one"):
        config.write_text(call(*job, "--print-config"))
        job = [pullback, "train", "--config", config, "--ensemble", "1"]
    begin, used = time.perf_counter(), processor_seconds()
    report = json.loads(call(*job, *THREADS, "--json", "--out", model))
    seconds, cpu = time.perf_counter() - begin, processor_seconds() - used
    call(pullback, "predict", model, files[1], "--probabilities", "--out", predictions)
    table = pd.read_csv(predictions, keep_default_na=False, dtype=str)
    truth, test = pd.read_csv(files[1], low_memory=False)[entry["target"]], report["test"]
    if report["task"] == "regression":
        found = metrics.of_numbers(truth, table.iloc[:, 0].to_numpy(float))
        differ = {"report_differs_by": abs(test["targets"][0]["r2"] - found["r2"])}
    else:
        found = metrics.of_classes(texts(truth), table.iloc[:, 1:].to_numpy(float), [c[2:-1] for c in table.columns[1:]])
        differ = {"report_differs_by": abs(1 - test["accuracy"] - found["error"]),
                  "log_loss_differs_by": abs(test["log_loss"] - found["log_loss"])}
    return {**found, **differ, "task": report["task"], "seconds": seconds, "cpu": cpu}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("pullback")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--variant", action="append")
    parser.add_argument("--only")
    parser.add_argument("--splits", type=int, default=99)
    parser.add_argument("--largest", type=int, default=10**9, help="leave out sets of more rows")
    parser.add_argument("--seeds", default="0")
    options = parser.parse_args()
    manifest = json.loads((options.data / "manifest.json").read_text())
    variants = tomllib.loads((HERE / "variants.toml").read_text())
    rows = [json.loads(line) for line in options.out.read_text().splitlines()] if options.out.exists() else []
    done = {(row["contestant"], row["set"], row["split"], row["seed"]) for row in rows}
    with options.out.open("a") as file:
        for label in options.variant or variants:
            for name, entry in manifest.items():
                if entry["rows"] > options.largest or options.only and name not in options.only.split(","):
                    continue
                for split in range(min(entry["splits"], options.splits)):
                    files = [options.data / name / f"{part}_{split}.csv" for part in ("train", "test")]
                    for seed in map(int, options.seeds.split(",")):
                        if (label, name, split, seed) in done:
                            continue
                        with tempfile.TemporaryDirectory(prefix="quality-") as folder:
                            try:
                                row = run(options.pullback, files, entry, variants[label], seed, Path(folder))
                            except RuntimeError as error:
                                row = {"failed": str(error)}
                                print(f"{label} {name} {split}: {error}", file=sys.stderr)
                        row = {"contestant": label, "set": name, "split": split, "seed": seed, **row}
                        file.write(json.dumps(row) + "\n")
                        file.flush()
            print(f"{label} is measured", file=sys.stderr)


if __name__ == "__main__":
    main()
