"""The page, in a real Chromium. The texts are digits, which the tiny model reverses."""

import itertools
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from asking import ask, ask_json
from served import Serving, Translators, running

from seq2seq.serving.assets import MEDIA_TYPES, POLICY
from seq2seq.serving.gate import Access
from seq2seq.serving.keys import Key
from seq2seq.translation.translator import LineTranslator

playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need the package playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="they need axe-playwright-python")

BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP plain.test 127.0.0.1",
]
FOLDER = Path(__file__).resolve().parents[2] / "seq2seq/serving/page"

Page = Any  # playwright.sync_api.Page, where that package is
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all tests of this module."""
    if BROWSER is None:
        pytest.skip("the browser tests need Chromium; Debian has it in its package chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def models(reverser: LineTranslator) -> Translators:
    """The reverser, as models of languages that have names, of which one is written from right to left."""
    return dict.fromkeys([("en", "de"), ("de", "en"), ("en", "he")], reverser)


@pytest.fixture(scope="module")
def url(models: Translators, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(models, tmp_path_factory.mktemp("downloads")) as url:
        yield url


@pytest.fixture
def opened(browser: Any, url: str) -> Iterator[Open]:
    """Opens the page in a browser as new; any error of its code or of its policy fails the test."""
    contexts, errors = list[Any](), list[str]()

    def open_page(address: str = url, path: str = "/", **options: Any) -> Page:
        context = browser.new_context(**{"locale": "en-GB", **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if "Content Security" in said.text else None)
        page.goto(address + path)
        until(page, "document.getElementById('from').options.length > 1")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def until(page: Page, expression: str, arg: object = None) -> None:
    """Wait until the expression is true. (`wait_for_function` evaluates text in the page, which its policy forbids.)"""
    end = time.monotonic() + 10
    while not page.evaluate(expression, arg):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(20)


def translation(page: Page, count: int = 1) -> str:
    """The translation once it is complete and has so many sentences."""
    until(
        page,
        "count => document.querySelectorAll('#target .sentence').length === count"
        " && !document.querySelector('#target .pending') && document.getElementById('target').ariaBusy === 'false'",
        count,
    )
    return str(page.evaluate("document.getElementById('target').textContent"))


def enter(page: Page, text: str) -> None:
    """Put a long text into the field. (Chromium takes seconds to insert hundreds of lines as if they were typed.)"""
    page.evaluate(
        "text => { const field = document.getElementById('source'); field.value = text; "
        "field.dispatchEvent(new Event('input')); }",
        text,
    )


def marked(page: Page, box: str) -> list[str]:
    return list(page.locator(f"#{box} .hit").all_text_contents())


def address(page: Page) -> dict[str, str]:
    """The fields of the address's fragment."""
    return {name: value for name, [value] in parse_qs(page.url.partition("#")[2]).items()}


@contextmanager
def asked(page: Page) -> Iterator[list[dict[str, Any]]]:
    """The fields of the requests for translations while inside."""
    found = list[dict[str, Any]]()

    def listen(request: Any) -> None:
        if request.url.endswith("/translate"):
            found.append(request.post_data_json)

    page.on("request", listen)
    yield found
    page.remove_listener("request", listen)


# ---- the files ---------------------------------------------------------------------------------------------------


def test_the_files_have_a_strict_policy_and_need_no_other_server(url: str) -> None:
    for path in sorted(FOLDER.iterdir()):
        answer = ask(f"{url}/page/{path.name}")
        assert answer.headers["content-type"].startswith(MEDIA_TYPES[path.suffix[1:]])
        assert answer.headers["content-security-policy"] == POLICY and "unsafe" not in POLICY
        assert not re.search(rb"(?:src|href|from|url|import)\W{1,3}(?:https?:)?//", answer.content)
    page = ask(url).content.decode()
    assert page == (FOLDER / "page.html").read_text()
    assert not re.search(r"<style|<script(?![^>]*src=)|\sstyle=|\son\w+=", page)
    assert ask(f"{url}/page/other.js").status == ask(f"{url}/page/..%2Fserver.py").status == 404


def test_a_text_is_answered_sentence_by_sentence_as_it_is_translated_at_once(languages: str) -> None:
    """The page's sentences are those of the model: joined, they are the text, and so are their translations."""
    text = 'Dr. Smith sat down at 10.30.  He slept!\n\n- A cat sleeps.\n\t"Good morning," she said. 17\n'
    fields = {"q": text, "source": "auto", "target": "de"}
    answer = ask_json(f"{languages}/translate", {**fields, "sentences": True}).content
    assert "".join(answer["sentences"]) == text and len(answer["sentences"]) > 8
    assert "".join(answer["translatedText"]) == ask_json(f"{languages}/translate", fields).content["translatedText"]
    assert answer["detectedLanguage"]["language"] == "en"
    assert ask_json(f"{languages}/translate", {**fields, "q": [text], "sentences": True}).status == 400
    assert ask_json(f"{languages}/translate", {**fields, "format": "html", "sentences": True}).status == 400


def test_between_japanese_sentences_the_server_writes_the_space_that_the_target_has(languages: str) -> None:
    text = "駅はどこですか。私は猫が好きです。\n" + "犬がいます。" * 200
    fields = {"q": text, "source": "ja", "target": "en"}
    answer = ask_json(f"{languages}/translate", {**fields, "sentences": True}).content
    assert answer["sentences"][:4] == ["駅はどこですか。", "", "私は猫が好きです。", "\n"]
    assert "".join(answer["sentences"]) == text
    whole = ask_json(f"{languages}/translate", fields).content["translatedText"]
    assert "".join(answer["translatedText"]) == whole
    assert answer["translatedText"][1] == " " and not re.search(r"[.?!]\w", whole)
    page = {"q": "<b>駅はどこ？</b><i>犬です。</i>猫です。", "source": "ja", "target": "en", "format": "html"}
    translated = ask_json(f"{languages}/translate", page).content["translatedText"]
    assert re.fullmatch(r"<b>\S.*\S</b> <i>\S.*\S</i> \S.*", translated)


# ---- languages ---------------------------------------------------------------------------------------------------


def test_it_detects_the_language_and_opens_on_the_last_ones(opened: Open) -> None:
    page = opened()
    assert page.input_value("#from") == "auto" and page.input_value("#to") == "en"  # the browser's language
    assert page.locator("#to option").all_text_contents() == ["English", "German", "Hebrew"]
    page.fill("#source", "Good morning, how are you today? 1 2")
    until(page, "document.getElementById('to').value === 'de'")  # it is in English already
    assert page.locator("#from option:checked").text_content() == "English (detected)"
    page.select_option("#from", "de")
    until(page, "document.getElementById('to').value === 'en'")
    again = page.context.new_page()
    again.goto(page.url.partition("#")[0])
    until(again, "document.getElementById('from').value === 'de'")
    assert again.input_value("#to") == "en" and again.input_value("#source") == ""


def test_a_model_of_many_languages(opened: Open, serving: Serving, reverser: LineTranslator) -> None:
    codes = ["en", "ja", "ar", "zh-Hant", "nds"]
    with serving(dict.fromkeys(itertools.permutations(codes, 2), reverser)) as url:
        page = opened(url, "/#source=ja&target=ar&text=3%201")
        assert translation(page) == "1 3"
        names = page.locator("#from option").all_text_contents()
        assert names[0] == "Detect language" and sorted(names[1:]) == names[1:] and len(names) == 6
        assert "Japanese" not in page.locator("#to option").all_text_contents()
        page.click("#swap")
        assert (page.input_value("#from"), page.input_value("#to")) == ("ar", "ja")
        page.select_option("#from", "auto")
        page.fill("#source", "こんにちは、元気ですか。")
        until(page, "document.querySelector('#from option:checked').textContent === 'Japanese (detected)'")
        assert page.input_value("#to") != "ja"
        page.close()


def test_swapping_translates_the_translation(opened: Open) -> None:
    page = opened(path="/#source=en&target=de&text=3%201%204")
    assert translation(page) == "4 1 3"
    page.click("#swap")
    until(page, "document.getElementById('source').value === '4 1 3'")
    assert translation(page) == "3 1 4"
    assert (page.input_value("#from"), page.input_value("#to")) == ("de", "en")
    page.select_option("#from", "en")
    page.select_option("#to", "he")
    assert page.is_disabled("#swap")  # no model translates from it
    page.select_option("#to", "de")
    page.select_option("#from", "de")  # the other way round, not German to German
    assert page.input_value("#to") == "en"


def test_the_direction_and_the_text_are_in_the_fragment(opened: Open) -> None:
    page = opened()
    requested = list[str]()
    page.on("request", lambda request: requested.append(request.url))
    page.select_option("#from", "en")
    page.select_option("#to", "de")
    page.fill("#source", "1 2\n\n& #3 %")
    assert translation(page, 2).startswith("2 1\n\n")
    assert address(page) == {"source": "en", "target": "de", "text": "1 2\n\n& #3 %"}
    shared = page.url
    page.reload()
    assert translation(page, 2).startswith("2 1\n\n")
    other = opened("", shared)  # as another person
    assert other.input_value("#source") == "1 2\n\n& #3 %" and translation(other, 2).startswith("2 1\n\n")
    assert not any("#" in each or "text=" in each for each in requested)
    other.evaluate("location.hash = 'source=en&target=he&text=7+8'")  # a link that is opened in the same window
    until(other, "document.getElementById('to').value === 'he'")
    assert translation(other) == "8 7"


def test_a_text_too_long_for_an_address_is_kept_over_a_reload(opened: Open) -> None:
    page = opened()
    enter(page, ("1 2 3 4 " * 60 + "\n") * 110)
    until(page, "history.state?.text?.length > 50000")
    assert "text" not in address(page)
    page.reload()
    until(page, "document.getElementById('source').value.length > 50000")


# ---- texts -------------------------------------------------------------------------------------------------------


def test_a_long_text_is_sent_in_parts_with_progress(opened: Open) -> None:
    page = opened(path="/#source=en&target=de")
    lines = [f"{n % 10} {n // 10 % 10} {n // 100 % 10} 7 5" for n in range(460)]
    page.evaluate(
        "new MutationObserver(() => { const p = document.getElementById('progress');"
        "(window.seen ??= []).push(p.hidden ? 'hidden' : p.value / p.max); })"
        ".observe(document.getElementById('progress'), {attributes: true})"
    )
    with asked(page) as requests:
        enter(page, "\n".join(lines))
        assert translation(page, 460) == "\n".join(line[::-1] for line in lines)
    assert len(requests) > 3 and all(len(each["q"]) < 2000 for each in requests)
    shares = [each for each in page.evaluate("seen") if each != "hidden"]
    assert sorted(shares) == shares and len({*shares}) > 3 and page.evaluate("seen.at(-1)") == "hidden"
    assert page.text_content("#count") == "4,599 characters"
    with asked(page) as requests:  # what is known is not asked for again
        enter(page, "\n".join([*lines[:300], "4 4 1", *lines[300:]]))
        assert translation(page, 461).split("\n")[300] == "1 4 4"
    assert [each["q"] for each in requests] == ["4 4 1"]


def test_a_long_paragraph_is_divided_and_whole(opened: Open) -> None:
    page = opened()
    text = "".join(f"Number {n} is there. " for n in range(400)) + "x" * 2000 + "𝄞" * 1500
    parts = page.evaluate("async text => (await import('./page/text.js')).partsOf(text + '\\n\\n' + text, 1000)", text)
    assert "".join(part["text"] + part["end"] for part in parts) == f"{text}\n\n{text}"
    assert all(len(part["text"].encode("utf-16-le")) <= 2000 and part["text"].isprintable() for part in parts)
    sentences = [part["text"] for part in parts if part["text"].startswith("Number")]
    assert all(each.endswith("there. ") for each in sentences[:5])


def test_paragraphs_bullets_and_blank_lines_stay(opened: Open) -> None:
    page = opened(path="/#source=en&target=de")
    page.fill("#source", "\n3 1 2\n\n\n3 4 1\n5 6 2\n\n")
    text = translation(page, 3)
    assert text.split("\n") == ["", "2 1 3", "", "", "1 4 3", "2 6 5", "", ""]


def test_bullets_and_numbers_of_lists_stay(opened: Open, languages: str) -> None:
    begins = ["", "- ", "• ", "  – ", "", "1. ", "2) ", ""]
    lines = ["To do:", "Good morning.", "Good night!", "Where is he?", "", "Come here. I see.", "Go home.", ""]
    page = opened(languages, "/#source=en&target=de")
    page.fill("#source", "\n".join(map("".join, zip(begins, lines, strict=True))))
    until(page, "document.querySelectorAll('#target .sentence').length === 7")
    found = str(page.evaluate("document.getElementById('target').textContent")).split("\n")
    assert [line[: len(begin)] for line, begin in zip(found, begins, strict=True)] == begins
    assert [bool(line) for line in found] == [bool(line) for line in lines]


# ---- words and sentences -----------------------------------------------------------------------------------------


def test_the_word_under_the_mouse_is_marked_in_both_boxes(opened: Open) -> None:
    page = opened(path="/#source=en&target=de&text=3%201%204%0A5%209")
    translation(page, 2)
    page.hover("#target .word >> nth=0")
    assert marked(page, "target") == ["4"] and marked(page, "shadow") == ["4"]
    box = page.locator("#shadow .word >> nth=3").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)  # over the field that is typed in
    assert marked(page, "target") == ["5"] and marked(page, "shadow") == ["5"]
    page.hover("h1")
    assert marked(page, "target") == []


def test_the_word_at_the_caret_and_by_arrows_is_marked_in_both_boxes(opened: Open) -> None:
    page = opened(path="/#source=en&target=de&text=3%201%204%0A5%209")
    translation(page, 2)
    page.focus("#source")
    page.keyboard.press("Control+Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('#target .hit')?.textContent === '1'")
    assert marked(page, "shadow") == ["1"]
    page.focus("#target .sentence >> nth=0")
    for _ in range(2):  # on from the word that is marked, and into the next sentence
        page.keyboard.press("ArrowRight")
    assert marked(page, "target") == ["9"] and marked(page, "shadow") == ["9"]
    assert page.text_content("#status") == "9: 9"  # for a screen reader
    page.keyboard.press("ArrowLeft")
    assert marked(page, "target") == ["3"]


def test_what_is_marked_in_a_long_text_is_scrolled_to(opened: Open) -> None:
    page = opened(path="/#source=en&target=de", viewport={"width": 900, "height": 500})
    enter(page, "\n".join(f"{n // 10} {n % 10}" for n in range(10, 60)))
    translation(page, 50)
    page.focus("#source")
    inside = """() => { const [a, b] = [".hit", ".layers"].map(each =>
        document.querySelector(`.result ${each}`)?.getBoundingClientRect());
        return Boolean(a && a.top >= b.top && a.bottom <= b.bottom); }"""
    for keys, word in (("Control+Home", "1"), ("Control+End", "9"), ("Control+Home", "1")):
        page.keyboard.press(keys)
        until(page, "word => document.querySelector('#target .hit')?.textContent === word", word)
        assert page.evaluate(inside)
    assert page.evaluate("scrollY") == 0


def test_the_word_that_is_touched_is_marked_in_both_boxes(opened: Open) -> None:
    page = opened(
        path="/#source=en&target=de&text=3%201%204",
        has_touch=True,
        is_mobile=True,
        viewport={"width": 400, "height": 800},
    )
    translation(page)
    page.tap("#target .word >> nth=1")
    assert marked(page, "target") == ["1"] and marked(page, "shadow") == ["1"]
    box = page.locator("#shadow .word >> nth=0").bounding_box()
    page.touchscreen.tap(box["x"] + 2, box["y"] + box["height"] / 2)
    until(page, "document.querySelector('#target .hit')?.textContent === '3'")


def test_alternatives_are_chosen_by_keyboard_and_typing_brings_the_sentence_back(opened: Open) -> None:
    page = opened(path="/#source=en&target=de&text=3%201%204%205")
    best = translation(page)
    page.focus("#target .sentence")
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel li button:focus")
    found = page.locator("#panel li button").all_text_contents()
    assert found[0] == best and len({*found}) == len(found) > 1
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert translation(page) == found[1]
    page.hover("#target .word >> nth=0")  # of an alternative no alignment is known: the sentence is marked
    assert page.locator("#shadow .near").count() == 1
    page.keyboard.press("Escape")
    assert page.is_hidden("#panel") and page.evaluate("document.activeElement.closest('#target') !== null")
    page.press("#source", "Control+End")
    page.keyboard.type("\n7 8")
    assert translation(page, 2) == f"{found[1]}\n8 7"  # what was chosen stays where nothing was typed
    page.click("#target .sentence >> nth=0")
    page.wait_for_selector("#panel li button")
    page.press("#source", "Control+Home")
    page.keyboard.type("6 ")
    assert page.is_hidden("#panel")
    assert translation(page, 2).startswith("5 4 1 3 6")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    assert translation(page, 2) == f"{found[1]}\n8 7"


def test_the_attention_is_shown_on_demand(opened: Open) -> None:
    page = opened(path="/#source=en&target=de&text=3%201%204")
    translation(page)
    page.click("#target .sentence")
    page.click("#attention")
    rows = page.locator("#panel .map tbody tr")
    assert rows.locator("th").all_text_contents() == ["4", "1", "3"]
    assert page.locator("#panel .map thead th").all_text_contents() == ["3", "1", "4"]
    hits = [
        [cell == "hit" for cell in page.evaluate("row => [...row.cells].slice(1).map(cell => cell.className)", row)]
        for row in rows.element_handles()
    ]
    assert hits == [[False, False, True], [False, True, False], [True, False, False]]
    page.hover("#target .word >> nth=0")  # other marks leave it as it is
    page.hover("h1")
    assert rows.locator("td.hit").count() == 3
    page.click("#attention")
    assert page.locator("#panel .map").count() == 0


# ---- documents, copies, failures ---------------------------------------------------------------------------------

DROP = """([name, content]) => { const data = new DataTransfer(); data.items.add(new File([content], name));
for (const kind of ['dragover', 'drop']) document.getElementById('source').dispatchEvent(
new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true})); }"""


def test_a_document_that_is_dropped_comes_back_translated(opened: Open, url: str) -> None:
    page = opened(path="/#source=en&target=de")
    with page.expect_download() as download:
        page.evaluate(DROP, ["my notes.html", "<p>3 <b>1</b> 4</p>"])
    assert download.value.suggested_filename == "my_notes_de.html"
    content = ask(f"{url}/{page.get_attribute('#documents a', 'href')}").content.decode()
    assert re.sub("<.*?>", "", content) == "4 1 3"
    page.set_input_files("#file", {"name": "broken.docx", "mimeType": "", "buffer": b"nothing"})
    page.wait_for_selector("#documents li.bad")
    assert "broken.docx was not translated: " in page.text_content("#documents li.bad")
    page.click("#documents li.bad .close")
    assert page.locator("#documents li").count() == 1


def test_the_columns_of_a_table_are_asked_for(opened: Open, url: str) -> None:
    page = opened(path="/#source=en&target=de")
    page.evaluate(DROP, ["table.csv", "id,text\n7 1,3 1 4\n"])
    page.fill("#documents input", "text")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "table_de.csv"
    assert ask(f"{url}/{page.get_attribute('#documents a', 'href')}").content == b"id,text\n7 1,4 1 3\n"


@pytest.mark.parametrize("plain", [False, True], ids=["secure", "plain http"])
def test_the_translation_is_copied_and_cleared(opened: Open, url: str, plain: bool) -> None:
    """Over plain http browsers have no clipboard API; a loopback address counts as secure."""
    address = url.replace("127.0.0.1", "plain.test") if plain else url
    page = opened(
        address, "/#source=en&target=de&text=3%201%204%0A%0A5%206", permissions=[] if plain else ["clipboard-write"]
    )
    assert page.evaluate("isSecureContext") is not plain
    translation(page, 2)
    page.click("#copy")
    until(page, "document.getElementById('copy').textContent === 'Copied'")
    page.click("#clear")
    assert page.evaluate("document.activeElement.id") == "source" and page.input_value("#source") == ""
    until(page, "document.getElementById('target').textContent === ''")
    assert page.text_content("#count") == "0 characters" and page.is_disabled("#clear")
    page.keyboard.press("Control+V")
    assert page.input_value("#source") == "4 1 3\n\n6 5"


def test_a_failure_is_shown_beside_the_translation_and_tried_again(opened: Open) -> None:
    page = opened(path="/#source=en&target=de&text=7%205")
    assert translation(page) == "5 7"
    page.route("**/translate", lambda route: route.abort())
    page.fill("#source", "3 1")
    page.wait_for_selector(".result [role=alert] button")
    assert "the server cannot be reached" in page.text_content("#problem")
    assert page.text_content("#target") == "…"  # not what was translated before
    page.unroute("**/translate")
    page.route("**/translate", lambda route: route.fulfill(status=400, json={"error": "a field is wrong"}), times=1)
    page.click("#problem button")
    until(page, "document.getElementById('problem').textContent.includes('a field is wrong')")
    page.click("#problem button")
    assert translation(page) == "1 3" and page.text_content("#problem") == ""


def test_it_waits_as_long_as_a_busy_server_asks_and_shows_life(opened: Open) -> None:
    page = opened(path="/#source=en&target=de")
    busy = {"status": 503, "headers": {"Retry-After": "1"}, "json": {"error": "too much waits"}}
    page.route("**/translate", lambda route: route.fulfill(**busy), times=1)
    page.fill("#source", "3 1")
    until(page, "document.getElementById('problem').textContent.includes('asks again in 1 s')")
    assert page.is_visible("#progress") and page.get_attribute("#target", "aria-busy") == "true"
    assert translation(page) == "1 3" and page.text_content("#problem") == "" and page.is_hidden("#progress")


def test_it_asks_for_a_key_under_a_prefix(opened: Open, serving: Serving, models: Translators) -> None:
    settings = {"keys": {"alice": Key("secret")}, "access": Access(prefix="/mt")}
    with serving(models, **settings) as url:
        page = opened(url, "/mt#source=en&target=de&text=3%201")
        page.wait_for_selector("#problem button")
        page.fill("#key", "secret")
        page.keyboard.press("Tab")
        assert translation(page) == "1 3"
        page.reload()
        assert translation(page) == "1 3"  # the browser remembers the key
        page.close()


# ---- for everybody -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(opened: Open, scheme: str) -> None:
    page = opened(path="/#source=en&target=de&text=3%201%204%0A5%206", color_scheme=scheme)
    translation(page, 2)
    page.click("#target .sentence >> nth=0")
    page.click("#attention")
    page.set_input_files("#file", {"name": "broken.docx", "mimeType": "", "buffer": b"nothing"})
    page.wait_for_selector("#documents li.bad")
    page.set_input_files("#file", {"name": "table.csv", "mimeType": "", "buffer": b"1"})
    page.evaluate("document.getElementById('key-line').hidden = false")
    page.route("**/translate", lambda route: route.abort())
    page.fill("#source", "3 1 4\n5 7")
    page.wait_for_selector("#problem button")
    page.evaluate("document.getElementById('progress').hidden = false")
    violations = axe.Axe().run(page).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in violations] == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (max(background) < 60) is (scheme == "dark")


def test_it_fits_a_screen_of_320_pixels(opened: Open) -> None:
    page = opened(path="/#source=en&target=de", viewport={"width": 320, "height": 640})
    page.fill("#source", "3 1 4 " * 30 + "\n" + "5" * 200)
    page.wait_for_selector("#target .sentence")
    page.click("#target .sentence >> nth=0")
    page.wait_for_selector("#panel li button")
    page.click("#attention")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    for name in ("from", "to", "swap", "source", "target", "copy", "clear", "choose"):
        box = page.locator(f"#{name}").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 320, name


def test_texts_from_right_to_left_are_shown_so(opened: Open) -> None:
    page = opened(path="/#source=en&target=he")
    page.fill("#source", "שלום עולם\n1 2")
    translation(page, 2)
    assert page.get_attribute("#target", "lang") == "he"
    first, second = (page.locator(f"#shadow .part >> nth={n}").bounding_box() for n in (0, 1))
    box = page.locator("#source").bounding_box()
    assert first["x"] + first["width"] > box["x"] + box["width"] - 30  # each line by its own direction
    direction = "selector => getComputedStyle(document.querySelector(selector)).direction"
    assert [page.evaluate(direction, each) for each in ("#source", "#target .sentence")] == ["rtl", "rtl"]
    assert second["x"] >= box["x"]


def test_the_text_that_is_typed_and_what_lies_under_it_are_laid_out_alike(opened: Open) -> None:
    page = opened(path="/#source=en&target=de", viewport={"width": 800, "height": 600})
    page.fill("#source", "one two three four five six seven eight nine ten " * 4 + "\n\n" + "y" * 300 + "\n")
    page.wait_for_selector("#target .sentence")
    heights = page.evaluate("['source', 'shadow'].map(id => document.getElementById(id).scrollHeight)")
    assert heights[0] == heights[1]
