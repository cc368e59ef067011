"""JAX at its best: an epoch is one compiled scan over its batches. `JAX_STEP=1` compiles one step instead."""

import os

import contestant

work, threads = contestant.workload()
os.environ["JAX_PLATFORMS"] = "cpu"
if threads == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"

import jax
import jax.numpy as jnp
from functools import partial

convolutions, inputs = work.get("convolutions", []), work["inputs"]
key = jax.random.PRNGKey(0)
parameters, filters = [], []
if convolutions:
    image = work["image"]
    height, width, channels = image["height"], image["width"], image["channels"]
    for layer in convolutions:
        key, own = jax.random.split(key)
        shape = (layer["size"], layer["size"], channels, layer["filters"])
        bound = (6 / (layer["size"] ** 2 * (channels + layer["filters"]))) ** 0.5
        filters.append((jax.random.uniform(own, shape, minval=-bound, maxval=bound), jnp.zeros(layer["filters"])))
        height, width = ((extent - layer["size"] + 1) // layer["pool"] for extent in (height, width))
        channels = layer["filters"]
    inputs = height * width * channels
sizes = [inputs, *work["hidden"], work["outputs"]]
for inputs, outputs in zip(sizes, sizes[1:]):
    key, own = jax.random.split(key)
    bound = (6 / (inputs + outputs)) ** 0.5
    parameters.append((jax.random.uniform(own, (inputs, outputs), minval=-bound, maxval=bound), jnp.zeros(outputs)))

activation = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu}[work["activation"]]


def convolve(filters, x):
    """Images with their channels last, as XLA has them fastest on a processor."""
    x = x.reshape(-1, image["height"], image["width"], image["channels"])
    for layer, (weight, bias) in zip(convolutions, filters):
        x = jax.lax.conv_general_dilated(x, weight, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        window = (1, layer["pool"], layer["pool"], 1)
        x = jax.lax.reduce_window(activation(x + bias), -jnp.inf, jax.lax.max, window, window, "VALID")
    return x.reshape(len(x), -1)


def cost(parameters, x, t):
    filters, parameters = parameters
    if convolutions:
        x = convolve(filters, x)
    for weight, bias in parameters[:-1]:
        x = activation(x @ weight + bias)
    weight, bias = parameters[-1]
    z = x @ weight + bias
    if work["cost"] == "softmax_cross_entropy":
        value = -(t * jax.nn.log_softmax(z)).sum() / len(x)
    else:
        value = (jnp.maximum(z, 0) - z * t + jnp.log1p(jnp.exp(-jnp.abs(z)))).sum() / len(x)
    if work["l2"]:
        value += work["l2"] / 2 * sum((weight**2).sum() for weight, _ in [*filters, *parameters])
    return value


rate = contestant.learning_rate(work)
tree = jax.tree_util.tree_map


def start(parameters):
    zeros = lambda: tree(jnp.zeros_like, parameters)
    return {"sgd": (), "momentum": (zeros(),), "adam": (zeros(), zeros(), jnp.zeros(()))}[work["optimizer"]]


def step(carry, batch):
    parameters, state = carry
    value, gradient = jax.value_and_grad(cost)(parameters, *batch)
    if work["optimizer"] == "sgd":
        parameters = tree(lambda w, g: w - rate * g, parameters, gradient)
    elif work["optimizer"] == "momentum":
        velocity = tree(lambda v, g: 0.9 * v + g, state[0], gradient)
        parameters = tree(lambda w, v: w - rate * v, parameters, velocity)
        state = (velocity,)
    else:
        first, second, steps = state
        steps = steps + 1
        first = tree(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
        second = tree(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
        correction_1, correction_2 = 1 - 0.9**steps, 1 - 0.999**steps
        parameters = tree(
            lambda w, m, v: w - rate * (m / correction_1) / (jnp.sqrt(v / correction_2) + 1e-8),
            parameters,
            first,
            second,
        )
        state = (first, second, steps)
    return (parameters, state), value


features, classes = contestant.data(work)
shape = (work["batches"], work["batch"], -1)
batches = (jnp.asarray(features.reshape(shape)), jnp.asarray(contestant.targets(work, classes).reshape(shape)))
parameters = (filters, parameters)
carry = (parameters, start(parameters))

if os.environ.get("JAX_STEP"):
    compiled = jax.jit(step, donate_argnums=0)
    each = [(batches[0][i], batches[1][i]) for i in range(work["batches"])]

    def epochs(count):
        global carry
        for _ in range(count):
            for batch in each:
                carry, value = compiled(carry, batch)
        return float(value)

else:

    @partial(jax.jit, donate_argnums=0)
    def epoch(carry, batches):
        carry, values = jax.lax.scan(step, carry, batches)
        return carry, values[-1]

    def epochs(count):
        global carry
        for _ in range(count):
            carry, value = epoch(carry, batches)
        return float(value)


contestant.serve(work, epochs)
