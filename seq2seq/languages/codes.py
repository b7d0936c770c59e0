"""Compares what stands for a language: tags of BCP 47, codes of ISO 639, names in English or in the language itself.

`matches` and `fits` compare names as people write them, in headers and in names of files; `find_code` is the look-up of
RFC 4647, for a code that a person or a program asks for. This module does not know files.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from itertools import combinations
from typing import NamedTuple

from babel import Locale
from babel.core import get_global
from babel.languages import get_official_languages

from seq2seq.errors import InputError


class Tag(NamedTuple):
    """A language, and the further subtags of its tag (script, region, variant) in small letters."""

    language: str
    subtags: tuple[str, ...]


@cache
def tag_of(name: str) -> Tag | None:
    """The tag that a name stands for (`DE`, `deu`, `de-DE`, `de_DE.UTF-8`, `German`, `Deutsch`); None if it is none."""
    words = re.split("[-_@]", name.strip().partition(".")[0].lower())
    language = canonical(words[0]).partition("-")[0]
    if language in Locale("en").languages and all(re.fullmatch("[a-z0-9]{2,8}", word) for word in words[1:]):
        return Tag(language, tuple(words[1:]))
    spoken = _names().get(name.strip().lower())
    return Tag(spoken, ()) if spoken else None


@cache
def _names() -> dict[str, str]:
    """The code of each language by its name in English, and of common languages by their names in these."""
    names: dict[str, str] = {}
    for speaker in map(Locale, _COMMON.split()):
        names |= {speaker.languages[code].lower(): code for code in _COMMON.split()}
    return names | {name.lower(): code for code, name in Locale("en").languages.items() if "_" not in code}


AUTO = "auto"  # in the place of a language: to be detected
_SHORT = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")  # such a code as stands in no text otherwise
_COMMON = "en ar cs da de el es fi fr he hi hu id it ja ko nl nb pl pt ro ru sv th tr uk vi zh"
SIDES = ({"source", "src"}, {"target", "tgt", "trg"})


def side_of(name: str) -> int | None:
    """0 for a name of the side to translate from (`source`, `src`), 1 for one of the other; None for others."""
    return next((side for side, names in enumerate(SIDES) if name.strip().lower() in names), None)


def matches(names: Iterable[str], languages: Sequence[str], where: str) -> dict[str, str]:
    """The names that stand for each of the languages, by language; a language that none stands for is left out.

    A name that is spelt as the language is taken; otherwise one with the same tag; otherwise the only one of which the
    tag is more general or more special: `de` finds `de-DE`, `pt-BR` finds `pt`.

    Args:
        names: for example of columns.
        languages: as the user wrote them.
        where: of the names, for messages.

    Raises:
        InputError: several names fit equally well, or one is the best for two languages.
    """
    names, found = list(names), {}
    for language in languages:
        wanted = tag_of(language)
        for fits in (
            lambda name, language=language: name == language,
            lambda name, wanted=wanted: wanted is not None and tag_of(name) == wanted,
            lambda name, wanted=wanted: same_language(wanted, tag_of(name)),
        ):
            candidates = [name for name in names if fits(name)]
            if len(candidates) > 1:
                listed = ", ".join(candidates)
                advice = "name one of them in full" if len(set(candidates)) > 1 else "rename one of them"
                raise InputError(f"{where}: {listed} all fit {language!r}; {advice}")
            if candidates:
                found[language] = candidates[0]
                break
    for (one, name), (other, same_name) in combinations(found.items(), 2):
        if name == same_name:
            raise InputError(f"{where}: {name} is both {one!r} and {other!r}; name one of the two languages")
    return found


def same_language(one: Tag | None, other: Tag | None) -> bool:
    """Whether two tags are of one language, and one of them has all subtags of the other.

    A region stands for its script as well: `zh-TW` is `zh-Hant`, and `zh-CN` is `zh-Hans`.
    """
    if one is None or other is None or one.language != other.language:
        return False
    shorter, longer = sorted((set(_with_script(tag)) for tag in (one, other)), key=len)
    return shorter <= longer


@cache
def _with_script(tag: Tag) -> tuple[str, ...]:
    """The subtags of a tag with the script that is likely in its region, if it has a region and no script."""
    region = next((subtag for subtag in tag.subtags if re.fullmatch("[a-z]{2}|[0-9]{3}", subtag)), None)
    if not region or any(re.fullmatch("[a-z]{4}", subtag) for subtag in tag.subtags):
        return tag.subtags
    likely = get_global("likely_subtags")
    words = (likely.get(f"{tag.language}_{region.upper()}") or likely.get(tag.language, "")).split("_")
    return (*(word.lower() for word in words[1:2]), *tag.subtags)


def is_regional(language: str, region: str) -> bool:
    """Whether two words are a language and a region as BCP 47 spells them: `pt` and `BR`, but not `pt` and `br`."""
    known = region in Locale("en").territories or region in get_global("territory_aliases")
    return re.fullmatch("[a-z]{2,3}", language) is not None and re.fullmatch("[A-Z]{2}", region) is not None and known


def is_spoken_in(language: str, region: str) -> bool:
    """Whether a language is an official one of a region, in any spelling: `pt` in `br`, but not `en` in `de`."""
    official = [name.partition("_")[0] for name in get_official_languages(region.upper(), regional=True, de_facto=True)]
    return canonical(language) in official


def same(one: str, other: str) -> bool:
    """Whether two names stand for one language and the same variant of it: `en`, `EN`, `eng`, but not `pt-BR`, `pt`."""
    return one == other or (tag_of(one) is not None and tag_of(one) == tag_of(other))


def fits(name: str, language: str) -> bool:
    """Whether a name stands for the language that a user wrote."""
    return name == language or same_language(tag_of(name), tag_of(language))


def distance(name: str, language: str) -> int:
    """Of a name that fits a language: 0 if it is spelt so, 1 if it stands for the same, 2 if it is a variant of it."""
    return 0 if name == language else 1 if same(name, language) else 2


# ---- codes ----------------------------------------------------------------------------------------------------------


def find_code(code: str, known: Iterable[str]) -> str | None:
    """The known code that a requested one means: `DE`, `de-AT`, `de_DE` and `deu` mean `de`; None if there is none.

    A longer code falls back to a shorter one. A shorter one means the first known code that begins with it, as `zh`
    means `zh-Hans`. A region stands for its script, as `zh-TW` for `zh-Hant`.
    """
    by_canonical = dict[str, str]()
    for each in known:
        for name in (canonical(each), _scripted(each)):
            by_canonical.setdefault(name, each)
    wanted, scripted = canonical(code), _scripted(code)
    for name in (*_shortened(wanted)[:-1], *_shortened(scripted)):
        if found := by_canonical.get(name):
            return found
    return next((each for name, each in by_canonical.items() if name.startswith(f"{wanted}-")), None)


def _scripted(code: str) -> str:
    """The canonical code, with the script of its region."""
    language, *others = canonical(code).split("-")
    return "-".join([language, *_with_script(Tag(language, tuple(others)))])


def _shortened(code: str) -> list[str]:
    """A code and those that it falls back to, down to the language."""
    subtags = code.split("-")
    return ["-".join(subtags[:length]) for length in range(len(subtags), 0, -1)]


def canonical(code: str) -> str:
    """The code in lower case, with hyphens, and with a language of three letters as its code of two letters."""
    language, *others = code.strip().lower().replace("_", "-").split("-")
    aliases = get_global("language_aliases")
    return "-".join([str(aliases.get(language, language)).lower().replace("_", "-"), *others])


def name_of(code: str) -> str:
    """The English name of a language, such as "German"; the code where it has none."""
    names = Locale("en").languages
    language, *others = canonical(code).split("-")
    longer = "_".join([language, *(tag.title() if len(tag) == 4 else tag.upper() for tag in others)])
    return str(names.get(longer) or names.get(language) or code)


def is_auto(language: str | None) -> bool:
    """Whether AUTO stands in the place of a language; capitals do not matter, as in a code."""
    return language is not None and language.strip().lower() == AUTO


def named_direction(languages: Collection[str], src: str, tgt: str) -> tuple[str, str] | None:
    """The direction that two codes, or two names, stand for, at least one of these languages; None if they do not.

    Codes are compared as BCP 47 does: `EN`, `en-GB` and `eng` mean `en`, as `English` does. The languages are spelt as
    in `languages`.
    """
    codes = [_code_of(name, languages) for name in (src, tgt)]
    if not (codes[0] and codes[1]) or same(codes[0], codes[1]):
        return None
    named = [find_code(code, languages) for code in codes if code]
    return (named[0] or codes[0], named[1] or codes[1]) if any(named) else None


def _code_of(name: str, languages: Collection[str]) -> str | None:
    """The code that a code or a name is; None for what is neither, or no more than a word."""
    tag = tag_of(name)
    if name in languages or (tag and _SHORT.fullmatch(name)):
        return name
    return tag.language if tag else None
