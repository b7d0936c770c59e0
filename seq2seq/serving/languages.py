"""Language codes, compared as BCP 47 and its look-up (RFC 4647) do, and the names of languages in English."""

from collections.abc import Iterable

from babel import Locale
from babel.core import get_global


def find_code(code: str, known: Iterable[str]) -> str | None:
    """The known code that a requested one means: `DE`, `de-AT`, `de_DE` and `deu` mean `de`; None if there is none.

    A longer code falls back to a shorter one. A shorter one means the first known code that begins with it, as `zh`
    means `zh-Hans`.
    """
    by_canonical = dict[str, str]()
    for each in known:
        by_canonical.setdefault(canonical(each), each)
    wanted = canonical(code)
    subtags = wanted.split("-")
    for length in range(len(subtags), 0, -1):
        if found := by_canonical.get("-".join(subtags[:length])):
            return found
    return next((each for name, each in by_canonical.items() if name.startswith(f"{wanted}-")), None)


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
