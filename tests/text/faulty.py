"""Mixes faults of every kind into good pairs, by a seed, to measure what the checks find."""

import random

KINDS = ("copy", "encoding", "markup", "numbers", "lengths", "wrong side", "third language")


def with_fault(
    kind: str, pair: tuple[str, str], other: tuple[str, str], third: str, draw: random.Random
) -> tuple[str, str]:
    """The pair with a fault; `other` is another pair, `third` a line in a third language."""
    src, tgt = pair
    side = draw.randrange(2)
    if kind == "copy":
        return (src, src) if side else (tgt, tgt)
    if kind == "encoding":
        wrong = tgt.encode().decode("cp1252", "ignore") if not tgt.isascii() else tgt.replace("e", "Ã©", 1)
        return src, wrong
    if kind == "markup":
        word = draw.choice(tgt.split())
        return src, draw.choice(
            [tgt.replace(word, f"<b>{word}</b>", 1), f"<p>{tgt}</p>", tgt.replace(" ", "&nbsp;", 1)]
        )
    if kind == "numbers":
        number = str(draw.randrange(13, 2000))
        return f"{src} {number}", f"{tgt} {int(number) + draw.randrange(1, 50)}"
    if kind == "lengths":
        return (src, tgt[: len(tgt) // 4]) if side else (src[: len(src) // 4], tgt)
    if kind == "wrong side":
        return (tgt, src) if side else ((src, other[0]) if draw.random() < 0.5 else (other[1], tgt))
    return (src, third) if side else (third, tgt)
