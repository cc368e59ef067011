"""A whole job by PyTorch: eager, with the fused optimizer. Pixels stay bytes until their batch, as in torchvision."""

import copy
import os

import job
import torch
from torch import nn

torch.set_num_threads(len(os.sched_getaffinity(0)))
torch.manual_seed(job.seed)
images, classes = job.read("train")
rows, held_out = job.hold_out(classes)
mean, spread = job.mean_and_spread(images, rows)
images, classes, rows, held_out = map(torch.from_numpy, (images, classes, rows, held_out))

hidden = nn.Linear(images.shape[1], job.HIDDEN)
output = nn.Linear(job.HIDDEN, job.CLASSES)
nn.init.kaiming_normal_(hidden.weight, nonlinearity="relu")
nn.init.xavier_uniform_(output.weight)
nn.init.zeros_(hidden.bias)
nn.init.zeros_(output.bias)
network = nn.Sequential(hidden, nn.ReLU(), output)
cost = nn.functional.cross_entropy
optimizer = torch.optim.Adam(network.parameters(), lr=job.LEARNING_RATE, fused=True)
steps = job.EPOCHS * -(-len(rows) // job.BATCH)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)


def scaled(images):
    return images.float().sub_(mean).div_(spread)


@torch.inference_mode()
def evaluate(images, classes):
    network.eval()
    z = network(scaled(images))
    network.train()
    return (z.argmax(1) == classes).float().mean().item(), cost(z, classes).item()


validation = images[held_out], classes[held_out]
best = float("inf")
for _ in range(job.EPOCHS):
    for batch in rows[torch.randperm(len(rows))].split(job.BATCH):
        value = cost(network(scaled(images.index_select(0, batch))), classes.index_select(0, batch))
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        schedule.step()
    _, validation_cost = evaluate(*validation)
    if validation_cost < best:
        best, weights = validation_cost, copy.deepcopy(network.state_dict())
network.load_state_dict(weights)
job.report(*evaluate(*map(torch.from_numpy, job.read("t10k"))))
torch.save(weights, job.model_file)
