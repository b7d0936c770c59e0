"""The network: ids to logits, in PyTorch. This room does not know text, and gives no id a special meaning.

Other rooms use `model` (`Model`, `ModelConfig`) and `loss`; a model is built from `embedding`, `encoder`, `attention`
(the contexts), `decoder` and `copying` (the mixture with the source's tokens), and these from `cells`. `products` and
`unrolled` (a GRU over time) are how both compute in training in bfloat16 on a CPU. A new cell is a class in `cells` and
a line of `CELLS`, a new context a class in `attention` and a line of `CONTEXTS`.
"""
