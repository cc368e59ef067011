"""ONNX Runtime predicting, on one thread: `onnx_predict.py SIZES`; see bench/pullback/src/bin/pullback-predict.rs."""

import sys
import time

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def numbers(count, scale):
    return (scale * (np.arange(count) * 7919 % 2003 / 1001.5 - 1.0)).astype(np.float32)


def network(sizes):
    """The same layers as a graph of ONNX: weights are [outputs, inputs], as in Pullback."""
    nodes, tensors, x = [], [], "x"
    for layer, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        tensors.append(numpy_helper.from_array(numbers(outputs * inputs, 0.1).reshape(outputs, inputs), f"w{layer}"))
        tensors.append(numpy_helper.from_array(numbers(outputs, 0.1), f"b{layer}"))
        nodes.append(helper.make_node("Gemm", [x, f"w{layer}", f"b{layer}"], [f"z{layer}"], transB=1))
        is_last = layer + 2 == len(sizes)
        x = "p" if is_last else f"a{layer}"
        nodes.append(helper.make_node("Softmax" if is_last else "Relu", [f"z{layer}"], [x]))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", size])
        for name, size in (("x", sizes[0]), ("p", sizes[-1]))
    ]
    graph = helper.make_graph(nodes, "network", ends[:1], ends[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def main():
    sizes = [int(size) for size in sys.argv[1].split(",")]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = network(sizes).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    for line in sys.stdin:
        rows, seconds = int(line.split()[0]), float(line.split()[1])
        # Bound once, so that a call neither converts nor allocates.
        x = onnxruntime.OrtValue.ortvalue_from_numpy(numbers(rows * sizes[0], 1.0).reshape(rows, sizes[0]))
        p = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros((rows, sizes[-1]), np.float32))
        binding = session.io_binding()
        binding.bind_ortvalue_input("x", x)
        binding.bind_ortvalue_output("p", p)
        session.run_with_iobinding(binding)
        if seconds == 0:
            print(*p.numpy().ravel(), flush=True)
            continue
        calls, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            session.run_with_iobinding(binding)
            calls += 1
        print(calls, time.perf_counter() - start, flush=True)


main()
