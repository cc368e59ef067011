"""PyTorch's side of bench/wide: prints the seconds of one epoch.

    wide_pytorch.py FILE UNITS BATCH
"""

import csv
import sys
import time

import torch

path, units, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(1)
torch.manual_seed(0)

with open(path, newline="", encoding="utf-8") as file:
    rows = csv.reader(file)
    columns = len(next(rows)) - 1
    levels = [{} for _ in range(columns)]
    codes, targets = [], []
    for row in rows:
        codes.append([known.setdefault(cell, len(known)) for known, cell in zip(levels, row)])
        targets.append(1.0 if row[-1] == "yes" else 0.0)
sizes = [len(known) for known in levels]
first = torch.tensor([sum(sizes[:column]) for column in range(columns)])
codes = torch.tensor(codes) + first
targets = torch.tensor(targets).unsqueeze(1)
# As many rows as Pullback trains on: a fifth is held out for the test, then 2,000 for validation.
count = len(codes) * 4 // 5 - 2000

bag = torch.nn.EmbeddingBag(sum(sizes), units, mode="sum")
bias = torch.nn.Parameter(torch.zeros(units))
last = torch.nn.Linear(units, 1)
optimizer = torch.optim.Adam([*bag.parameters(), bias, *last.parameters()], lr=0.001)
cost = torch.nn.BCEWithLogitsLoss()

start = time.monotonic()
order = torch.randperm(count)
for at in range(0, count, batch):
    chosen = order[at : at + batch]
    optimizer.zero_grad()
    cost(last(torch.relu(bag(codes[chosen]) + bias)), targets[chosen]).backward()
    optimizer.step()
print(time.monotonic() - start)
