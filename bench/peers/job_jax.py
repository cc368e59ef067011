"""A whole job by JAX: an epoch is one compiled loop of donated buffers, whose batches are gathered inside it.

Shuffles are NumPy's: JAX's own take longer to compile than they save. Like most input pipelines for compiled
steps it drops what is left of an epoch after the last whole batch, 16 of 58,000 images.
"""

import os
from functools import partial

import job
import numpy

os.environ["JAX_PLATFORMS"] = "cpu"
if len(os.sched_getaffinity(0)) == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"

import jax
import jax.numpy as jnp

tree = jax.tree.map
images, classes = job.read("train")
rows, held_out = job.hold_out(classes)
scale = job.mean_and_spread(images, rows)
steps = len(rows) // job.BATCH


def start():
    """He's normal and Glorot's uniform weights, and Adam's two moments; NumPy's, since compiling takes longer."""
    random = numpy.random.default_rng(job.seed)
    sizes = (images.shape[1], job.HIDDEN, job.CLASSES)
    hidden = random.standard_normal(sizes[:2], numpy.float32) * (2 / sizes[0]) ** 0.5
    output = (2 * random.random(sizes[1:], numpy.float32) - 1) * (6 / (sizes[1] + sizes[2])) ** 0.5
    weights = [weight.astype(numpy.float32) for weight in (hidden, output)]
    parameters = [(weight, numpy.zeros(weight.shape[1], numpy.float32)) for weight in weights]
    return parameters, tree(numpy.zeros_like, parameters), tree(numpy.zeros_like, parameters)


def weighted_sums(parameters, images, scale):
    mean, spread = scale
    x = (images.astype(jnp.float32) - mean) / spread
    (weight, bias), (output_weight, output_bias) = parameters
    return jax.nn.relu(x @ weight + bias) @ output_weight + output_bias


def cost(parameters, images, classes, scale):
    z = weighted_sums(parameters, images, scale)
    return -jnp.take_along_axis(jax.nn.log_softmax(z), classes[:, None], axis=1).mean()


@partial(jax.jit, donate_argnums=0)
def epoch(state, number, order, images, classes, scale):
    """One pass over the images in the given order, `[steps, batch]`."""

    def step(state, now):
        parameters, first, second = state
        done, rows = now
        gradient = jax.grad(cost)(parameters, images[rows], classes[rows], scale)
        first = tree(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
        second = tree(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
        rate = job.LEARNING_RATE * 0.5 * (1 + jnp.cos(jnp.pi * done / (job.EPOCHS * steps - 1)))
        correction_1, correction_2 = 1 - 0.9 ** (done + 1), 1 - 0.999 ** (done + 1)
        parameters = tree(
            lambda w, m, v: w - rate * (m / correction_1) / (jnp.sqrt(v / correction_2) + 1e-8),
            parameters,
            first,
            second,
        )
        return (parameters, first, second), None

    return jax.lax.scan(step, state, (number * steps + jnp.arange(steps), order))[0]


@jax.jit
def evaluate(parameters, images, classes, scale):
    z = weighted_sums(parameters, images, scale)
    return (z.argmax(1) == classes).mean(), cost(parameters, images, classes, scale)


validation = images[held_out], classes[held_out]
images, classes = map(jax.device_put, (images, classes))
state = start()
shuffle = numpy.random.default_rng(job.seed)
best = float("inf")
for number in range(job.EPOCHS):
    order = shuffle.permutation(rows)[: steps * job.BATCH].astype(numpy.int32).reshape(steps, -1)
    state = epoch(state, number, order, images, classes, scale)
    validation_cost = float(evaluate(state[0], *validation, scale)[1])
    if validation_cost < best:
        best, parameters = validation_cost, tree(numpy.array, state[0])

# In pieces of as many images as validation has: nothing new is compiled.
pieces = [values.reshape(-1, job.HELD_OUT, *values.shape[1:]) for values in job.read("t10k")]
results = [evaluate(parameters, *piece, scale) for piece in zip(*pieces)]
job.report(*numpy.mean(results, axis=0))
numpy.savez(job.model_file, *jax.tree.leaves(parameters))
