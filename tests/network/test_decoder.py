"""The decoder against its equations, step by step; what the context vector affects; selected states."""

import pytest
import torch
from tiny_models import close, draw, every_cell, every_context, every_pair, shaken
from torch import Tensor

from seq2seq.network.attention import CONTEXTS, EncoderOutput
from seq2seq.network.cells import CELLS
from seq2seq.network.decoder import Decoder, State
from seq2seq.network.embedding import Dropout

B, T, S, E, H, A, HEADS = 3, 4, 5, 6, 8, 10, 2
MASK = torch.arange(S) < torch.tensor((3, 5, 1))[:, None]
NONE, HALF = Dropout(0.0), Dropout(0.5)

depths = pytest.mark.parametrize("layers", [1, 2, 3])


def built(
    cell: str, context: str, layers: int = 2, dropout: Dropout = NONE, readout: Dropout = NONE, lexical: bool = True
) -> Decoder:
    q = CONTEXTS[context](H if context == "dot" else 7, H, HEADS, A)
    return shaken(Decoder(cell, q, E, H, layers, lexical, dropout, readout))


def encoded(context: str) -> EncoderOutput:
    states = H if context == "dot" else 7
    return EncoderOutput(draw(B, S, states, seed=3), draw(B, states, seed=4), MASK, draw(B, S, E, seed=5))


def by_hand(decoder: Decoder, fixed: bool, y: Tensor, state: State) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
    """The equations in the decoder's docstring: features (B, T, E), states, weights (B, T, S)."""
    features, weights, states = [], [], list(state.layers)
    for t in range(y.shape[1]):
        y_t = y[:, t : t + 1]
        c_t, w_t = decoder.context(y.new_zeros(B, 1, H), state.memory) if fixed else (y[:, :0, :0], None)
        s_t, states[0] = decoder.layers[0](torch.cat((y_t, c_t), dim=2) if fixed else y_t, states[0])
        c_t, w_t = decoder.context(s_t, state.memory)
        for i, layer in enumerate(decoder.layers[1:], start=1):
            above, states[i] = layer(torch.cat((s_t, c_t), dim=2), states[i])
            s_t = s_t + above
        joined = torch.cat((s_t, c_t, y_t), dim=2)
        g_t = torch.tanh(joined @ decoder.readout.weight.T + decoder.readout.bias)
        if decoder.lexical is not None:
            l_t = torch.tanh(sum(w_t[:, :, i, None] * state.memory.embeddings[:, None, i] for i in range(w_t.shape[2])))
            g_t = g_t + l_t + torch.tanh(l_t @ decoder.lexical.weight.T + decoder.lexical.bias)
        features.append(g_t)
        weights.append(w_t)
    return torch.cat(features, dim=1), tuple(states), torch.cat(weights, dim=1)


@every_pair
@depths
@pytest.mark.parametrize("lexical", [False, True])
def test_a_decoder_equals_its_equations_step_by_step(cell: str, context: str, layers: int, lexical: bool) -> None:
    decoder, y = built(cell, context, layers, lexical=lexical), draw(B, T, E)
    state = decoder.start(encoded(context))
    features, after = decoder(y, state)
    close((features, after.layers, after.weights), by_hand(decoder, context in ("last", "mean"), y, state))
    assert after.memory is state.memory


@every_pair
@depths
def test_every_layer_starts_from_a_projection_of_the_encoders_final_state(cell: str, context: str, layers: int) -> None:
    decoder, source = built(cell, context, layers), encoded(context)
    state = decoder.start(source)
    size = {"rnn": H, "gru": H, "lstm": 2 * H}[cell]
    expected = torch.tanh(source.final @ decoder.bridge.weight.T + decoder.bridge.bias)
    assert expected.shape == (B, layers * size)
    for i, start in enumerate(state.layers):
        close(start, expected[:, i * size : (i + 1) * size])
    assert len(state.layers) == layers == len(decoder.layers)
    assert state.weights.shape == (B, 0, state.memory.mask.shape[1])


@every_pair
@depths
def test_every_step_depends_on_every_value_of_a_real_token(cell: str, context: str, layers: int) -> None:
    decoder, y = built(cell, context, layers), draw(B, T, E)
    state = decoder.start(encoded(context))
    values = state.memory.values.detach().requires_grad_()
    features, _ = decoder(y, state._replace(memory=state.memory._replace(values=values)))
    for t in range(T):
        (grad,) = torch.autograd.grad(features[:, t].sum(), values, retain_graph=True)
        assert (grad[state.memory.mask] != 0).all()
        assert (grad[~state.memory.mask] == 0).all()


@every_context
def test_a_fixed_context_is_an_input_of_the_first_layer_and_an_attention_is_not(context: str) -> None:
    decoder, y = built("gru", context), draw(B, T, E)
    state = decoder.start(encoded(context))
    memory = state.memory._replace(keys=state.memory.keys + 1, values=state.memory.values + 1)
    _, before = decoder(y, state)
    _, after = decoder(y, state._replace(memory=memory))
    assert torch.equal(before.layers[0], after.layers[0]) == (context not in ("last", "mean"))
    assert not torch.equal(before.layers[1], after.layers[1])


@every_pair
def test_a_selected_state_continues_as_the_selected_sentences_do(cell: str, context: str) -> None:
    """Selected after some steps, so that the layers' states differ from those at the start; rows repeat."""
    decoder, y, rows = built(cell, context), draw(B, 2 * T, E), torch.tensor([2, 0, 0, 1, 2])
    _, state = decoder(y[:, :T], decoder.start(encoded(context)))
    features, after = decoder(y[:, T:], state)
    chosen, chosen_after = decoder(y[rows, T:], state.select(rows[:, None]))
    close(chosen, features[rows])
    close(chosen_after, after.select(rows[:, None]))
    close(state.select(rows[:, None]).weights, state.weights[rows])


@every_pair
def test_hypotheses_of_one_sentence_share_its_memory(cell: str, context: str) -> None:
    """It is copied only if a sentence is removed or moved; in both cases a row continues as its sentence does."""
    decoder, y = built(cell, context), draw(B, 2 * T, E)
    _, state = decoder(y[:, :T], decoder.start(encoded(context)))
    features, _ = decoder(y[:, T:], state)
    wide = state.select(torch.tensor([[0, 0], [1, 1], [2, 2]]))
    assert wide.memory is state.memory
    for order, sentences in (
        ([[1, 0], [2, 2], [5, 4]], [0, 1, 2]),
        ([[0, 1, 1], [2, 3, 3], [4, 5, 4]], [0, 1, 2]),
        ([[2, 3], [4, 4]], [1, 2]),
        ([[3], [1], [4]], [1, 0, 2]),
    ):
        chosen = wide.select(torch.tensor(order))
        assert (chosen.memory is wide.memory) == (sentences == [0, 1, 2])
        owners = torch.tensor(order).flatten() // 2
        close(decoder(y[owners, T:], chosen)[0], features[owners])


@every_cell
def test_dropout_is_applied_between_layers_and_after_the_readout(cell: str) -> None:
    def random(layers: int, dropout: Dropout, readout: Dropout) -> bool:
        decoder, y = built(cell, "general", layers, dropout, readout).train(), draw(B, T, E)
        state = decoder.start(encoded("general"))
        return not torch.equal(decoder(y, state)[0], decoder(y, state)[0])

    assert not random(1, HALF, NONE)
    assert random(2, HALF, NONE)
    assert random(1, NONE, HALF)
    assert not random(2, NONE, NONE)


def test_every_cell_has_the_state_size_of_its_equations() -> None:
    assert {name: cell(E, H).state_size for name, cell in CELLS.items()} == {"rnn": H, "gru": H, "lstm": 2 * H}
