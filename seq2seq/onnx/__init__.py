"""A model without torch: exported as ONNX graphs, computed by ONNX Runtime.

Other rooms use `export` (a trained model to graphs, in float32 or int8) and `runtime` (the engine that runs them).
`graph` builds ONNX graphs node by node, `layers`, `attention` and `copying` the nodes of a model's layers, contexts and
mixture; `names` has the names of the inputs and outputs, and `nearest_neighbour` the use of a translation memory.
"""
