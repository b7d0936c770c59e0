"""Every cell against its equations, written out here in float64, and against torch's cells, forward and backward."""

from collections.abc import Callable

import pytest
import torch
from tiny_models import close, draw, every_cell, shaken
from torch import Tensor, nn

from seq2seq.network.cells import CELLS
from seq2seq.network.unrolled import UnrolledGRU

B, T, I, H = 3, 5, 4, 6  # noqa: E741
Step = Callable[[Tensor, Tensor], Tensor]  # x (B, I), state (B, N) to state (B, N)


def weights(layer: nn.Module) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """W, U, b, d of the equations, the gates stacked."""
    k = layer.kernel
    return k.weight_ih_l0, k.weight_hh_l0, k.bias_ih_l0, k.bias_hh_l0


def rnn(layer: nn.Module) -> Step:
    w, u, b, d = weights(layer)

    def step(x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(x @ w.T + b + h @ u.T + d)

    return step


def gru(layer: nn.Module) -> Step:
    (wr, wz, wn), (ur, uz, un), (br, bz, bn), (dr, dz, dn) = (part.chunk(3) for part in weights(layer))

    def step(x: Tensor, h: Tensor) -> Tensor:
        r = 1 / (1 + torch.exp(-(x @ wr.T + br + h @ ur.T + dr)))  # reset
        z = 1 / (1 + torch.exp(-(x @ wz.T + bz + h @ uz.T + dz)))  # update
        n = torch.tanh(x @ wn.T + bn + r * (h @ un.T + dn))  # candidate
        return (1 - z) * n + z * h

    return step


def lstm(layer: nn.Module) -> Step:
    (wi, wf, wg, wo), (ui, uf, ug, uo), (bi, bf, bg, bo), (di, df, dg, do) = (part.chunk(4) for part in weights(layer))

    def step(x: Tensor, state: Tensor) -> Tensor:
        h, c = state[:, :H], state[:, H:]
        i = 1 / (1 + torch.exp(-(x @ wi.T + bi + h @ ui.T + di)))  # input
        f = 1 / (1 + torch.exp(-(x @ wf.T + bf + h @ uf.T + df)))  # forget
        o = 1 / (1 + torch.exp(-(x @ wo.T + bo + h @ uo.T + do)))  # output
        c = f * c + i * torch.tanh(x @ wg.T + bg + h @ ug.T + dg)
        return torch.cat((o * torch.tanh(c), c), dim=1)

    return step


def rnn_joined(layer: nn.Module) -> Step:
    w, u, b, d = weights(layer)
    joined = torch.cat((w, u), dim=1)

    def step(x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(torch.cat((x, h), dim=1) @ joined.T + b + d)

    return step


def gru_joined(layer: nn.Module) -> Step:
    """The candidate's two products stay separate, because the reset gate multiplies one of them."""
    w, u, b, d = weights(layer)
    nothing = (w.new_zeros(H, I), u.new_zeros(H, H))
    joined = torch.cat(
        (
            torch.cat((w[: 2 * H], u[: 2 * H]), dim=1),
            torch.cat((w[2 * H :], nothing[1]), dim=1),
            torch.cat((nothing[0], u[2 * H :]), dim=1),
        )
    )
    bias = torch.cat((b[: 2 * H] + d[: 2 * H], b[2 * H :], d[2 * H :]))

    def step(x: Tensor, h: Tensor) -> Tensor:
        r, z, of_x, of_h = (torch.cat((x, h), dim=1) @ joined.T + bias).chunk(4, dim=1)
        z = torch.sigmoid(z)
        return (1 - z) * torch.tanh(of_x + torch.sigmoid(r) * of_h) + z * h

    return step


def lstm_joined(layer: nn.Module) -> Step:
    w, u, b, d = weights(layer)
    joined = torch.cat((w, u), dim=1)

    def step(x: Tensor, state: Tensor) -> Tensor:
        h, c = state.chunk(2, dim=1)
        i, f, g, o = (torch.cat((x, h), dim=1) @ joined.T + b + d).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.cat((torch.sigmoid(o) * torch.tanh(c), c), dim=1)

    return step


def torch_cell(layer: nn.Module) -> Step:
    """nn.RNNCell, nn.GRUCell or nn.LSTMCell, which share no kernel with the layers, over the same parameters."""
    kernel = layer.kernel
    cell = getattr(nn, f"{type(kernel).__name__}Cell")(I, H, dtype=torch.float64)
    shared = {name.removesuffix("_l0"): weight for name, weight in kernel.named_parameters()}

    def step(x: Tensor, state: Tensor) -> Tensor:
        parts = state.chunk(2, dim=1) if isinstance(kernel, nn.LSTM) else state
        after = torch.func.functional_call(cell, shared, (x, parts))
        return torch.cat(after, dim=1) if isinstance(kernel, nn.LSTM) else after

    return step


def over_time(step: Step, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    output = []
    for t in range(x.shape[1]):
        state = step(x[:, t], state)
        output.append(state[:, :H])
    return torch.stack(output, dim=1), state


EQUATIONS = [rnn, gru, lstm]
JOINED = [rnn_joined, gru_joined, lstm_joined]


@pytest.mark.parametrize(
    ("cell", "written"),
    [(f.__name__.split("_")[0], f) for f in EQUATIONS + JOINED] + [(cell, torch_cell) for cell in CELLS],
)
def test_a_layer_equals_its_equations_forward_and_backward(cell: str, written: Callable[[nn.Module], Step]) -> None:
    layer = shaken(CELLS[cell](I, H))
    x, state = draw(B, T, I, seed=3).requires_grad_(), draw(B, layer.state_size, seed=4).requires_grad_()
    ours, theirs = layer(x, state), over_time(written(layer), x, state)
    close(ours, theirs)

    to_output, to_state = draw(B, T, H, seed=5), draw(B, layer.state_size, seed=6)
    leaves = [x, state, *layer.parameters()]
    ours, theirs = (
        torch.autograd.grad((output * to_output).sum() + (after * to_state).sum(), leaves)
        for output, after in (ours, theirs)
    )
    assert all(grad.abs().min() > 0 for grad in ours)
    close(ours, theirs)


@pytest.mark.parametrize("written", [gru, gru_joined, torch_cell])
@pytest.mark.parametrize("steps", [1, T])
def test_the_unrolled_gru_equals_its_equations_forward_and_backward(
    written: Callable[[nn.Module], Step], steps: int
) -> None:
    layer = shaken(CELLS["gru"](I, H))
    x, state = draw(B, steps, I, seed=3).requires_grad_(), draw(B, H, seed=4).requires_grad_()
    ours = UnrolledGRU.apply(x.transpose(0, 1), state, *weights(layer)).transpose(0, 1)
    theirs, _ = over_time(written(layer), x, state)
    close(ours, theirs)
    to_output, leaves = draw(B, steps, H, seed=5), [x, state, *weights(layer)]
    ours, theirs = (torch.autograd.grad((each * to_output).sum(), leaves) for each in (ours, theirs))
    assert all(grad.abs().min() > 0 for grad in ours)
    close(ours, theirs)


@every_cell
@pytest.mark.parametrize("rows", [1, 7, 16])
def test_training_in_bfloat16_equals_single_precision_but_for_rounding(cell: str, rows: int) -> None:
    """Rows that fill up a batch change nothing; the tolerance is that of eight bits, over five steps."""
    torch.manual_seed(0)
    layer = CELLS[cell](I, H)
    x = torch.randn(rows, T, I, requires_grad=True)
    start = torch.randn(rows, layer.state_size, requires_grad=True)
    to_output, to_state, leaves = torch.randn(rows, T, H), torch.randn_like(start), [x, start, *layer.parameters()]
    results = []
    for enabled in (True, False):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            output, after = layer(x, start)
        loss = (output.float() * to_output).sum() + (after.float() * to_state).sum()
        results.append([output.float(), after.float(), *torch.autograd.grad(loss, leaves)])
    for ours, theirs in zip(*results, strict=True):
        assert ours.shape == theirs.shape
        assert (ours - theirs).norm() < 0.02 * theirs.norm()


@every_cell
def test_reading_in_pieces_equals_reading_at_once(cell: str) -> None:
    layer = shaken(CELLS[cell](I, H))
    x, start = draw(B, T, I), draw(B, layer.state_size)
    output, after = layer(x, start)
    for cut in range(1, T):
        first, state = layer(x[:, :cut], start)
        second, state = layer(x[:, cut:], state)
        close(torch.cat((first, second), dim=1), output)
        close(state, after)


def test_through_time_the_gradient_is_a_sum_of_output_gradients_times_powers_of_the_recurrent_matrix() -> None:
    """For the linear RNN, h_t = W x_t + b + U h_{t-1}, with dL/dh_t = a_t from outside, it is

    dL/dh_0 = sum_t (U')^t a_t        dL/dU = sum_t sum_{k <= t} (U')^(t-k) a_t h_{k-1}'     (W: x_k' there, b: 1)

    The layer is linear where tanh(v) = v - v^3 / 3 + ..., and for v around 1e-9 the cube is lost in float64.
    """
    small = 1e-9
    layer = shaken(CELLS["rnn"](I, H))
    w, u, b, d = weights(layer)
    with torch.no_grad():
        b *= small
        d *= small
    x, h, a = draw(T, I) * small, (draw(H) * small).requires_grad_(), draw(T, H)

    output, _ = layer(x[None], h[None])
    by_h, by_w, by_u, by_b, by_d = torch.autograd.grad((output[0] * a).sum(), [h, w, u, b, d])

    with torch.no_grad():
        states = [h]
        for x_t in x:
            states.append(w @ x_t + b + u @ states[-1] + d)
        power = [torch.linalg.matrix_power(u.T, n) for n in range(T + 1)]
        arriving = [sum(power[t - k] @ a[t] for t in range(k, T)) for k in range(T)]  # dL / dh_k, all paths

        close(output[0] / small, torch.stack(states[1:]) / small)
        close(by_h, sum(power[t + 1] @ a[t] for t in range(T)))
        close(by_u / small, sum(torch.outer(arriving[k], states[k]) for k in range(T)) / small)
        close(by_w / small, sum(torch.outer(arriving[k], x[k]) for k in range(T)) / small)
        close(by_b, sum(arriving))
        close(by_d, sum(arriving))


@every_cell
def test_each_gate_starts_with_an_orthogonal_recurrent_block_and_a_xavier_input_block(cell: str) -> None:
    torch.manual_seed(0)
    inputs, hidden = 48, 32
    w, u, _, _ = weights(CELLS[cell](inputs, hidden))
    bound = (6 / (inputs + hidden)) ** 0.5
    assert len(w) // hidden == {"rnn": 1, "gru": 3, "lstm": 4}[cell]
    for of_input, recurrent in zip(w.split(hidden), u.split(hidden), strict=True):
        torch.testing.assert_close(recurrent @ recurrent.T, torch.eye(hidden), rtol=0, atol=1e-5)
        assert 0.98 * bound < of_input.abs().max() <= bound
        assert abs(of_input.mean()) < 0.05 * bound
        assert of_input.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)


@every_cell
def test_biases_start_at_zero_except_an_open_forget_gate(cell: str) -> None:
    _, _, b, d = weights(CELLS[cell](I, H))
    gates = (b + d).split(H)
    for gate, bias in enumerate(gates):
        forget = cell == "lstm" and gate == 1
        torch.testing.assert_close(bias, torch.full((H,), float(forget)))


@every_cell
def test_the_same_seed_gives_the_same_layer(cell: str) -> None:
    def drawn(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return torch.cat([weight.flatten() for weight in CELLS[cell](I, H).parameters()])

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))
