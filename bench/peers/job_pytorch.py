"""A whole job by PyTorch: eager, with the fused optimizer. Pixels stay bytes until their batch, as in torchvision."""

import copy
import os

import job
import torch
from torch import nn

torch.set_num_threads(len(os.sched_getaffinity(0)))
torch.manual_seed(job.seed)
training, validation, test, (mean, spread) = job.data()
training, validation, test = (tuple(map(torch.from_numpy, part)) for part in (training, validation, test))

hidden = nn.Linear(training[0].shape[1], job.HIDDEN)
output = nn.Linear(job.HIDDEN, job.CLASSES)
nn.init.kaiming_normal_(hidden.weight, nonlinearity="relu")
nn.init.xavier_uniform_(output.weight)
nn.init.zeros_(hidden.bias)
nn.init.zeros_(output.bias)
network = nn.Sequential(hidden, nn.ReLU(), output)
cost = nn.functional.cross_entropy
optimizer = torch.optim.Adam(network.parameters(), lr=job.LEARNING_RATE, fused=True)
steps = job.EPOCHS * -(-len(training[0]) // job.BATCH)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)


def scaled(images):
    return images.float().sub_(mean).div_(spread)


@torch.inference_mode()
def evaluate(images, classes):
    network.eval()
    z = network(scaled(images))
    network.train()
    return (z.argmax(1) == classes).float().mean().item(), cost(z, classes).item()


images, classes = training
best = float("inf")
for _ in range(job.EPOCHS):
    for rows in torch.randperm(len(images)).split(job.BATCH):
        value = cost(network(scaled(images.index_select(0, rows))), classes.index_select(0, rows))
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        schedule.step()
    _, validation_cost = evaluate(*validation)
    if validation_cost < best:
        best, weights = validation_cost, copy.deepcopy(network.state_dict())
network.load_state_dict(weights)
job.report(*evaluate(*test))
torch.save(weights, job.model_file)
