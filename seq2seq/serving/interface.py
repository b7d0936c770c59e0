"""The requests and answers of LibreTranslate's interface: their fields, which the specification describes, and checks.

A field that is null or empty counts as missing; a field that no request has is ignored. Knows neither HTTP nor models.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from seq2seq.serving.limits import Limits, RefusedError

Format = Literal["text", "html"]
Code = Annotated[str, Meta(description="a language's code, as BCP 47 compares them", examples=["de", "de-AT"])]
Source = Annotated[str, Meta(description='the code of the language of the text, or "auto": it is detected')]
ApiKey = Annotated[str, Meta(description="the key of the client, where the server asks for keys")]

Glossary = Annotated[
    dict[str, str] | str,
    Meta(
        description="terms and the translations that they get, as an object; or as text, a term, a tab and its "
        "translation on each line (not LibreTranslate's)"
    ),
]
Avoid = Annotated[
    list[str] | str,
    Meta(description="phrases that no translation holds; as text, one on each line (not LibreTranslate's)"),
]

# ---- requests ----------------------------------------------------------------------------------------------------


class TranslateRequest(Struct):
    """Texts to translate."""

    q: Annotated[str | list[str], Meta(description="the text, or a list of texts; in a form: repeated")]
    source: Source
    target: Code
    format: Annotated[Format, Meta(description="plain text, or HTML whose markup is kept")] = "text"
    alternatives: Annotated[int, Meta(ge=0, description="how many other translations are wanted; 10 at most")] = 0
    api_key: ApiKey = ""
    alignments: Annotated[bool, Meta(description="whether word alignments are wanted (not LibreTranslate's)")] = False
    sentences: Annotated[
        bool, Meta(description="whether the text is answered sentence by sentence (not LibreTranslate's)")
    ] = False
    glossary: Glossary = ""
    avoid: Avoid = ""


class DetectRequest(Struct):
    """A text whose language is asked for."""

    q: Annotated[str | list[str], Meta(description="the text; a list is taken as one text")]
    api_key: ApiKey = ""


class SuggestRequest(Struct):
    """A better translation."""

    q: Annotated[str, Meta(description="the text that was translated")]
    s: Annotated[str, Meta(description="the better translation")]
    source: Source
    target: Code
    api_key: ApiKey = ""


Columns = Annotated[
    str | list[str],
    Meta(description="CSV, TSV: columns to translate, by name or number; in the form: repeated (not LibreTranslate's)"),
]


class FileFields(Struct):
    """The fields beside a document to translate."""

    source: Source
    target: Code
    api_key: ApiKey = ""
    columns: Columns = msgspec.field(default_factory=list)
    glossary: Glossary = ""
    avoid: Avoid = ""


class FileRequest(Struct):
    """A document to translate."""

    file: Annotated[bytes, Meta(description="the document, as a file of multipart/form-data")]
    source: Source
    target: Code
    api_key: ApiKey = ""
    columns: Columns = msgspec.field(default_factory=list)
    glossary: Glossary = ""
    avoid: Avoid = ""


# ---- answers -----------------------------------------------------------------------------------------------------


class Detected(Struct):
    """A language that a text is in."""

    confidence: Annotated[float, Meta(ge=0, le=100, description="percent; 0 where nothing in the text tells")]
    language: Code


Links = Annotated[list[list[int]], Meta(description="pairs of a source word and a target word, counted from 0")]


class TranslateAnswer(Struct):
    """The translations; each field holds a list of one for each text where the request's `q` is a list."""

    translatedText: Annotated[str | list[str], Meta(description="the translation")]  # noqa: N815 (LibreTranslate's)
    detectedLanguage: Detected | list[Detected] | UnsetType = UNSET  # noqa: N815
    alternatives: (
        Annotated[
            list[str | list[str]],
            Meta(description="other translations, best first; fewer than wanted where there are no more"),
        ]
        | UnsetType
    ) = UNSET
    alignments: Annotated[list[Any], Meta(description="for each line (of HTML: segment) the links")] | UnsetType = UNSET
    sentences: (
        Annotated[
            list[str],
            Meta(
                description="the text in pieces: sentences, what stands between them, line breaks; each other field "
                "but `detectedLanguage` is a list of one for each piece"
            ),
        ]
        | UnsetType
    ) = UNSET


class Language(Struct):
    """A language of a model."""

    code: Code
    name: Annotated[str, Meta(description="its English name")]
    targets: Annotated[list[str], Meta(description="the codes of the languages that it can be translated to")]


class NamedCode(Struct):
    """A language by code and name."""

    code: str
    name: str


class LanguageDefaults(Struct):
    """The languages that a page may begin with."""

    source: NamedCode
    target: NamedCode


class Settings(Struct):
    """What a page or a program may want to know before it asks."""

    charLimit: Annotated[int, Meta(description="most characters of a request")]  # noqa: N815
    frontendTimeout: Annotated[int, Meta(description="milliseconds to wait after typing")]  # noqa: N815
    apiKeys: Annotated[bool, Meta(description="whether there are keys")]  # noqa: N815
    keyRequired: Annotated[bool, Meta(description="whether a key is needed")]  # noqa: N815
    suggestions: Annotated[bool, Meta(description="whether /suggest takes suggestions")]
    filesTranslation: Annotated[bool, Meta(description="whether documents are translated")]  # noqa: N815
    supportedFilesFormat: Annotated[list[str], Meta(description="endings of documents")]  # noqa: N815
    language: LanguageDefaults


class FileAnswer(Struct):
    """Where the translated document is."""

    translatedFileUrl: Annotated[str, Meta(description="its address, for some minutes")]  # noqa: N815


class SuggestAnswer(Struct):
    """The suggestion was kept."""

    success: bool


class Health(Struct):
    """The server answers."""

    status: Literal["ok"]


class Failure(Struct):
    """Why a request was not served."""

    error: Annotated[str, Meta(description="what is wrong, and what to do about it")]


# ---- checks ------------------------------------------------------------------------------------------------------

T = TypeVar("T", bound=Struct)


def parse(fields: Mapping[str, Any], kind: type[T]) -> T:
    """The request of the fields; numbers and truth values may be written as text, as forms do.

    Raises:
        RefusedError: a field is missing or not understood, or a text cannot be encoded as UTF-8 (400).
    """
    given = {name: value for name, value in fields.items() if value not in (None, "", [])}
    for field in msgspec.structs.fields(kind):
        if field.required and field.name not in given:
            raise RefusedError(400, f'"{field.name}" is missing; send {_required(kind)}')
    try:
        for value in given.values():
            values = [*value, *value.values()] if isinstance(value, dict) else value
            for text in values if isinstance(values, list) else [values]:
                str(text).encode()
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as e:
        message = str(e).replace("`", "").replace(" - at $.", ": ")
        raise RefusedError(400, f"a field is not understood ({message}); GET /docs describes them") from None
    except UnicodeEncodeError:
        raise RefusedError(400, "a text holds half of a surrogate pair; encode it as UTF-8 again") from None


def _required(kind: type[Struct]) -> str:
    return ", ".join(f'"{field.name}"' for field in msgspec.structs.fields(kind) if field.required)


class Texts(NamedTuple):
    """The texts of a request."""

    texts: list[str]
    is_list: bool  # and so is each part of the answer


def texts_of(q: str | list[str], limits: Limits) -> Texts:
    """The texts of a request.

    Raises:
        RefusedError: there are too many, or they are too long (400).
    """
    texts = q if isinstance(q, list) else [q]
    if len(texts) > limits.texts:
        raise RefusedError(400, f"{len(texts)} texts are more than {limits.texts}; send them in parts")
    if limits.characters and (size := sum(map(len, texts))) > limits.characters:
        raise RefusedError(400, f"{size} characters are more than {limits.characters}; send the text in parts")
    return Texts(texts, isinstance(q, list))
