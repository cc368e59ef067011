"""Reads a CSV of numbers with pandas and trains a network on it with PyTorch: FILE UNITS BATCH EPOCHS. Prints the accuracy
on the rows that were held out."""

import sys

import pandas
import torch

path, units, batch, epochs = sys.argv[1], *map(int, sys.argv[2:5])
torch.manual_seed(0)
table = pandas.read_csv(path)
order = torch.randperm(len(table))
y = torch.tensor(table.pop("y").to_numpy(), dtype=torch.float32)
x = torch.tensor(table.to_numpy(), dtype=torch.float32)
held_out, rows = order[: len(order) // 5], order[len(order) // 5 :]
x = (x - x[rows].mean(0)) / x[rows].std(0)
network = torch.nn.Sequential(torch.nn.Linear(x.shape[1], units), torch.nn.ReLU(), torch.nn.Linear(units, 1))
cost = torch.nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(network.parameters())
for _ in range(epochs):
    shuffled = rows[torch.randperm(len(rows))]
    for first in range(0, len(rows), batch):
        own = shuffled[first : first + batch]
        optimizer.zero_grad(set_to_none=True)
        cost(network(x[own]).squeeze(1), y[own]).backward()
        optimizer.step()
with torch.no_grad():
    right = (network(x[held_out]).squeeze(1) > 0) == (y[held_out] > 0.5)
torch.save(network.state_dict(), path + ".pt")
print(right.float().mean().item())
