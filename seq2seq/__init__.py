"""Recurrent machine translation: train a translator on your own parallel text, translate, measure.

    import seq2seq

    model = seq2seq.load()                                          # the model that ships; load("DIR"): one of yours
    model.translate("Where is the station?", to="de")               # a str for a str, a list for a list
    run = seq2seq.train(data="DIR", src="en", tgt="de", out="DIR2")
    seq2seq.evaluate(run.model, data="DIR", split="test")           # scores with their signatures

Importing the package imports nothing else: each name below is loaded when it is first used. Errors that a caller may
want to catch are in `seq2seq.errors`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seq2seq.api.evaluation import evaluate
    from seq2seq.api.training import train
    from seq2seq.api.translator import Translator, load
    from seq2seq.translation.translator import Translation

__version__ = "0.1.0"
__all__ = ["Translation", "Translator", "evaluate", "load", "train"]

_MODULES = {
    "Translation": "seq2seq.translation.translator",
    "Translator": "seq2seq.api.translator",
    "evaluate": "seq2seq.api.evaluation",
    "load": "seq2seq.api.translator",
    "train": "seq2seq.api.training",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
