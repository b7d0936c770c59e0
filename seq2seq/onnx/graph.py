"""Building an ONNX graph node by node, with matrix products in float32 or in eight bits.

In eight bits a weight has one scale per column (Jacob et al. 2018). The scale of an activation follows from the bound
of its numbers, not from their measured range: it needs no text for calibration and does not depend on the batch. This
module does not know translation, models or torch.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET, IR = 20, 10
BOOL, FLOAT, LONG, CODE = TensorProto.BOOL, TensorProto.FLOAT, TensorProto.INT64, TensorProto.UINT8
Array = NDArray[Any]
SCALE, ZERO = np.array(1 / 127, np.float32), np.array(128, np.uint8)  # of activations between -1 and 1


class Value(NamedTuple):
    """A result (..., width) of a graph's node or input."""

    name: str
    width: int
    bound: float  # of its numbers' absolute value; 0: not known


class Graph:
    """A graph under construction. Its methods add nodes and return the names of their results.

    Args:
        int8: weights, and activations with a known bound, are quantised to eight bits.
        prefix: of all names; a graph inside another needs its own.
    """

    def __init__(self, int8: bool, prefix: str = "") -> None:
        self.int8, self.prefix = int8, prefix
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self.named: dict[str, str] = {}  # of a result that is an output, the output's name
        self.codes: dict[str, str] = {}  # of a result in float32, the same in eight bits
        self.rows: dict[tuple[str, ...], str] = {}  # of several of these, side by side
        self.parts: dict[str, list[str]] = {}  # of a result of `joined`

    def __call__(self, op: str, *inputs: str | Array, **attributes: Any) -> str:
        """Add a node and return its first result. Arrays among its inputs become constants."""
        return self.several(1, op, *inputs, **attributes)[0]

    def several(self, count: int, op: str, *inputs: str | Array, **attributes: Any) -> list[str]:
        """Add a node and return its `count` results."""
        names = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        results = [f"{self.prefix}{op}.{len(self.nodes)}.{i}" for i in range(count)]
        self.nodes.append(helper.make_node(op, names, results, **attributes))
        return results

    def constant(self, array: Array) -> str:
        """Add a constant."""
        name = f"{self.prefix}constant.{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def weight(self, array: Array) -> str:
        """Add a constant weight that is used as float32; with int8 it is stored in eight bits and dequantised."""
        if not self.int8:
            return self.constant(array)
        last = array.ndim - 1
        quantised, scales = quantise(array.reshape(-1, array.shape[last]))
        return self("DequantizeLinear", quantised.reshape(array.shape), scales, axis=last)

    def input(self, name: str, kind: int, *shape: int | str) -> str:
        """Declare an input; axes of unknown size are letters."""
        self.inputs.append(helper.make_tensor_value_info(self.prefix + name, kind, shape))
        return self.prefix + name

    def output(self, name: str, result: str, kind: int, *shape: int | str) -> None:
        """Declare an output."""
        if result in self.named or not any(result in node.output for node in self.nodes):
            result = self("Identity", result)
        self.named[result] = self.prefix + name  # not a copy: ONNX Runtime would make it
        self.outputs.append(helper.make_tensor_value_info(self.prefix + name, kind, shape))

    def joined(self, *parts: str) -> str:
        """The parts (N, size) side by side."""
        result = self("Concat", *parts, axis=1) if len(parts) > 1 else parts[0]
        self.parts[result] = list(parts)
        return result

    def parted(self, x: str, *sizes: int) -> list[str]:
        """x (N, sum of sizes) in parts (N, size); of what `joined` as many parts, those parts themselves."""
        known = self.parts.get(x, [])
        return known if len(known) == len(sizes) else self.several(len(sizes), "Split", x, numbers(*sizes), axis=1)

    def embed(self, ids: str, table: Array, as_codes: bool = False) -> Value:
        """Look up ids (...) in a table (V, E): (..., E). With `as_codes`, products look up its codes."""
        bound = float(np.abs(table).max())
        result = Value(self("Gather", self.weight(table), ids), table.shape[1], bound)
        if self.int8 and as_codes:
            quantised, scales = quantise(table)
            scaled = quantised.astype(np.float32) * scales * np.float32(1 / bound)
            codes = np.rint(scaled / SCALE).clip(-127, 127) + ZERO
            self.codes[result.name] = self("Gather", codes.astype(np.uint8), ids)
        return result

    def coded(self, x: Value) -> str:
        """x, which has a bound, in eight bits."""
        if x.name not in self.codes:
            scaled = x.name if x.bound == 1 else self("Mul", x.name, np.array(1 / x.bound, np.float32))
            self.codes[x.name] = self("QuantizeLinear", scaled, SCALE, ZERO)  # within -1 and 1
        return self.codes[x.name]

    def linear(self, parts: Sequence[Value], weight: Array, bias: Array) -> str:
        """The parts (N, K), concatenated, times a weight (M, sum of K) transposed, plus a bias (M,): (N, M).

        Eight bits are used where all parts have a known bound.
        """
        bounds = [part.bound for part in parts]
        if not (self.int8 and all(bounds)):
            x = self("Concat", *(part.name for part in parts), axis=1) if len(parts) > 1 else parts[0].name
            return self("Gemm", x, self.weight(weight), bias, transB=1)
        coded = tuple(map(self.coded, parts))
        if coded not in self.rows:
            self.rows[coded] = self("Concat", *coded, axis=1) if len(parts) > 1 else coded[0]
        quantised, scales = quantise(weight.T * np.repeat(bounds, [p.width for p in parts])[:, None])
        x, zeros = self.rows[coded], np.zeros(len(scales), np.int8)
        return self("MatMulIntegerToFloat", x, quantised, SCALE, scales, ZERO, zeros, bias, domain="com.microsoft")

    def inner(self) -> "Graph":
        """An empty graph, for the body of a loop in this one."""
        return Graph(self.int8, f"{self.prefix}{len(self.nodes)}.")

    def proto(self) -> onnx.GraphProto:
        """The graph, as an attribute of a node or as a model's graph; without nodes that nothing reads."""
        nodes, read = list[onnx.NodeProto](), {x.name for x in self.outputs}
        for node in reversed(self.nodes):
            for names in (node.input, node.output):
                names[:] = [self.named.get(name, name) for name in names]
            if read.intersection(node.output):
                nodes.append(node)
                read.update(node.input)
        constants = [x for x in self.constants if x.name in read]
        return helper.make_graph(nodes[::-1], "seq2seq", self.inputs, self.outputs, constants)

    def serialised(self, about: dict[str, str]) -> bytes:
        """The content of a file with this graph and metadata `about` it. The graph is checked."""
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(self.proto(), opset_imports=opsets, ir_version=IR, producer_name="seq2seq")
        helper.set_model_props(model, about)
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())


def quantise(weight: Array) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A weight (K, M) as integers from -127 to 127, and the scale of each column (M,)."""
    scales = np.abs(weight).max(0).clip(1e-12) / 127
    return np.rint(weight / scales).astype(np.int8), scales.astype(np.float32)


def numbers(*values: int) -> NDArray[np.int64]:
    """Axes or sizes as an input of a node."""
    return np.array(values, np.int64)
