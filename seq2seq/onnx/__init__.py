"""A model without torch: exported as ONNX graphs, computed by ONNX Runtime.

Other rooms use `export` (a trained model to graphs, in float32 or int8) and `runtime` (the engine that runs them).
`graph` builds ONNX graphs node by node, `layers` and `attention` the nodes of a model's layers and contexts; `names`
has the names of the graphs' inputs and outputs.
"""
