"""Programs that exist, as their users run them; and the requests of further ones, as their sources write them."""

import asyncio
import io
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from asking import ask, ask_json, multipart
from served import Translators

PAIR = {"source": "en", "target": "de"}
TEXT = "A cat sleeps."


@pytest.fixture(scope="module")
def expected(shipped: Translators) -> str:
    """The translation of TEXT."""
    return shipped["en", "de"].translate([TEXT])[0]


# ---- unchanged clients -------------------------------------------------------------------------------------------


def test_libretranslatepy(languages: str, expected: str) -> None:
    client = pytest.importorskip("libretranslatepy").LibreTranslateAPI(languages)
    assert client.translate(TEXT, "en", "de") == expected
    assert client.detect("Wo ist der Bahnhof?")[0]["language"] == "de"
    assert {"code": "de", "name": "German", "targets": ["en", "es", "fr", "ja", "nl"]} in client.languages()


def test_deep_translator(languages: str, expected: str) -> None:
    made = pytest.importorskip("deep_translator").LibreTranslator
    client = made(source="English", target="German", api_key="none", custom_url=f"{languages}/")
    assert client.translate(TEXT) == expected
    assert client.translate_batch([TEXT, TEXT]) == [expected, expected]


def test_libretranslate_aio(languages: str, expected: str) -> None:
    package = pytest.importorskip("libretranslate_aio")

    async def use() -> None:
        async with package.AsyncLibreTranslate(languages) as client:
            assert (await client.translate(TEXT, "en", "de")).translated_text == expected
            several = await client.translate([TEXT, "Two dogs."], "auto", "de", alternatives=1, format="html")
            assert several.translated_text[0] and len(several.detected_language) == len(several.alternatives) == 2
            assert (await client.detect("Wo ist der Bahnhof?"))[0].language == "de"
            assert {each.code for each in await client.languages()} == {"de", "en", "es", "fr", "ja", "nl"}
            assert await client.health() and await client.suggest(TEXT, expected, "en", "de")
            assert not (await client.frontend_settings()).key_required
            file = io.BytesIO(f"{TEXT}\n".encode())
            file.name = "letter.txt"
            answer = await client.translate_file(file, "en", "de")
            assert ask(answer.translated_file_url).content.decode() == f"{expected}\n"
            with pytest.raises(package.BadRequestError):
                await client.translate(TEXT, "en", "tlh")

    asyncio.run(use())


NPM = Path(os.environ.get("NODE_PATH", ""), "libretranslate")


@pytest.mark.skipif(not (shutil.which("node") and NPM.is_dir()), reason="needs node, and libretranslate in NODE_PATH")
def test_npm_libretranslate(languages: str, expected: str) -> None:
    script = """
        const [apiurl, query] = process.argv.slice(1);
        require("libretranslate").translate({query, source: "en", target: "de", apiurl}).then(t => console.log(t));
    """
    result = subprocess.run(["node", "-e", script, languages, TEXT], capture_output=True, text=True, timeout=60)
    assert (result.stdout, result.stderr) == (f"{expected}\n", "")


# ---- requests of other programs ----------------------------------------------------------------------------------


def test_weblate_sends_lists_with_placeholders(languages: str) -> None:
    """Weblate 5.14, weblate/machinery/libretranslate.py."""
    assert {"code", "name", "targets"} <= ask(f"{languages}/languages").content[0].keys()
    texts = ["Save", "%d file", "Hello, <b>%(name)s</b>!"]
    answer = ask_json(f"{languages}/translate", {"api_key": "", "q": texts, **PAIR}).content
    assert len(answer["translatedText"]) == 3
    assert "%d" in answer["translatedText"][1]
    for kept in ("<b>", "</b>", "%(name)s"):
        assert answer["translatedText"][2].count(kept) == 1


def test_mastodon_sends_html_whose_mentions_stay(languages: str) -> None:
    """Mastodon 4, app/lib/translation_service/libre_translate.rb."""
    link = '<a href="https://example.com/@bob" class="mention">@bob</a>'
    fields = {"q": [f"<p>Good morning, {link}!</p>", "a warning"], "source": "auto", "target": "de", "format": "html"}
    answer = ask_json(f"{languages}/translate", {**fields, "api_key": None}).content
    first, second = answer["translatedText"]
    assert link in first and first.startswith("<p>") and first.endswith("</p>") and second
    assert [each["language"] for each in answer["detectedLanguage"]] == ["en", "en"]


def test_discourse_sends_a_form_of_html(languages: str) -> None:
    """discourse-translator, app/services/discourse_translator/libre_translate.rb."""
    fields = {"q": "<p>A <em>cat</em> sleeps.</p>", "source": "auto", "target": "de", "format": "html", "api_key": ""}
    answer = ask(f"{languages}/translate", urlencode(fields).encode()).content
    assert answer["translatedText"].count("<em>") == answer["translatedText"].count("</em>") == 1
    assert answer["detectedLanguage"]["language"] == "en"
    assert ask(f"{languages}/detect", urlencode({"q": "Guten Morgen", "api_key": ""}).encode()).content[0]


@pytest.mark.parametrize("in_query", [False, True])
def test_omegat_sends_a_form_or_a_query(languages: str, expected: str, in_query: bool) -> None:
    """OmegaT's plugin omegat-libretranslate; older ones write all into the query string."""
    fields = urlencode({"q": TEXT, **PAIR, "format": "text", "api_key": "x"})
    url = f"{languages}/translate"
    answer = ask(f"{url}?{fields}", b"") if in_query else ask(url, fields.encode())
    assert answer.content == {"translatedText": expected}


def test_the_php_client_of_nextcloud_sends_multipart(languages: str, expected: str) -> None:
    """jefs42/libretranslate, src/LibreTranslate.php."""
    assert ask(f"{languages}/", b"").status < 500
    body, kind = multipart({"q": TEXT, "format": "text", **PAIR, "api_key": ""})
    assert ask(f"{languages}/translate", body, content_type=kind).content == {"translatedText": expected}


def test_misskey_asks_for_a_regional_target(languages: str) -> None:
    """Misskey, packages/backend/src/server/api/endpoints/notes/translate.ts."""
    fields = {"q": "Wo ist der Bahnhof?", "source": "auto", "target": "en-us", "format": "text", "api_key": None}
    assert ask_json(f"{languages}/translate", fields).content["detectedLanguage"]["language"] == "de"


def test_n8n_asks_for_alternatives_and_sends_files(languages: str, expected: str) -> None:
    """n8n-nodes-libretranslate, nodes/LibreTranslate/LibreTranslate.node.ts."""
    answer = ask_json(f"{languages}/translate", {"q": TEXT, **PAIR, "format": "text", "alternatives": 2}).content
    assert answer["translatedText"] == expected and 0 < len(answer["alternatives"]) <= 2
    assert ask_json(f"{languages}/detect", {"q": TEXT}).content[0]["language"] == "en"
    assert ask_json(f"{languages}/suggest", {"q": TEXT, "s": expected, **PAIR}).content == {"success": True}
    body, kind = multipart({"file": ("a.html", f"<p title='1'>{TEXT}</p>".encode()), **PAIR})
    address = ask(f"{languages}/translate_file", body, content_type=kind).content["translatedFileUrl"]
    assert ask(address).content.decode() == f"<p title='1'>{expected}</p>"


def test_a_json_client_may_name_its_charset(languages: str, expected: str) -> None:
    """libretranslate-ts and translate 3, whose fetch adds it."""
    body = json.dumps({"q": TEXT, **PAIR}).encode()
    answer: Any = ask(f"{languages}/translate", body, content_type="application/json; charset=utf-8")
    assert answer.content == {"translatedText": expected}
