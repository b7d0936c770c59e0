"""Learning rate schedules and the moving average against hand-computed values; the choice of precision."""

import math
from typing import Any

import pytest
import torch

from seq2seq.training import optimization
from seq2seq.training.optimization import TrainingConfig, autocast, learning_rate, update_average


def rates(total: int, *steps: int, **settings: Any) -> list[float]:
    config = TrainingConfig(**{"learning_rate": 0.8, "warmup": 4, **settings})
    return [learning_rate(config, step, total) for step in steps]


@pytest.mark.parametrize("schedule", ["constant", "inverse_sqrt", "cosine", "plateau"])
def test_warm_up_is_linear_up_to_the_peak(schedule: str) -> None:
    assert rates(20, 1, 2, 3, 4, schedule=schedule) == pytest.approx([0.2, 0.4, 0.6, 0.8])


@pytest.mark.parametrize("schedule", ["constant", "plateau"])
def test_constant_and_plateau_keep_the_peak(schedule: str) -> None:
    assert rates(20, 5, 12, 20, schedule=schedule) == [0.8, 0.8, 0.8]


def test_inverse_square_root() -> None:
    """0.8 * sqrt(4 / step): halved at four times the warm-up, whatever the total."""
    assert rates(20, 9, 16, 400, schedule="inverse_sqrt") == pytest.approx([0.8 * 2 / 3, 0.4, 0.08])
    assert rates(20, 16, schedule="inverse_sqrt") == rates(99, 16, schedule="inverse_sqrt")


def test_cosine() -> None:
    """Half a cosine from step 4 to 20: three quarters of the way it is at (1 - cos 45 degrees) / 2 of the peak."""
    expected = [0.8 * (1 + math.sqrt(0.5)) / 2, 0.4, 0.8 * (1 - math.sqrt(0.5)) / 2, 0.0, 0.0]
    assert rates(20, 8, 12, 16, 20, 21, schedule="cosine") == pytest.approx(expected)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("constant", [0.8, 0.8]), ("plateau", [0.8, 0.8]), ("inverse_sqrt", [0.8, 0.4]), ("cosine", [0.8, 0.4])],
)
def test_without_warm_up_the_schedule_starts_at_the_peak(schedule: str, expected: list[float]) -> None:
    first = {"inverse_sqrt": (1, 4), "cosine": (0, 8)}.get(schedule, (1, 4))
    assert rates(16, *first, schedule=schedule, warmup=0) == pytest.approx(expected)


@pytest.mark.parametrize("schedule", ["constant", "inverse_sqrt", "cosine", "plateau"])
@pytest.mark.parametrize("warmup", [0, 1, 7, 30])
@pytest.mark.parametrize("total", [1, 7, 30])
def test_a_rate_is_a_function_of_its_step_that_rises_to_one_peak_and_falls(
    schedule: str, warmup: int, total: int
) -> None:
    steps = range(1, total + 1)
    values = rates(total, *steps, schedule=schedule, warmup=warmup)
    assert values == rates(total, *reversed(steps), schedule=schedule, warmup=warmup)[::-1]
    peak = values.index(max(values))
    assert values == sorted(values[:peak]) + sorted(values[peak:], reverse=True)
    assert all(0.0 <= rate <= 0.8 and math.isfinite(rate) for rate in values)
    assert peak + 1 == max(1, min(warmup, total))


# ---- the moving average ----------------------------------------------------------------------------------------------


def test_the_moving_average_by_hand() -> None:
    """d = min(decay, (1 + step) / (10 + step)): 2/11 after the first step, then 3/12, and 0.25 where decay is 0.25."""
    average, weights = [torch.zeros(2), torch.zeros(1)], [torch.tensor([1.0, 2.0]), torch.tensor([4.0])]
    update_average(average, weights, 0.999, 1)
    torch.testing.assert_close(average, [torch.tensor([9 / 11, 18 / 11]), torch.tensor([36 / 11])])
    update_average(average, [torch.zeros(2), torch.zeros(1)], 0.999, 2)
    torch.testing.assert_close(average, [torch.tensor([9 / 44, 18 / 44]), torch.tensor([36 / 44])])
    average = [torch.zeros(1)]
    update_average(average, [torch.ones(1)], 0.25, 1000)
    torch.testing.assert_close(average, [torch.tensor([0.75])])


def test_the_average_of_constant_weights_is_constant_and_the_weights_do_not_change() -> None:
    weights = [torch.randn(3, 2)]
    average = [weights[0].clone()]
    for step in range(1, 50):
        update_average(average, weights, 0.99, step)
    torch.testing.assert_close(average, weights)

    fixed, average = weights[0].clone(), [torch.zeros(3, 2)]
    update_average(average, weights, 0.99, 5)
    assert torch.equal(weights[0], fixed)


# ---- precision -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("precision", "native", "expected"),
    [
        ("fp32", True, torch.float32),
        ("bf16", False, torch.bfloat16),
        ("auto", True, torch.bfloat16),
        ("auto", False, torch.float32),
    ],
)
def test_bf16_if_it_is_set_or_if_it_is_auto_and_native(
    monkeypatch: pytest.MonkeyPatch, precision: str, native: bool, expected: torch.dtype
) -> None:
    monkeypatch.setattr(optimization, "_computes_in_bf16", lambda device: native)
    a = torch.ones(2, 2)
    with autocast(precision, "cpu"):
        assert (a @ a).dtype == expected
    assert (a @ a).dtype == torch.float32
