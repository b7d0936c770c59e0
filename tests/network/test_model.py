"""Laws of the model for every cell with every context (pieces, padding, gradients), and the effect of its settings."""

import itertools
from typing import Any

import pytest
import torch
from tiny_models import (
    TINY,
    VOCABULARY,
    close,
    draw,
    every_model,
    gradients,
    logits,
    loss,
    sentences,
    setup,
    shaken,
    teacher_forced,
    tiny,
    together,
)
from torch import Tensor

from seq2seq.config import build
from seq2seq.errors import InputError
from seq2seq.network.model import Model, ModelConfig

tyings = pytest.mark.parametrize("tied", ["none", "target", "all"])


def cuts(tokens: int) -> list[list[int]]:
    """Every way to cut a sequence of so many tokens into pieces, as lists of their lengths."""
    return [[tokens]] + [[first, *rest] for first in range(1, tokens) for rest in cuts(tokens - first)]


@every_model
def test_advancing_in_pieces_equals_advancing_at_once(cell: str, context: str) -> None:
    model, b = tiny(cell, context), together(sentences(tgt=(5, 2, 5, 1)))
    start = model.start(b.src, b.src_mask)
    at_once, after = model.advance(b.tgt_in, start)
    for sizes in cuts(5):
        state, pieces, weights = start, [], []
        for tokens in b.tgt_in.split(sizes, dim=1):
            piece, state = model.advance(tokens, state)
            pieces.append(piece)
            weights.append(state.weights)
        close(torch.cat(pieces, dim=1), at_once)
        close(state._replace(weights=torch.cat(weights, dim=1)), after)


@every_model
def test_padding_and_neighbours_change_nothing(cell: str, context: str) -> None:
    model, pairs = tiny(cell, context), sentences()
    alone = [logits(model, [pair])[0] for pair in pairs]
    for order in itertools.permutations(range(len(pairs))):
        close(logits(model, [pairs[i] for i in order]), [alone[i] for i in order])
    close(logits(model, pairs, padding=7), alone)
    close(logits(model, pairs + sentences((20,), (20,)))[:-1], alone)


@every_model
def test_teacher_forcing_equals_advance_at_the_real_positions(cell: str, context: str) -> None:
    model, b = tiny(cell, context), together(sentences())
    everywhere, _ = model.advance(b.tgt_in, model.start(b.src, b.src_mask))
    forced = teacher_forced(model, b)
    close(forced, everywhere[b.tgt_mask])
    weights, up = list(model.parameters()), draw(*forced.shape)
    close(
        torch.autograd.grad((forced * up).sum(), weights),
        torch.autograd.grad((everywhere[b.tgt_mask] * up).sum(), weights),
    )


@every_model
def test_a_selected_state_equals_the_state_of_the_selected_sentences(cell: str, context: str) -> None:
    model, b, rows = tiny(cell, context), together(sentences()), torch.tensor([3, 1, 1, 0, 2])
    everywhere, after = model.advance(b.tgt_in, model.start(b.src, b.src_mask))
    chosen = model.start(b.src[rows], b.src_mask[rows])
    close(model.start(b.src, b.src_mask).select(rows[:, None]), chosen)
    close(model.advance(b.tgt_in[rows], chosen), (everywhere[rows], after.select(rows[:, None])))


@every_model
def test_directional_finite_differences_agree_with_backpropagation(cell: str, context: str) -> None:
    """Along a direction in each parameter alone, and along three in all parameters at once, all of unit length."""
    model, b, step = tiny(cell, context), together(sentences()), 1e-5
    weights, grads = dict(model.named_parameters()), gradients(model, b)
    directions = {name: draw(*weight.shape, seed=i) for i, (name, weight) in enumerate(weights.items())}
    length = sum(d.square().sum() for d in directions.values()) ** 0.5
    unit_directions = [{name: d / d.norm()} for name, d in directions.items()]
    unit_directions += [{name: d.roll(n) / length for name, d in directions.items()} for n in range(3)]

    def moved(direction: dict[str, Tensor], by: float) -> float:
        with torch.no_grad():
            for name, d in direction.items():
                weights[name] += by * d
            value = loss(model, b).smoothed.item()
            for name, d in direction.items():
                weights[name] -= by * d
        return value

    for direction in unit_directions:
        slope = (moved(direction, step) - moved(direction, -step)) / (2 * step)
        expected = sum((grads[name] * d).sum().item() for name, d in direction.items())
        assert slope == pytest.approx(expected, rel=1e-6, abs=1e-7), list(direction)


@every_model
@tyings
@pytest.mark.parametrize("layers", [1, 2])
def test_every_number_in_the_model_receives_a_gradient(cell: str, context: str, tied: str, layers: int) -> None:
    """Every number and not only every tensor, except rows of absent tokens in a table that is no output layer."""
    model = tiny(cell, context, tied=tied, encoder_layers=layers, decoder_layers=layers)
    b = together(sentences())
    occur = {"src_embedding.table.weight": b.src[b.src_mask]}
    if tied == "none":
        occur["tgt_embedding.table.weight"] = b.tgt_in[b.tgt_mask]
    if tied == "all":
        occur = {}
    for name, grad in gradients(model, b).items():
        used = torch.ones(len(grad), dtype=torch.bool)
        if name in occur:
            used = torch.zeros_like(used).index_fill(0, occur[name], True)
            assert not used.all()
        assert (grad[used] != 0).all(), name
        assert (grad[~used] == 0).all(), name


@tyings
def test_tied_tables_are_one_tensor(tied: str) -> None:
    model = tiny(tied=tied)
    src, tgt, output = model.src_embedding.table.weight, model.tgt_embedding.table.weight, model.output.weight
    assert (output is tgt) == (tied in ("target", "all"))
    assert (src is tgt) == (tied == "all")
    tables = {"none": 3, "target": 2, "all": 1}[tied]
    assert sum(weight.shape == tgt.shape for weight in model.parameters()) == tables

    emptied = model.to_empty(device="cpu")
    emptied.tie()
    assert sum(weight.shape == tgt.shape for weight in emptied.parameters()) == tables


def test_a_target_vocabulary_that_is_part_of_a_shared_table_has_logits_of_that_part_only() -> None:
    """Logits and gradients equal those of the whole table, restricted to the target's tokens."""
    b = together(sentences())
    wide = tiny(tied="all")
    narrow = Model(wide.config, VOCABULARY, 9).double().eval()
    narrow.load_state_dict({name: w[:9] if name == "output.bias" else w for name, w in wide.state_dict().items()})
    batch = b._replace(tgt_in=b.tgt_in % 9)
    actual, expected = (teacher_forced(m, batch) for m in (narrow, wide))
    assert actual.shape[1] == 9
    close(actual, expected[:, :9])
    up = draw(*actual.shape)
    for name, weight in narrow.named_parameters():
        one, other = (
            torch.autograd.grad((x * up).sum(), w, retain_graph=True)[0]
            for x, w in ((actual, weight), (expected[:, :9], wide.get_parameter(name)))
        )
        close(one, other[: len(one)])


def test_the_number_of_parameters() -> None:
    src, tgt, e, h, (forth, back) = 11, 13, 6, 8, (5, 4)
    d = forth + back
    settings = {"embedding": e, "encoder_hidden": (forth, back), "encoder_layers": 3, "hidden": h, "decoder_layers": 4}

    def gru(inputs: int, hidden: int) -> int:
        return 3 * hidden * (inputs + hidden + 2)

    model = Model(ModelConfig("gru", "general", **settings, lexical=True, tied="target"), src, tgt)
    assert sum(weight.numel() for weight in model.parameters()) == sum(
        [
            (src + tgt) * e,  # the tables; the output layer is one of them
            gru(e, forth) + gru(e, back),
            gru(d, forth) * 2 + gru(d, back) * 2,
            (d + 1) * 4 * h,  # the bridge
            h * d,  # the context
            gru(e, h),
            gru(h + d, h) * 3,
            (h + d + e + 1) * e,  # the readout
            (e + 1) * e,  # the lexical layer
            tgt,  # the output's bias
        ]
    )
    b = together([(torch.tensor([10, 3]), torch.tensor([12, 1, 7]))])
    assert teacher_forced(model, b).shape == (2, tgt)


@every_model
def test_tables_start_at_variance_1_over_e_other_matrices_xavier_uniform_biases_zero(cell: str, context: str) -> None:
    """Without the recurrent layers, which test_cells checks."""
    torch.manual_seed(0)
    wide = {"embedding": 32, "encoder_hidden": (32, 32), "hidden": 64, "heads": 4, "attention": 64, "tied": "none"}
    model = Model(ModelConfig(**setup(cell, context), **wide), VOCABULARY * 10, VOCABULARY * 10)
    for name, weight in model.named_parameters():
        bound = (6 / sum(weight.shape)) ** 0.5
        if "kernel" in name:
            continue
        if weight.dim() == 1:
            assert (weight == 0).all(), name
        elif len(weight) == VOCABULARY * 10:
            assert weight.std().item() == pytest.approx(32**-0.5, rel=0.05), name
        else:
            assert 0.9 * bound < weight.abs().max() <= bound, name
            assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.25), name


@every_model
def test_the_same_seed_gives_the_same_model(cell: str, context: str) -> None:
    def drawn(seed: int) -> dict[str, Tensor]:
        torch.manual_seed(seed)
        return Model(ModelConfig(**TINY, **setup(cell, context)), VOCABULARY, VOCABULARY).state_dict()

    torch.testing.assert_close(drawn(1), drawn(1), rtol=0, atol=0)
    other = drawn(2)
    for name, weight in drawn(1).items():
        assert "bias" in name or not torch.equal(weight, other[name]), name


@pytest.mark.parametrize("name", ["dropout", "readout_dropout", "word_dropout"])
@pytest.mark.parametrize("variational", [False, True])
def test_each_dropout_is_applied_in_training_only(name: str, variational: bool) -> None:
    none = {"dropout": 0.0, "readout_dropout": 0.0, "word_dropout": 0.0}
    model = tiny(**{**none, name: 0.5, "variational": variational})
    pairs, ids = sentences(), torch.full((4, 9), 3)
    close(logits(model, pairs), logits(tiny(**none), pairs))

    torch.manual_seed(0)
    model.train()
    assert any(not torch.equal(*twice) for twice in zip(logits(model, pairs), logits(model, pairs), strict=True))
    for embedding in (model.src_embedding, model.tgt_embedding):
        vectors = embedding(ids)
        kept = vectors == vectors[:, :1]
        assert kept.all() == (name == "readout_dropout" or (name == "dropout" and variational))
        assert (vectors == 0).any() == (name != "readout_dropout")
    features = model.decoder.readout_dropout(torch.ones(4, 9, 6))
    assert (features == features[:, :1]).all() == (name != "readout_dropout" or variational)


@pytest.mark.parametrize(
    ("settings", "vocabularies", "words"),
    [
        ({"encoder_hidden": (4, 4, 4)}, (9, 9), ["model.encoder_hidden = [4, 4, 4]", "one size, or one a direction"]),
        ({"encoder_hidden": ()}, (9, 9), ["model.encoder_hidden = []", "one size, or one a direction"]),
        ({"context": "dot", "hidden": 9}, (9, 9), ["model.hidden = 9", "adds up to 8", "take 'general'"]),
        ({"context": "multihead", "heads": 4}, (9, 9), ["model.heads = 4", "model.attention = 6", "choose a divisor"]),
        ({"tied": "all"}, (9, 10), ["model.tied = 'all'", "set tokenizer.joint = true"]),
        ({"copy": True}, (9, 10), ["model.copy = true", "set tokenizer.joint = true"]),
        ({"copy": True, "context": "mean"}, (9, 9), ["model.context = 'mean' does not have", "take 'additive'"]),
        ({"coverage": True, "context": "general"}, (9, 9), ["set model.context = 'additive', not 'general'"]),
    ],
)
def test_settings_that_contradict_each_other_are_refused_in_one_line(
    settings: dict[str, Any], vocabularies: tuple[int, int], words: list[str]
) -> None:
    with pytest.raises(InputError) as refused:
        Model(ModelConfig(**{**TINY, **settings}), *vocabularies)
    assert all(part in str(refused.value) for part in words)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "vocabularies"),
    [
        ({"encoder_hidden": (8,), "context": "dot"}, (9, 9)),
        ({"context": "additive", "heads": 4, "hidden": 9}, (9, 9)),  # heads and size are checked only for multihead
        ({"tied": "all"}, (9, 9)),
        ({"tied": "all"}, (10, 9)),
        ({"tied": "target"}, (9, 10)),
        ({"tied": "none"}, (9, 10)),
    ],
)
def test_settings_that_fit_are_accepted(settings: dict[str, Any], vocabularies: tuple[int, int]) -> None:
    model = shaken(Model(ModelConfig(**{**TINY, **settings}), *vocabularies))
    b = together([(torch.tensor([1, 2]), torch.tensor([3, 4, 5]))])
    assert teacher_forced(model, b).isfinite().all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"cell": "gruu"}, "did you mean 'gru'?"),
        ({"context": "addditive"}, "did you mean 'additive'?"),
        ({"tied": "both"}, "none, target, all"),
        ({"encoder_hidden": [0]}, "from 1 to"),
        ({"dropout": 1.0}, "from 0.0 to 0.95"),
        ({"hiden": 3}, "did you mean 'hidden'?"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match="model") as refused:
        build(ModelConfig, settings, "model")
    assert words in str(refused.value)


@every_model
def test_half_precision_stays_near_single(cell: str, context: str) -> None:
    """bfloat16 keeps 8 bits of a number; the gradient must have nearly the same direction, which training needs."""
    if cell == "lstm" and torch.backends.mkldnn.is_available() and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        pytest.skip("torch has no LSTM in bfloat16 for this processor")
    model, b = tiny(cell, context).float(), together(sentences())

    def run() -> tuple[Tensor, Tensor]:
        grads = [grad.flatten() for grad in gradients(model, b).values()]
        return teacher_forced(model, b).float(), torch.cat(grads)

    single, single_grad = run()
    with torch.autocast("cpu", torch.bfloat16):
        half, half_grad = run()
        in_pieces, state = [], model.start(b.src, b.src_mask)
        for tokens in b.tgt_in.split(1, dim=1):
            piece, state = model.advance(tokens, state)
            in_pieces.append(piece)
    assert (half - single).norm() < 0.03 * single.norm()
    assert torch.cosine_similarity(half_grad, single_grad, dim=0) > 0.99
    assert (torch.cat(in_pieces, dim=1)[b.tgt_mask].float() - single).norm() < 0.03 * single.norm()
    assert not torch.equal(half, single)
