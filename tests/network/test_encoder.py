"""The encoder against torch's packed sequences, forward and backward; what its final state depends on."""

import pytest
import torch
from tiny_models import close, draw, every_cell, shaken
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seq2seq.network.embedding import Dropout
from seq2seq.network.encoder import Encoder, reversal

I, LENGTHS = 6, (4, 7, 1, 5)  # noqa: E741
B, S = len(LENGTHS), max(LENGTHS)
MASK = torch.arange(S) < torch.tensor(LENGTHS)[:, None]

directions = pytest.mark.parametrize("hidden", [(4,), (4, 4), (5, 3)], ids=str)
depths = pytest.mark.parametrize("layers", [1, 2, 3])


def built(cell: str, hidden: tuple[int, ...], layers: int) -> Encoder:
    return shaken(Encoder(cell, I, hidden, layers, Dropout(0.0)))


def torch_layer(layer: nn.Module) -> nn.Module:
    """nn.RNN, nn.GRU or nn.LSTM, bidirectional, with copies of the layer's weights."""
    kernel, back = layer.forward_.kernel, layer.backward_.kernel
    both = type(kernel)(
        kernel.input_size, kernel.hidden_size, batch_first=True, bidirectional=True, dtype=torch.float64
    )
    both.load_state_dict(
        {name: weight.detach() for name, weight in kernel.named_parameters()}
        | {f"{name}_reverse": weight.detach() for name, weight in back.named_parameters()}
    )
    return both


def packed(own: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """States, zero at padding, and the final states of both directions, side by side."""
    output, h = own(pack_padded_sequence(x, torch.tensor(LENGTHS), batch_first=True, enforce_sorted=False))
    h = h[0] if isinstance(own, nn.LSTM) else h
    return pad_packed_sequence(output, batch_first=True)[0], torch.cat((h[0], h[1]), dim=-1)


@every_cell
@depths
def test_an_encoder_equals_packed_bidirectional_layers(cell: str, layers: int) -> None:
    encoder, x = built(cell, (4, 4), layers), draw(B, S, I).requires_grad_()
    own = [torch_layer(layer) for layer in encoder.layers]
    assert len(own) == layers

    expected, final = packed(own[0], x)
    for layer in own[1:]:
        above, last = packed(layer, expected)
        expected, final = expected + above, final + last
    states, ours, mask, embeddings = encoder(x, MASK)
    close((states, ours), (expected, final))
    assert torch.equal(mask, MASK)
    assert torch.equal(embeddings, x * MASK[..., None])

    to_states, to_final = draw(*states.shape, seed=8), draw(*final.shape, seed=9)
    of_ours = [x] + [weight for layer in encoder.layers for weight in layer.parameters()]
    of_theirs = [x] + [weight for layer in own for weight in layer.parameters()]
    close(
        torch.autograd.grad((states * to_states).sum() + (ours * to_final).sum(), of_ours),
        torch.autograd.grad((expected * to_states).sum() + (final * to_final).sum(), of_theirs),
    )


@every_cell
@directions
def test_a_layer_reads_each_sentence_alone_in_both_directions(cell: str, hidden: tuple[int, ...]) -> None:
    encoder, x = built(cell, hidden, 1), draw(B, S, I)
    (layer,) = encoder.layers
    states, final, *_ = encoder(x, MASK)
    for b, length in enumerate(LENGTHS):
        alone = x[b, :length]
        forth, _ = layer.forward_.kernel(alone)
        back = alone.new_zeros(length, 0)
        if len(hidden) == 2:
            back = layer.backward_.kernel(alone.flip(0))[0].flip(0)
        close(states[b, :length], torch.cat((forth, back), dim=-1))
        close(final[b], torch.cat((forth[-1], back[0]), dim=-1))


@every_cell
@depths
@directions
def test_each_half_of_the_final_state_depends_on_the_whole_sentence(
    cell: str, layers: int, hidden: tuple[int, ...]
) -> None:
    encoder, x = built(cell, hidden, layers), draw(B, S, I).requires_grad_()
    final = encoder(x, MASK).final
    for half in final.split(hidden, dim=-1):
        (grad,) = torch.autograd.grad(half.sum(), x, retain_graph=True)
        assert (grad[MASK] != 0).all()
        assert (grad[~MASK] == 0).all()


def test_first_and_last_token_reach_both_halves_of_their_own_sentence_only() -> None:
    encoder, x = built("gru", (5, 3), 1), draw(B, S, I)
    forth, back = encoder(x, MASK).final.split((5, 3), dim=-1)
    for b, length in enumerate(LENGTHS):
        others = torch.arange(B) != b
        for token in (0, length - 1):
            changed = x.clone()
            changed[b, token] += 1
            for before, after in zip((forth, back), encoder(changed, MASK).final.split((5, 3), dim=-1), strict=True):
                assert (after[b] - before[b]).abs().min() > 1e-9
                assert torch.equal(after[others], before[others])


@every_cell
@depths
@directions
def test_padding_and_neighbours_change_nothing(cell: str, layers: int, hidden: tuple[int, ...]) -> None:
    encoder, x = built(cell, hidden, layers), draw(B, S, I)
    states, final, *_ = encoder(x, MASK)
    assert (states[~MASK] == 0).all()
    noise = torch.where(MASK[..., None], x, 100.0)
    close(encoder(noise, MASK), encoder(x, MASK))
    for b, length in enumerate(LENGTHS):
        alone = encoder(x[b : b + 1, :length], MASK[b : b + 1, :length])
        close((alone.states[0], alone.final[0]), (states[b, :length], final[b]))


def test_dropout_is_applied_between_layers_only() -> None:
    x = draw(B, S, I)

    def twice(layers: int) -> list[Tensor]:
        encoder = shaken(Encoder("gru", I, (5, 3), layers, Dropout(0.5))).train()
        return [encoder(x, MASK).states for _ in range(2)]

    assert torch.equal(*twice(1))
    assert not torch.equal(*twice(2))


def test_reversal_reverses_each_sentence_within_its_own_length() -> None:
    order = reversal(torch.tensor([1, 3, 5, 0]), 5)
    assert order[..., 0].tolist() == [[0, 1, 2, 3, 4], [2, 1, 0, 3, 4], [4, 3, 2, 1, 0], [0, 1, 2, 3, 4]]
    x = draw(4, 5, 2)
    for b in range(4):
        assert torch.equal(x[b, order[b, order[b, :, 0], 0]], x[b])
