"""A GRU over time and its gradient, for training in bfloat16 on a CPU, where torch has no fused kernel.

torch computes each step there by operations of its own, each recorded for the gradient, and adds a product to the
gradient of the weights at every step. Here a step is one product and six operations, its gradient one product and six,
and the weights have their gradient in one product over all steps.

    r, z = sigmoid(W x + b + U h + d)
    n = tanh(W x + b + r m),  m = U h + d
    h' = n + z (h - n)

With dh' = dL/dh', the gradients of the arguments of n, r, z and of m are dh' times factors that do not depend on it:

    dn = dh' (1 - z) (1 - n n),  dr = dn m r (1 - r),  dz = dh' (h - n) z (1 - z),  dm = dn r
    dh = dh' z + [dr; dz; dm] U
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

ROWS = 16  # the batch is filled up to a multiple of it, as in `products`

Gradients = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]


def unrolled_gru(x: Tensor, state: Tensor, weights: tuple[Tensor, Tensor, Tensor, Tensor]) -> Tensor:
    """x (B, T, I), state (B, H), the weights W, U, b, d in torch's order of gates, to outputs (B, T, H) in bfloat16."""
    rows = len(x)
    steps, before = (F.pad(v.bfloat16(), (0, 0, 0, -rows % ROWS)) for v in (x.transpose(0, 1), state))
    output: Tensor = UnrolledGRU.apply(steps.contiguous(), before, *(w.bfloat16() for w in weights))
    return output[:, :rows].transpose(0, 1)


class UnrolledGRU(torch.autograd.Function):
    """x (T, B, I), state (B, H), W (3H, I), U (3H, H), b and d (3H), all of one type, to outputs (T, B, H)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, state: Tensor, w: Tensor, u: Tensor, b: Tensor, d: Tensor) -> Tensor:
        """The outputs; the last is the state after the last step."""
        size = state.shape[1]
        bias = torch.cat((b[: 2 * size] + d[: 2 * size], b[2 * size :]))
        gates = torch.addmm(bias, x.flatten(0, 1), w.t()).unflatten(0, x.shape[:2])  # (T, B, 3H), becomes r, z, n
        h = x.new_empty(len(x) + 1, *state.shape)
        h[0] = state
        m = x.new_empty(len(x), *state.shape)
        product, u_t, d_n = x.new_empty(gates.shape[1:]), u.t().contiguous(), d[2 * size :]
        of_rz, of_m = product[:, : 2 * size], product[:, 2 * size :]
        rz, n = gates.split((2 * size, size), dim=2)
        parts = h[:-1], h[1:], m, rz, *rz.chunk(2, dim=2), n
        for before, after, m_t, rz_t, r_t, z_t, n_t in zip(*(part.unbind() for part in parts), strict=True):
            torch.mm(before, u_t, out=product)
            rz_t.add_(of_rz).sigmoid_()
            torch.add(of_m, d_n, out=m_t)
            n_t.addcmul_(r_t, m_t).tanh_()
            torch.lerp(n_t, before, z_t, out=after)
        ctx.save_for_backward(x, h, gates, m, w, u)
        return h[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Gradients:
        """From the gradient of the outputs."""
        x, h, gates, m, w, u = ctx.saved_tensors
        steps, rows, size = m.shape
        r, z, n = gates.chunk(3, dim=2)
        factors = x.new_empty(steps, rows, 4 * size)  # times dh' they are dn, dr, dz, dm
        dn, dr, dz, dm = factors.chunk(4, dim=2)
        rest = 1 - z
        torch.mul(1 - n * n, rest, out=dn)
        torch.mul(dn, r, out=dm)
        torch.mul((1 - r).mul_(m), dm, out=dr)
        torch.mul((h[:-1] - n).mul_(z), rest, out=dz)
        parts = z, factors[:, :, size:], dn, dr, dz, dm
        from_outside = [torch.zeros_like(gradient[0]), *gradient.unbind()]
        dh = from_outside.pop()
        for z_t, of_u, *factors_t in reversed(list(zip(*(part.unbind() for part in parts), strict=True))):
            for factor in factors_t:
                factor.mul_(dh)
            dh = torch.addmm(torch.addcmul(from_outside.pop(), dh, z_t), of_u, u)
        flat = factors.flatten(0, 1)
        of_w, of_u = flat[:, : 3 * size], flat[:, size:]  # gates in the order n, r, z, and in torch's, r, z, n
        dw, du = of_w.t() @ x.flatten(0, 1), of_u.t() @ h[:-1].flatten(0, 1)
        dx = (of_w @ w.roll(size, 0)).unflatten(0, (steps, rows))
        sums = flat.sum(0)
        return dx, dh, dw.roll(-size, 0), du, sums[: 3 * size].roll(-size), sums[size:]
