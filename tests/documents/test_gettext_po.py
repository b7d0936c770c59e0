"""PO files: only a msgstr changes, and what `msgfmt` checks holds.

Identity fills each empty msgstr with its msgid, so it is the file only where nothing is to be translated; elsewhere it
must be the file in all lines but those of the msgstr, and what it wrote must come back byte for byte.
"""

import codecs
import io
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roundtrip import LEFT, PLAIN, RIGHT, identity, marked, segments, unmarked

from seq2seq.documents.document import DocumentOptions, Slot, translated
from seq2seq.documents.messages import gettext_po
from seq2seq.errors import InputError
from seq2seq.segments.segment import Segment

HEADER = """\
# Words of a header.
msgid ""
msgstr ""
"Project-Id-Version: a 1\\n"
"Language: de\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""
EVERYTHING = DocumentOptions(everything=True)

BODIES = {
    "one": 'msgid "Hello"\nmsgstr ""\n',
    "no newline at the end": 'msgid "Hello"\nmsgstr ""',
    "finished": 'msgid "Hello"\nmsgstr "Hallo"\n',
    "several": 'msgid "One"\nmsgstr ""\n\nmsgid "Two"\nmsgstr "Zwei"\n\nmsgid "Three"\nmsgstr ""\n',
    "no blank lines": 'msgid "One"\nmsgstr ""\nmsgid "Two"\nmsgstr ""\n#: a.c\nmsgid "Three"\nmsgstr ""\n',
    "many blank lines": '\n\n\nmsgid "One"\nmsgstr ""\n\n\n\n#. x\n\nmsgid "Two"\nmsgstr ""\n\n\n',
    "comments": '# of a translator\n#. extracted\n#: a.c:1 b.c:2\n#, c-format\n#bare\n#\nmsgid "%d on"\nmsgstr ""\n',
    "unknown comments": '#= sticky\n#% other\n#|\nmsgid "Hello"\nmsgstr ""\n',
    "fuzzy": '#, fuzzy\n#| msgid "Hallo"\nmsgid "Hello"\nmsgstr "Salut"\n',
    "fuzzy with flags": '#, c-format, fuzzy, no-wrap\n#| msgid ""\n#| "x %d"\nmsgid "Hello %d"\nmsgstr "Salut %d"\n',
    "plural": 'msgid "%d file"\nmsgid_plural "%d files"\nmsgstr[0] ""\nmsgstr[1] ""\n',
    "plural in part": 'msgid "%d file"\nmsgid_plural "%d files"\nmsgstr[0] "%d Datei"\nmsgstr[1] ""\n',
    "plural with a form too few": 'msgid "%d file"\nmsgid_plural "%d files"\nmsgstr[0] ""\n\nmsgid "a"\nmsgstr ""',
    "contexts": 'msgctxt "menu"\nmsgid "Open"\nmsgstr ""\n\nmsgctxt "state"\nmsgid "Open"\nmsgstr ""\n',
    "a context without a msgid": 'msgctxt "menu"\nmsgid ""\nmsgstr ""\n',
    "wrapped": 'msgid ""\n"A long "\n"line\\n"\n"and another\\n"\nmsgstr ""\n',
    "wrapped and finished": 'msgid "A"\nmsgstr ""\n"A "\n"long "\n  "line"\n\n\n',
    "newlines": 'msgid "\\nHello\\n"\nmsgstr ""\n',
    "escapes": 'msgid "a \\"b\\" \\\\ c\\td"\nmsgstr ""\n',
    "a backslash at the end": 'msgid "a \\\\"\nmsgstr ""\n\nmsgid "\\\\n"\nmsgstr ""\n',
    "no words": 'msgid "..."\nmsgstr ""\n\nmsgid " "\nmsgstr ""\n',
    "obsolete": 'msgid "a"\nmsgstr ""\n\n# x\n#, fuzzy\n#~ msgid "Gone"\n#~ msgstr ""\n\n#~| msgid "y"\n#~ msgid "z"\n',
    "obsolete, then live": '#, fuzzy\n#~ msgid "Gone"\n#~ msgstr "x"\n\nmsgid "a"\nmsgstr "b"\n',
    "twice": 'msgid "a"\nmsgstr ""\n\nmsgid "a"\nmsgstr ""\n',
    "indented": '  msgid   "Hello"\n\tmsgstr   ""\n',
    "line separators": 'msgid "a\u2028b\u0085c"\nmsgstr ""\n',
    "file names": 'msgid "/etc/passwd"\nmsgstr ""\n',
    "markup": 'msgid "Press <b>%(key)s</b> &amp; go"\nmsgstr ""\n',
    "text after the last entry": 'msgid "a"\nmsgstr ""\n\n# The end.\n\n',
}


def document(body: str) -> bytes:
    return (HEADER + body).encode()


DOCUMENTS = {name: document(body) for name, body in BODIES.items()} | {
    "empty": b"",
    "blank": b"\n\n",
    "comments alone": b"# x\n",
    "header alone": HEADER.encode(),
    "no header": BODIES["several"].encode(),
    "CRLF": document(BODIES["several"] + BODIES["wrapped"] + BODIES["fuzzy"]).replace(b"\n", b"\r\n"),
    "byte order mark": codecs.BOM_UTF8 + document(BODIES["several"]),
}


def without_msgstr(text: str) -> list[str]:
    """The lines that may not change: all but msgstr, `#|` and blank ones; without the flag fuzzy."""
    kept, inside = list[str](), False
    for line in unmarked(text).replace("\u2028", "").replace("\u0085", "").splitlines():
        word = line.strip()
        inside = word.startswith("msgstr") or (inside and word.startswith('"'))
        flags = [flag.strip() for flag in word.split(",")]
        if not inside and not word.startswith("#|") and flags != ["#", "fuzzy"]:
            kept.append(", ".join(flag for flag in flags if flag != "fuzzy") if word.startswith("#,") else line)
    return kept


@pytest.mark.parametrize("name", DOCUMENTS)
def test_only_msgstr_and_what_fuzzy_entails_changes(name: str) -> None:
    before = DOCUMENTS[name]
    same, other = identity(gettext_po, before), marked(gettext_po, before)
    assert unmarked(other.decode()).encode() == same
    assert identity(gettext_po, same) == same
    for after in (same, other):
        assert [line for line in without_msgstr(after.decode()) if "obsolete" not in name] == [
            line for line in without_msgstr(before.decode()) if "obsolete" not in name
        ]
        assert (b"\r\n" in after) == (b"\r\n" in before)
        assert after.endswith(b"\n") == before.endswith(b"\n")


@pytest.mark.parametrize("name", ["obsolete", "obsolete, then live"])
def test_obsolete_entries_stay(name: str) -> None:
    before, after = (text.splitlines() for text in (DOCUMENTS[name], marked(gettext_po, DOCUMENTS[name])))
    assert [line for line in after if line.startswith(b"#")] == [line for line in before if line.startswith(b"#")]


@pytest.mark.parametrize("name", ["finished", "no words", "wrapped and finished", "header alone", "comments alone"])
def test_what_is_finished_stays_byte_for_byte(name: str) -> None:
    assert identity(gettext_po, DOCUMENTS[name]) == DOCUMENTS[name] == marked(gettext_po, DOCUMENTS[name])


@pytest.mark.parametrize("options", [PLAIN, EVERYTHING], ids=["unfinished", "everything"])
@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name not in ("comments alone", "empty", "blank")])
def test_polib_finds_each_text_marked_that_was_to_be_translated(name: str, options: DocumentOptions) -> None:
    source = DOCUMENTS[name].decode("utf-8-sig").replace("\u2028", " ").replace("\u0085", " ")
    source = "".join(
        line for line in source.splitlines(keepends=True) if not line.startswith(("#|\n", "#bare", "#%", "#="))
    )
    before = list(polib.pofile(source))
    after = list(polib.pofile(marked(gettext_po, source.encode(), options).decode()))
    assert [(entry.msgid, entry.msgctxt) for entry in after] == [(entry.msgid, entry.msgctxt) for entry in before]
    for old, new in zip(before, after, strict=True):
        redo = ("fuzzy" in old.flags or options.everything) and not old.obsolete
        words = any(char.isalnum() for char in old.msgid) and not old.obsolete
        for key, text in (new.msgstr_plural or {0: new.msgstr}).items():
            was = old.msgstr_plural.get(key, "") if old.msgid_plural else old.msgstr
            source_text = old.msgid_plural if old.msgid_plural and key else old.msgid
            if words and (redo or not was):
                assert text.strip() == f"{LEFT}{source_text.strip()}{RIGHT}"
                assert unmarked(text) == source_text
            else:
                assert text == was
        assert "fuzzy" not in new.flags or old.obsolete


@pytest.mark.skipif(not shutil.which("msgfmt"), reason="gettext is not installed")
@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name not in ("empty", "blank", "comments alone")])
def test_msgfmt_accepts_what_it_accepted_before(name: str, tmp_path: Path) -> None:
    def problems(content: bytes) -> str:
        path = tmp_path / "a.po"
        path.write_bytes(content)
        command = ["msgfmt", "-c", "--check-header", "-o", str(tmp_path / "a.mo"), str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stderr

    before = problems(DOCUMENTS[name])
    for after in (identity(gettext_po, DOCUMENTS[name]), marked(gettext_po, DOCUMENTS[name])):
        assert before or not problems(after)


def test_what_is_translated_is_not_fuzzy_any_more() -> None:
    one, two = document(BODIES["fuzzy"]), document(BODIES["fuzzy with flags"])
    assert identity(gettext_po, one) == document('msgid "Hello"\nmsgstr "Hello"\n')
    assert identity(gettext_po, two) == document('#, c-format, no-wrap\nmsgid "Hello %d"\nmsgstr "Hello %d"\n')


def test_leading_and_trailing_white_space_is_that_of_the_msgid() -> None:
    assert segments(gettext_po, document('msgid "\\n Hello\\nyou \\n"\nmsgstr ""\n')) == [Segment("Hello\nyou")]
    result = marked(gettext_po, document('msgid "\\n Hello \\n"\nmsgstr ""\n')).decode()
    assert result.endswith(f'msgstr ""\n"\\n"\n" {LEFT}Hello{RIGHT} \\n"\n')


def test_escapes_are_decoded_once_and_encoded_once() -> None:
    body = BODIES["escapes"] + "\n" + BODIES["a backslash at the end"]
    assert [s.text for s in segments(gettext_po, document(body))] == ['a "b" \\ c\td', "a \\", "\\n"]
    assert f'msgstr "{LEFT}a \\"b\\" \\\\ c\\td{RIGHT}"\n' in marked(gettext_po, document(body)).decode()


@pytest.mark.parametrize(
    ("rule", "forms", "texts"),
    [
        ("nplurals=1; plural=0;", 1, ["%d files"]),
        ("nplurals=2; plural=n>1;", 2, ["%d file", "%d files"]),
        ("nplurals=2; plural=(n==1);", 2, ["%d files", "%d file"]),
        (
            "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 ? 1 : 2);",
            2,
            ["%d file", *["%d files"] * 2],
        ),
        ("nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : 5;", 6, ["%d files", "%d file", *["%d files"] * 4]),
        ("nplurals=INTEGER; plural=EXPRESSION;", 2, ["%d file", "%d files"]),
        ("nplurals=2; plural=n/0;", 2, ["%d file", "%d files"]),
        ("nplurals=99999999; plural=n;", 2, ["%d file", "%d files"]),
        ("nonsense", 2, ["%d file", "%d files"]),
    ],
)
def test_each_plural_form_gets_its_source(rule: str, forms: int, texts: list[str]) -> None:
    source = HEADER.replace("nplurals=2; plural=(n != 1);", rule)
    source += 'msgid "%d file"\nmsgid_plural "%d files"\n' + "".join(f'msgstr[{i}] ""\n' for i in range(forms))
    assert [segment.text for segment in segments(gettext_po, source.encode())] == texts
    entry = polib.pofile(identity(gettext_po, source.encode()).decode())[0]
    assert entry.msgstr_plural == dict(enumerate(texts))


TEMPLATE = """\
# SOME DESCRIPTIVE TITLE.
#, fuzzy
msgid ""
msgstr ""
"Project-Id-Version: a 1\\n"
"PO-Revision-Date: 2026-11-30 12:00+0000\\n"
"Last-Translator: A <a@example.com>\\n"
"Language-Team: German\\n"
"Language: \\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=CHARSET\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=INTEGER; plural=EXPRESSION;\\n"

#, c-format
msgid "%d file"
msgid_plural "%d files"
msgstr[0] ""
msgstr[1] ""

msgid "It’s"
msgstr ""
"""
LINES = '"Language: \\n"\n', '"Plural-Forms: nplurals=INTEGER; plural=EXPRESSION;\\n"\n'


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("lacking", [False, True], ids=["open", "lacking"])
@pytest.mark.parametrize(("language", "name", "forms"), [("de", "de", 2), ("ja", "ja", 1), ("pt-BR", "pt_BR", 3)])
def test_the_header_of_a_template_is_completed(
    language: str, name: str, forms: int, lacking: bool, newline: str, tmp_path: Path
) -> None:
    """As xgettext and Babel write templates: gettext and Babel take none of them as translations."""
    content = TEMPLATE.replace(LINES[0], "").replace(LINES[1], "") if lacking else TEMPLATE
    content = content.replace("\n", newline)
    result = identity(gettext_po, content.encode(), DocumentOptions(src="en", tgt=language))
    read = polib.pofile(result.decode().replace(newline, "\n"))
    assert result.count(b"\r") == (result.count(b"\n") if newline == "\r\n" else 0)
    assert read.metadata["Language"] == name
    assert read.metadata["Plural-Forms"].startswith(f"nplurals={forms};")
    assert read.metadata["Content-Type"].endswith("charset=UTF-8")
    assert not read.metadata_is_fuzzy
    assert len(read[0].msgstr_plural) == forms
    again = identity(gettext_po, result, DocumentOptions(src="en", tgt="fr"))
    assert again == result  # it is no template any more
    if shutil.which("msgfmt"):
        (tmp_path / "a.po").write_bytes(result)
        command = ["msgfmt", "-c", "-o", str(tmp_path / "a.mo"), str(tmp_path / "a.po")]
        assert subprocess.run(command, capture_output=True, text=True, check=False).stderr == ""


def test_a_header_stays_where_it_names_a_language_or_no_target_is_known() -> None:
    unnamed = TEMPLATE.encode()
    assert identity(gettext_po, unnamed).partition(b"#, c-format")[0] == unnamed.partition(b"#, c-format")[0]
    named = unnamed.replace(b"Language: ", b"Language: en")
    result = identity(gettext_po, named, DocumentOptions(src="en", tgt="de"))
    assert result.partition(b"#, c-format")[0] == named.partition(b"#, c-format")[0]


def test_a_form_for_many_numbers_is_not_filled_from_a_text_without_the_number() -> None:
    body = 'msgid "One file"\nmsgid_plural "%d files"\nmsgstr[0] ""\nmsgstr[1] ""\n'
    assert [s.text for s in segments(gettext_po, document(body))] == ["One file", "%d files"]
    russian = document(body).replace(b"plural=(n != 1)", b"plural=(n%10!=1)")
    assert [s.text for s in segments(gettext_po, russian)] == ["%d files", "%d files"]


def test_of_a_key_the_text_in_its_comment_is_translated() -> None:
    """`label_save` as the translation of `label_save` would be what a person sees."""
    body = '#. Default: "Save \\"all\\" of ${n}"\n#: a.pt\nmsgid "label_save"\nmsgstr ""\n\n'
    body += '#. Default: "x"\nmsgid "Two words"\nmsgstr ""\n\n#. Default: none\nmsgid "word"\nmsgstr ""\n'
    body += '\n#. Default: "5"\nmsgid "Timeout"\nmsgstr ""\n'
    texts = ['Save "all" of ${n}', "Two words", "word", "Timeout"]
    assert [segment.text for segment in segments(gettext_po, document(body))] == texts
    written = marked(gettext_po, document(body)).decode()
    assert [entry.msgstr for entry in polib.pofile(written)] == [f"{LEFT}{text}{RIGHT}" for text in texts]
    assert [entry.msgid for entry in polib.pofile(written)] == ["label_save", *texts[1:]]


def test_a_msgstr_that_says_the_same_keeps_its_lines() -> None:
    content = document('msgid "Hello you"\nmsgstr ""\n"Hello "\n"you"\n')
    assert identity(gettext_po, content, EVERYTHING) == content


def test_the_character_set_of_the_header_is_kept() -> None:
    content = document('msgid "Grüße"\nmsgstr ""\n').decode().replace("UTF-8", "ISO-8859-1").encode("latin-1")
    assert identity(gettext_po, content).endswith('msgstr "Grüße"\n'.encode("latin-1"))
    with pytest.raises(InputError, match=r"line 11: .* ISO-8859-1 has no '⟦'; convert the file to UTF-8"):
        marked(gettext_po, content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (document('msgid "a"\nmsgstr "b" x "c"\n'), "line 12: not an entry"),
        (document('msgid "a"\n\nnonsense\n'), "line 13: not an entry"),
        (document('msgid "a"\nmsgid "b"\nmsgstr "c"\n'), "line 12: not an entry"),
        (HEADER.encode() + b'msgid "a"\nmsgstr ""\n\nmsgid "\xff"\nmsgstr ""\n', "line 14: not UTF-8"),
        (HEADER.replace("UTF-8", "klingon").encode(), "line 1: the character set 'klingon' is not known"),
        (HEADER.replace("UTF-8", "hex").encode(), "line 1: the character set 'hex' is not known"),
        (HEADER.replace("UTF-8", "utf-16").encode(), "line 1: the character set 'utf-16' is not known"),
        (document('msgid "a\nmsgstr ""\n'), "line 11: not an entry of a PO file: a string is not closed"),
        (document('msgid "a\\"\nmsgstr ""\n'), "line 11: not an entry of a PO file: a string is not closed"),
        (document('msgid "a"\nmsgstr ""\n"b\n'), "line 13: not an entry of a PO file: a string is not closed"),
        (b"\x7fELF\0\0\xff", "line 1: not"),
        (HEADER.encode("utf-16"), "line 1: not"),
        (b'"a"\n', "line 1: not an entry"),
    ],
)
def test_what_is_broken_is_one_line_that_says_where(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        identity(gettext_po, content)
    assert "\n" not in str(caught.value)


ALL = b"\n".join(DOCUMENTS.values())


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(ALL)), st.integers(0, 400), st.binary(max_size=4))
def test_mutated_files_are_read_or_refused(place: int, size: int, inserted: bytes) -> None:
    content = (ALL[max(0, place - size) : place] + inserted + ALL[place:])[:3000]
    try:
        result = identity(gettext_po, content)
    except InputError:
        return
    assert identity(gettext_po, result) == result


def test_a_large_file_is_read_in_parts() -> None:
    def lines() -> Iterator[bytes]:
        yield HEADER.encode()
        for number in range(30_000):
            read.append(number)
            yield f'#~ msgid "{number}"\n\nmsgid "Text {number}"\nmsgstr ""\n\n'.encode()

    class Source(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
            data = next(each, b"")
            buffer[: len(data)] = data
            return len(data)

    read, each = list[int](), lines()
    events = gettext_po.events(io.BufferedReader(Source()), PLAIN)
    assert next(event for event in events if isinstance(event, Slot)).segment.text == "Text 0"
    assert len(read) < 10_000
    assert b"".join(translated(events, iter)).count(b"Text 29999") == 2
