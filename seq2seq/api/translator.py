"""`load` opens a model folder, or the model that ships; a `Translator` translates and scores strings.

This module does not know text files or commands. It does not import torch if the models are exported ones.
"""

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, overload

from seq2seq.api.computing import check_threads, torch_threads
from seq2seq.api.models import open_model, shipped_models, with_translation_memory
from seq2seq.api.terms import AvoidSource, GlossarySource, terms_of
from seq2seq.config import build
from seq2seq.errors import InputError
from seq2seq.languages.codes import is_auto
from seq2seq.text.detection import detect
from seq2seq.text.directions import Direction, choose_direction
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.search import SAMPLES, SearchConfig
from seq2seq.translation.texts import different, ranked_texts, split_lines
from seq2seq.translation.translator import LineTranslator, Translation

if TYPE_CHECKING:
    from seq2seq.api.choosing import Choice

FolderPath = str | os.PathLike[str]
Rescore = FolderPath | Sequence[FolderPath] | Mapping[FolderPath, float] | None  # models, or models with weights


def load(
    path: FolderPath | Sequence[FolderPath] | None = None, *, device: str = "auto", threads: int | None = None
) -> "Translator":
    """A translator for a model folder, trained or exported.

    Args:
        path: the folder; a list of folders of trained models is an ensemble. None: the model that ships,
            opened at its first use.
        device: "cpu", "cuda", or "auto": a GPU if there is one.
        threads: CPU threads; None: torch's own number, for an exported model all cores.

    Raises:
        InputError: a folder holds no complete model, or the model cannot compute on the device.
        TypeError: `path` is neither a path nor a list of paths, or `threads` is no int.
    """
    check_threads(threads)
    if path is None:
        models = {direction: (folder,) for direction, folder in shipped_models().items()}
        return Translator(models, device=device, threads=threads)
    paths = [path] if isinstance(path, str | os.PathLike) else path
    if not isinstance(paths, Sequence) or not all(isinstance(item, str | os.PathLike) for item in paths) or not paths:
        raise TypeError(f"load() takes the path of a model folder, or a list of them, not {path!r}")
    folders = tuple(Path(item).absolute() for item in paths)
    bundle, _ = open_model(folders, device, threads)
    translator = Translator(dict.fromkeys(bundle.known, folders), device=device, threads=threads)
    translator._opened[folders] = bundle
    return translator


Types = Mapping[str, tuple[tuple[type, ...], str]]  # of options: the types, and what a message calls them
_TYPES: Types = {  # of the options that are not checked where they are used
    "to": ((str,), "a language as a str"),
    "from_": ((str,), "a language as a str"),
    "memory": ((str,), "the path of a text as a str"),
    "memory_share": ((int, float), "a number between 0 and 1"),
    "search": ((Mapping,), "a dict of settings"),
    "weights": ((str, os.PathLike), "the path of a file"),
    "mbr": ((str,), '"bleu" or "chrf"'),
}


class TranslateOptions(TypedDict, total=False):
    """The keyword arguments of `Translator.translate`, except `nbest`."""

    to: str | None
    from_: str | None
    beam: int | None
    memory: str | None
    memory_share: float | None
    search: Mapping[str, Any] | None
    keep: Sequence[str] | bool
    split: bool
    glossary: GlossarySource | None
    avoid: AvoidSource | None
    rescore: Rescore
    weights: FolderPath | None
    mbr: str | None


class Translator:
    """Translates in one direction or in several, each with the model, or ensemble, of its folders; made by `load`.

    It may be used from several threads at once. Pickling stores the paths of the folders, and unpickling opens them
    again.
    """

    def __init__(
        self, folders: Mapping[Direction, tuple[Path, ...]], *, device: str = "auto", threads: int | None = None
    ) -> None:
        self._folders, self._device, self.threads = dict(folders), device, threads
        self._opened: dict[tuple[Path, ...], Bundle] = {}
        self._with_memory: dict[tuple[Direction, str | None, float | None], Bundle] = {}
        self._rescorers: dict[Path, Bundle] = {}
        self._opening = threading.Lock()

    @property
    def directions(self) -> list[Direction]:
        """The directions it translates in, as pairs of languages (from, to)."""
        return list(self._folders)

    def __repr__(self) -> str:
        directions = ", ".join(f"{src} to {tgt}" for src, tgt in self._folders)
        return f"<seq2seq.Translator {directions}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, (self._folders, self._device, self.threads)

    @overload
    def translate(self, text: str, *, nbest: None = ..., **options: Unpack[TranslateOptions]) -> str: ...  # type: ignore[overload-overlap]
    @overload
    def translate(
        self, text: Iterable[str], *, nbest: None = ..., **options: Unpack[TranslateOptions]
    ) -> list[str]: ...
    @overload
    def translate(self, text: str, *, nbest: int, **options: Unpack[TranslateOptions]) -> list[Translation]: ...  # type: ignore[overload-overlap]
    @overload
    def translate(
        self, text: Iterable[str], *, nbest: int, **options: Unpack[TranslateOptions]
    ) -> list[list[Translation]]: ...
    def translate(
        self, text: str | Iterable[str], *, nbest: int | None = None, **options: Unpack[TranslateOptions]
    ) -> str | list[str] | list[Translation] | list[list[Translation]]:
        """The translation of a text, or the translations of a list of texts, in the same order.

        Each line of a text is translated by itself, sentence by sentence. White space at its ends and between sentences
        stays (where Japanese has none, other scripts get a space), and so does what is not language: placeholders,
        tags, addresses, numbers.

        Args:
            text: a str gives a str, a list of str a list of str.
            nbest: return for each text a list of at most `nbest` `Translation` objects, best first, all different.
            options:
                to: language to translate to; optional if the model knows one direction only.
                from_: language to translate from; the same. "auto": that of each text is detected, which needs the
                    package py3langid. A text certainly in the language `to` stays as it is.
                beam: hypotheses kept at each step; None: the model's own setting.
                memory: parallel text to use as a translation memory, as for `train`.
                memory_share: weight of the memory, between 0 and 1.
                search: further settings of the section [search] by name, for example {"length_penalty": 1.2}.
                keep: regular expressions of what is kept as well; False: nothing is kept.
                split: False: a line of several sentences is translated as one.
                glossary: terms and their translations: a dict, a list of pairs, or the path of a file or of several.
                avoid: phrases that no translation holds: a list, or the path of a file.
                rescore: models that score the n best as well: the path of a model folder, a list of them (each with
                    the weight 1), or a dict from paths to weights. `score` is then the weighted sum.
                weights: a file that `seq2seq evaluate --tune` wrote, with weights and models.
                mbr: "bleu" or "chrf": the translation that is most similar to the others is chosen, among the n best,
                    or with `search={"sample": 1.0}` among `beam` samples (30). `score` is its expected utility.

        Raises:
            TypeError: `text` is neither a str nor a list of str, or an option is unknown or of another type.
            InputError: the direction is unknown, a setting is wrong, a text cannot be encoded as UTF-8, or py3langid is
                not installed.
        """
        if unknown := options.keys() - TranslateOptions.__annotations__.keys():
            raise TypeError(f"translate() got an unexpected keyword argument {min(unknown)!r}")
        texts = _texts(text, "translate")
        check_types(options, _TYPES)
        directions = self._directions_of(texts, options.get("from_"), options.get("to"))
        ranked: list[list[Translation]] = [[] for _ in texts]
        for direction in dict.fromkeys(directions):
            rows = [row for row, each in enumerate(directions) if each == direction]
            if direction[0] == direction[1]:
                for row in rows:
                    ranked[row] = [Translation(texts[row], 0.0, 0.0, [])]
                continue
            for row, found in zip(rows, self._ranked([texts[i] for i in rows], direction, nbest, options), strict=True):
                ranked[row] = found
        best = [each[0].text for each in ranked] if nbest is None else [different(each)[:nbest] for each in ranked]
        return best[0] if isinstance(text, str) else best

    def _directions_of(self, texts: Sequence[str], from_: str | None, to: str | None) -> list[Direction]:
        """The direction of each text."""
        if is_auto(from_):
            return [detect(text, self.directions, to) for text in texts]
        return [choose_direction(self._folders, from_, to)] * len(texts)

    def _ranked(
        self, texts: Sequence[str], direction: Direction, nbest: int | None, options: TranslateOptions
    ) -> list[list[Translation]]:
        """The translations of each text, best first."""
        bundle = self._bundle_for(direction, options)
        beam = options.get("beam")
        choice = self.choice(direction, options.get("rescore"), options.get("weights"), options.get("mbr"))
        if beam is not None and "beam" in (options.get("search") or {}):
            raise InputError("the beam is given as beam and in search; leave one of them out")
        overrides = {**(options.get("search") or {}), **({} if beam is None else {"beam": beam})}
        if choice and choice.changes and overrides.get("sample"):
            overrides = {"beam": max(SAMPLES, nbest or 1), **overrides}
        config = search_settings(bundle.search, overrides, nbest)
        choose = choice and choice.rescoring(bundle, config)
        lines = [split_lines(text) for text in texts]
        with torch_threads(self.threads):
            aligns = nbest is not None and bundle.engine.aligns
            translator = LineTranslator(bundle, config, alignments=aligns, choose=choose)
            most = None if nbest else 1
            translations = iter(list(translator.stream(chain.from_iterable(lines), lambda message: None, most=most)))
        results = [list(islice(translations, len(lines_of_text))) for lines_of_text in lines]
        return [ranked_texts(text, result) for text, result in zip(texts, results, strict=True)]

    def _bundle_for(self, direction: Direction, options: TranslateOptions) -> Bundle:
        """The model of a direction, with the way of reading text that the options name."""
        bundle = self.bundle(direction, options.get("memory"), options.get("memory_share"))
        keep = options.get("keep", True)
        patterns = [keep] if isinstance(keep, str) else [] if isinstance(keep, bool) else keep
        if not isinstance(patterns, Sequence) or not all(isinstance(pattern, str) for pattern in patterns):
            raise TypeError(f"keep takes regular expressions as a list of str, or False, not {keep!r}")
        if not isinstance(split := options.get("split", True), bool):
            raise TypeError(f"split takes True or False, not {split!r}")
        languages = {language for known in self.directions for language in known}
        detected = is_auto(options.get("from_"))
        terms = terms_of(options.get("glossary"), options.get("avoid"), direction, languages, fitting=detected)
        return bundle.with_reading(list(patterns), keep is False, split)._replace(terms=terms)

    @overload
    def score(self, src: str, tgt: str, *, to: str | None = ..., from_: str | None = ...) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def score(
        self, src: Iterable[str], tgt: Iterable[str], *, to: str | None = ..., from_: str | None = ...
    ) -> list[float]: ...
    def score(
        self, src: str | Iterable[str], tgt: str | Iterable[str], *, to: str | None = None, from_: str | None = None
    ) -> float | list[float]:
        """The log-probability log p(tgt | src) of each translation, in nats, by teacher forcing.

        Args:
            src: source lines; a str gives a float, a list of str a list of float.
            tgt: their translations, one each.
            to: language to translate to; optional if the model knows one direction only.
            from_: language to translate from; the same.

        Raises:
            TypeError: an argument is neither a str nor a list of str, or one is a str and the other a list.
            InputError: the numbers differ, the direction is unknown, or a text cannot be encoded as UTF-8.
        """
        if isinstance(src, str) != isinstance(tgt, str):
            raise TypeError("score() takes two str, or two lists of str")
        check_types({"to": to, "from_": from_}, _TYPES)
        sources, targets = _texts(src, "score"), _texts(tgt, "score")
        if len(sources) != len(targets):
            raise InputError(
                f"{len(sources)} source texts, but {len(targets)} translations to score; give one per source text"
            )
        bundle = self.bundle(choose_direction(self._folders, from_, to))
        with torch_threads(self.threads):
            log_probs = LineTranslator(bundle, bundle.search).log_probs(sources, targets)
        return log_probs[0] if isinstance(src, str) else log_probs

    def choice(
        self, direction: Direction, rescore: Rescore = None, weights: FolderPath | None = None, mbr: str | None = None
    ) -> "Choice | None":
        """What chooses among the n best, as `translate` describes; None: the search alone.

        Raises:
            InputError: a folder holds no model, the file holds no weights, or the utility is unknown.
            TypeError: `rescore` is something else than described.
        """
        if rescore is None and weights is None and mbr is None:
            return None
        from seq2seq.api.choosing import open_beside, open_choice, weighted, weighted_of  # it imports sacreBLEU

        models, length = weighted(weighted_of(rescore), None if weights is None else Path(weights))
        [folder, *_] = self._folders[direction]

        def opened(path: Path) -> Bundle:
            key = path.absolute()
            with self._opening:
                if key not in self._rescorers:
                    self._rescorers[key] = open_beside(path, folder, self._device, self.threads)
                return self._rescorers[key]

        return open_choice(models, length, mbr, opened)

    def bundle(self, direction: Direction, memory: str | None = None, share: float | None = None) -> Bundle:
        """The model of a direction, opened at its first use, with a translation memory if one is given."""
        with self._opening:
            folders = self._folders[direction]
            if folders not in self._opened:
                self._opened[folders], _ = open_model(folders, self._device, self.threads)
            bundle = self._opened[folders].toward(direction)
            if memory is None and share is None:
                return bundle
            key = direction, memory, share
            if key not in self._with_memory:
                self._with_memory[key] = with_translation_memory(bundle, memory, share)
            return self._with_memory[key]


def _reopened(folders: Mapping[Direction, tuple[Path, ...]], device: str, threads: int | None) -> Translator:
    """An unpickled translator."""
    return Translator(folders, device=device, threads=threads)


def check_types(options: Mapping[str, Any], known: Types) -> None:
    """Check the options that a Python program gives; None stands for the default.

    Raises:
        TypeError: one is of another type.
        InputError: one is an empty str, which would mean the default.
    """
    for name, (types, words) in known.items():
        value = options.get(name)
        if value is not None and (not isinstance(value, types) or (isinstance(value, bool) and bool not in types)):
            raise TypeError(f"{name} takes {words}, not {value!r}")
        if isinstance(value, str) and not value:
            raise InputError(f"{name} is empty; give {words}, or None")


def search_settings(defaults: SearchConfig, overrides: Mapping[str, Any], nbest: int | None = None) -> SearchConfig:
    """The model's own search settings with overrides, and with a beam at least as wide as the n-best list is long.

    Raises:
        InputError: a setting is unknown or out of range, or the beam among the overrides is too narrow for the list.
        TypeError: `nbest` is not an int.
    """
    if nbest is not None and type(nbest) is not int:
        raise TypeError(f"nbest takes an int, not {nbest!r}")
    if nbest is not None and nbest < 1:
        raise InputError(f"nbest = {nbest}: give a whole number of 1 or more")
    checked = build(SearchConfig, overrides, "search")
    config = replace(defaults, **{name: getattr(checked, name) for name in overrides})
    if nbest and nbest > config.beam:
        if "beam" in overrides:
            raise InputError(f"nbest {nbest} needs a beam at least as wide, not {config.beam}; give beam {nbest}")
        config = replace(config, beam=nbest)
    return config


def _texts(text: str | Iterable[str], function: str) -> list[str]:
    """The texts as a list.

    Raises:
        TypeError: not a str or an iterable of str.
        InputError: a text holds half of a surrogate pair, which UTF-8 cannot encode.
    """
    if isinstance(text, bytes | Mapping) or not isinstance(text, Iterable):
        raise TypeError(f"{function}() takes a str or a list of str, not {type(text).__name__}")
    texts = [text] if isinstance(text, str) else list(text)
    for number, item in enumerate(texts):
        if not isinstance(item, str):
            raise TypeError(f"{function}() takes a str or a list of str, but item {number} is {type(item).__name__}")
        try:
            item.encode("utf-8")
        except UnicodeEncodeError as e:
            raise InputError(
                f"text {number} cannot be encoded as UTF-8: {item[e.start]!r} at position {e.start} is half of a "
                "surrogate pair; decode the text again"
            ) from None
    return texts
