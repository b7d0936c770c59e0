"""An ONNX graph, gathered node by node, whose products with weights may take numbers of eight bits.

In eight bits a weight has a scale a column (Jacob et al. 2018). An activation has a scale that follows from how large
it can be, not from how large it is: no text is needed to calibrate it, and a batch changes nothing. This module knows
nothing of translation.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET, IR = 20, 10
BOOL, FLOAT, LONG = TensorProto.BOOL, TensorProto.FLOAT, TensorProto.INT64
Array = NDArray[Any]


class Value(NamedTuple):
    """A result (N, width) in a graph by its name, and how large its numbers can be; 0: nobody knows."""

    name: str
    width: int
    bound: float


class Graph:
    """Nodes and constants, gathered one by one; a result is known by its name."""

    def __init__(self, int8: bool, prefix: str = "") -> None:
        self.int8, self.prefix = int8, prefix
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []

    def __call__(self, op: str, *inputs: str | Array, **attributes: Any) -> str:
        """The result of a new node, the first where there are several; arrays among its inputs become constants."""
        return self.several(1, op, *inputs, **attributes)[0]

    def several(self, count: int, op: str, *inputs: str | Array, **attributes: Any) -> list[str]:
        """The results of a new node."""
        names = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        results = [f"{self.prefix}{op}.{len(self.nodes)}.{i}" for i in range(count)]
        self.nodes.append(helper.make_node(op, names, results, **attributes))
        return results

    def constant(self, array: Array) -> str:
        """A new constant."""
        name = f"{self.prefix}constant.{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def weight(self, array: Array) -> str:
        """A matrix of weights; it takes a quarter of the room on disk in a graph of eight bits."""
        if not self.int8:
            return self.constant(array)
        last = array.ndim - 1
        quantised, scales = quantise(array.reshape(-1, array.shape[last]))
        return self("DequantizeLinear", quantised.reshape(array.shape), scales, axis=last)

    def input(self, name: str, kind: int, *shape: int | str) -> str:
        """Declare an input; unknown axes are letters."""
        self.inputs.append(helper.make_tensor_value_info(self.prefix + name, kind, shape))
        return self.prefix + name

    def output(self, name: str, result: str, kind: int, *shape: int | str) -> None:
        """Declare an output."""
        self.nodes.append(helper.make_node("Identity", [result], [self.prefix + name]))
        self.outputs.append(helper.make_tensor_value_info(self.prefix + name, kind, shape))

    def embed(self, ids: str, table: Array) -> Value:
        """Ids (..) to their rows (.., E) of a table (V, E)."""
        return Value(self("Gather", self.weight(table), ids), table.shape[1], float(np.abs(table).max()))

    def linear(self, parts: Sequence[Value], weight: Array, bias: Array) -> str:
        """The parts (N, K) side by side, times a weight (M, all K), plus a bias (M,): (N, M)."""
        bounds = [part.bound for part in parts]
        if not (self.int8 and all(bounds)):
            x = self("Concat", *(part.name for part in parts), axis=1) if len(parts) > 1 else parts[0].name
            return self("Gemm", x, self.weight(weight), bias, transB=1)
        within = [p.name if p.bound == 1 else self("Mul", p.name, np.array(1 / p.bound, np.float32)) for p in parts]
        x = self("Concat", *within, axis=1) if len(parts) > 1 else within[0]
        step, middle = np.array(1 / 127, np.float32), np.array(128, np.uint8)
        quantised, scales = quantise(weight.T * np.repeat(bounds, [p.width for p in parts])[:, None])
        x = self("QuantizeLinear", x, step, middle)
        ends = np.zeros(len(scales), np.int8)
        return self("MatMulIntegerToFloat", x, quantised, step, scales, middle, ends, bias, domain="com.microsoft")

    def inner(self) -> "Graph":
        """An empty graph, to become the body of a loop in this one."""
        return Graph(self.int8, f"{self.prefix}{len(self.nodes)}.")

    def proto(self) -> onnx.GraphProto:
        """The graph as a node holds it, or a model."""
        return helper.make_graph(self.nodes, "seq2seq", self.inputs, self.outputs, self.constants)

    def serialised(self, about: dict[str, str]) -> bytes:
        """The graph as a file holds it, with words about it."""
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(self.proto(), opset_imports=opsets, ir_version=IR, producer_name="seq2seq")
        helper.set_model_props(model, about)
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())


def quantise(weight: Array) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A weight (K, M) as whole numbers from -127 to 127, and the scale of each column (M,)."""
    scales = np.abs(weight).max(0).clip(1e-12) / 127
    return np.rint(weight / scales).astype(np.int8), scales.astype(np.float32)


def numbers(*values: int) -> NDArray[np.int64]:
    """Axes or sizes, as nodes take them."""
    return np.array(values, np.int64)
