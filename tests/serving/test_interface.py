"""LibreTranslate's interface: how fields may be sent, what is answered, and what is refused in which words."""

import itertools
import json
import re
import urllib.request
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from asking import Answer, ask, ask_json, multipart
from reversal_task import reversals
from served import Serving, Translators, running

from seq2seq.languages.codes import find_code, name_of
from seq2seq.segments.glossary import Term, Terms
from seq2seq.serving import interface, specification
from seq2seq.serving.detection import Detection, Detector
from seq2seq.serving.gate import Access
from seq2seq.serving.limits import Limits
from seq2seq.translation.translator import LineTranslator

FIELDS = {"q": "3 1 4", "source": "digits", "target": "stigid"}
DIRECTION = ("digits", "stigid")


@pytest.fixture(scope="module")
def url(reverser: LineTranslator, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running({DIRECTION: reverser}, tmp_path_factory.mktemp("downloads")) as url:
        yield url


def send(url: str, how: str, fields: dict[str, Any]) -> Answer:
    """Send fields in one of the ways in which clients do."""
    if how == "json":
        return ask_json(url, fields)
    if how == "json as form":  # curl -d
        return ask(url, json.dumps(fields).encode(), content_type="application/x-www-form-urlencoded")
    if how == "json as text":  # fetch of a string
        return ask(url, json.dumps(fields).encode(), content_type="text/plain;charset=UTF-8")
    if how == "json with a mark":
        return ask(url, b"\xef\xbb\xbf" + json.dumps(fields).encode(), content_type="application/json")
    if how == "form":
        return ask(url, urlencode(fields, doseq=True).encode(), content_type="application/x-www-form-urlencoded")
    if how == "query":
        return ask(f"{url}?{urlencode(fields, doseq=True)}", b"")
    body, kind = multipart({k: v if isinstance(v, list) else str(v) for k, v in fields.items()})
    return ask(url, body, content_type=kind)


WAYS = ["json", "json as form", "json as text", "json with a mark", "form", "query", "multipart"]


@pytest.mark.parametrize(
    ("how", "q"), list(itertools.product(WAYS, ["3 1 4", ["3 1 4", "2 7"], "1 2\n\n3 4", "ü & = + % 7 🙂"]))
)
def test_the_way_in_which_fields_are_sent_does_not_matter(url: str, reverser: LineTranslator, how: str, q: Any) -> None:
    texts = q if isinstance(q, list) else [q]
    expected = ["\n".join(reverser.translate(text.split("\n"))) for text in texts]
    answer = send(f"{url}/translate", how, {**FIELDS, "q": q})
    assert (answer.status, answer.content) == (200, {"translatedText": expected if q == texts else expected[0]})


@pytest.mark.parametrize(("how", "count"), list(itertools.product(["json", "form"], ["1", 2, "2.0", 50, 0, "0", ""])))
def test_alternatives_are_others_and_change_no_translation(
    url: str, reverser: LineTranslator, how: str, count: Any
) -> None:
    for line in [pair.src for pair in reversals(3, seed=9)]:
        answer = send(f"{url}/translate", how, {**FIELDS, "q": line, "alternatives": count}).content
        assert answer["translatedText"] == reverser.translate([line])[0]
        if not float(count or 0):
            assert "alternatives" not in answer
            continue
        [candidates] = reverser.stream([line], lambda message: None)
        texts = answer["alternatives"]
        assert len({*texts, answer["translatedText"]}) == len(texts) + 1
        assert all(text.strip() for text in texts) and len(texts) <= min(float(count), 10)
        if float(count) < 3:  # the model's beam
            assert texts == [c.text for c in candidates[1:]][: int(float(count))]
        else:
            assert len(texts) > 2


def test_alignments_link_source_and_target_words(url: str) -> None:
    answer = ask_json(f"{url}/translate", {**FIELDS, "q": "3 1 4\n\n2 7", "alignments": True}).content
    first, empty, second = answer["alignments"]
    assert empty == [] and first and second
    assert {t for _, t in first} <= {0, 1, 2} and {t for _, t in second} <= {0, 1}


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"q": None}, ['"q" is missing']),
        ({"q": ""}, ['"q" is missing']),
        ({"q": []}, ['"q" is missing']),
        ({"q": 3}, ["q"]),
        ({"q": ["a", 1]}, ["q"]),
        ({"q": {"a": 1}}, ["q"]),
        ({"source": None}, ['"source" is missing']),
        ({"source": ""}, ['"source" is missing']),
        ({"source": "en"}, ["'en'", "digits to stigid"]),
        ({"source": "stigid", "target": "digits"}, ["digits to stigid"]),
        ({"source": 7}, ["source"]),
        ({"target": None}, ['"target" is missing']),
        ({"target": "fr"}, ["'fr'", "digits to stigid"]),
        ({"format": "xml"}, ["format", "xml"]),
        ({"alternatives": "two"}, ["alternatives"]),
        ({"alternatives": "2.5"}, ["alternatives"]),
        ({"alternatives": -1}, ["alternatives"]),
        ({"alternatives": True}, ["alternatives"]),
        ({"alternatives": 1e300}, ["alternatives"]),
        ({"alignments": "perhaps"}, ["alignments"]),
        ({"q": "3" * 100_001}, ["100001", "100000"]),
        ({"q": ["3"] * 2001}, ["2001", "2000"]),
    ],
    ids=str,
)
def test_a_field_that_is_not_understood_is_400(url: str, change: dict[str, Any], names: list[str]) -> None:
    answer = ask_json(f"{url}/translate", {**FIELDS, **change})
    assert answer.status == 400
    assert "\n" not in answer.content["error"]
    for name in names:
        assert name in answer.content["error"]


BODIES = {
    "half": b"{",
    "two": b'{"q": "3"} {}',
    "list": b"[]",
    "bytes": b'{"q": "\xff"}',
    "surrogate": b'{"q": "\\ud800", "source": "digits", "target": "stigid"}',
    "surrogate in a list": b'{"q": ["3", "\\udfff"], "source": "digits", "target": "stigid"}',
    "deep": b'{"q":' * 10_000,
    "deep list": b"[" * 100_000,
    "huge": b'{"q": "3", "alternatives": ' + b"9" * 10_000 + b"}",
    "infinite": b'{"q": "3", "alternatives": 1e999}',
    "not a number": b'{"q": NaN}',
}


@pytest.mark.parametrize("name", list(BODIES))
@pytest.mark.parametrize("path", ["/translate", "/detect"])
def test_a_body_that_is_no_json_object_in_utf8_is_400(url: str, path: str, name: str) -> None:
    answer = ask(url + path, BODIES[name], content_type="application/json")
    assert answer.status == 400 and len(answer.content["error"]) < 300


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"q=%ff&source=digits&target=stigid", "application/x-www-form-urlencoded"),
        (b"q=\xff&source=digits&target=stigid", "application/x-www-form-urlencoded"),
        (b"a=1&" * 6000, "application/x-www-form-urlencoded"),
        (b"no form", "multipart/form-data"),
        (b"--cut\r\nno form", "multipart/form-data; boundary=cut"),
        (multipart({"q": ("x", b"\xff")})[0], "multipart/form-data; boundary=cut"),
    ],
)
def test_a_broken_form_is_400(url: str, body: bytes, kind: str) -> None:
    assert ask(f"{url}/translate", body, content_type=kind).status == 400
    assert ask(f"{url}/translate?q=%ff", b"").status == 400


def test_a_nul_is_text(url: str) -> None:
    assert ask_json(f"{url}/translate", {**FIELDS, "q": "3\0 1"}).status == 200


def test_unknown_fields_and_keys_that_nobody_asked_for_are_ignored(url: str) -> None:
    plain = ask_json(f"{url}/translate", FIELDS).content
    assert ask_json(f"{url}/translate", {**FIELDS, "api_key": "x", "secret": {"a": [1]}}).content == plain
    assert ask_json(f"{url}/translate", {**FIELDS, "api_key": None, "format": ""}).content == plain


def test_a_body_that_is_too_large_is_413(url: str) -> None:
    assert ask(f"{url}/translate", b"x" * 1_000_001).status == 413
    body, kind = multipart({"file": ("a.txt", b"x" * 10_000_001)})
    assert ask(f"{url}/translate_file", body, content_type=kind).status == 413


@pytest.mark.parametrize("path", ["/translate/", "//translate", "/translate//", "//translate/"])
def test_slashes_too_many_do_not_matter(url: str, path: str) -> None:
    assert ask_json(url + path, FIELDS).status == 200


def test_other_methods(url: str) -> None:
    for path, allowed in (("/", {"GET", "HEAD"}), ("/translate", {"POST"}), ("/languages", {"GET", "HEAD", "POST"})):
        answer = ask(url + path, method="OPTIONS")
        assert answer.status == 204 and set(answer.headers["allow"].split(", ")) == allowed
    assert ask(f"{url}/", method="HEAD") == Answer(200, b"", ask(f"{url}/").headers)
    assert ask(f"{url}/translate").status == 405
    assert ask(f"{url}/nowhere").status == 404 and ask(f"{url}/nowhere").content["error"]
    assert ask(f"{url}/", b"").status == 405  # as a client of Nextcloud looks whether a server is there


def test_the_other_routes(url: str) -> None:
    assert ask(f"{url}/health").content == {"status": "ok"}
    for body in (None, b""):
        assert ask(f"{url}/languages", body).content == [
            {"code": "digits", "name": "digits", "targets": ["stigid"]},
            {"code": "stigid", "name": "stigid", "targets": []},
        ]
    settings = ask(f"{url}/frontend/settings").content
    assert settings["charLimit"] == 100_000 and settings["keyRequired"] is False and settings["suggestions"] is False
    assert {".html", ".docx", ".txt"} <= set(settings["supportedFilesFormat"])
    assert settings["language"]["target"] == {"code": "stigid", "name": "stigid"}
    assert b"seq2seq_requests_total" in ask(f"{url}/metrics").content
    assert ask_json(f"{url}/suggest", {**FIELDS, "s": "4 1 3"}).status == 403
    page = ask(url)
    assert page.headers["content-type"].startswith("text/html") and b"://" not in page.content


# ---- the specification -------------------------------------------------------------------------------------------


def test_the_specification_describes_each_route_and_field(url: str) -> None:
    described = ask(f"{url}/spec").content
    operations = {(path, method) for path, each in described["paths"].items() for method in each}
    assert operations == {(e.path, e.method.lower()) for e in specification.ENDPOINTS}
    for endpoint in specification.ENDPOINTS:
        operation = described["paths"][endpoint.path][endpoint.method.lower()]
        if endpoint.fields:
            names = {field.name for field in msgspec.structs.fields(endpoint.fields)}
            for content in operation["requestBody"]["content"].values():
                schema = described["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
                assert set(schema["properties"]) == names
                assert all("description" in of or "$ref" in of for of in schema["properties"].values())
    page = ask(f"{url}/docs").content.decode()
    for endpoint in specification.ENDPOINTS:
        assert endpoint.path in page
    assert not re.search("(src|href)=.https?:", page)


def test_answers_are_as_specified(url: str) -> None:
    for path, fields, kind in (
        ("/translate", {**FIELDS, "alternatives": 2, "alignments": True, "source": "auto"}, interface.TranslateAnswer),
        ("/detect", {"q": "Guten Tag"}, list[interface.Detected]),
        ("/detect", {}, interface.Failure),
    ):
        msgspec.convert(ask_json(url + path, fields).content, kind)
    msgspec.convert(ask(f"{url}/frontend/settings").content, interface.Settings)
    msgspec.convert(ask(f"{url}/languages").content, list[interface.Language])


# ---- languages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("de-AT", "de"),
        ("de_DE", "de"),
        ("deu", "de"),
        ("ger", "de"),
        ("en-us", "en"),
        ("pt", "pt-BR"),
        ("pt-br", "pt-BR"),
        ("pt_PT", None),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-TW", None),
        ("iw", "he"),
        ("fr", None),
        ("d", None),
        ("", None),
    ],
)
def test_codes_are_compared_as_bcp_47_does(code: str, found: str | None) -> None:
    assert find_code(code, ["de", "en", "pt-BR", "zh-Hans", "he"]) == found


def test_languages_have_english_names() -> None:
    assert [name_of(code) for code in ("de", "en", "pt-BR", "zh-Hans", "zh_hans", "deu", "digits")] == [
        "German",
        "English",
        "Brazilian Portuguese",
        "Simplified Chinese",
        "Simplified Chinese",
        "German",
        "digits",
    ]


def test_languages_are_detected_text_by_text(languages: str) -> None:
    texts = ["Where is the station?", "Wo ist der Bahnhof, bitte?", "12 🙂"]
    answer = ask_json(f"{languages}/translate", {"q": texts, "source": "auto", "target": "de"}).content
    assert [each["language"] for each in answer["detectedLanguage"][:2]] == ["en", "de"]
    assert answer["detectedLanguage"][2]["confidence"] == 0
    assert answer["translatedText"][0] != texts[0] and answer["translatedText"][1:] == texts[1:]
    one = ask_json(f"{languages}/translate", {"q": texts[0], "source": "auto", "target": "DE-at"}).content
    assert one["detectedLanguage"] == answer["detectedLanguage"][0]
    assert one["translatedText"] == answer["translatedText"][0]
    found = ask_json(f"{languages}/detect", {"q": texts[1]}).content
    assert found[0]["language"] == "de" and found[0]["confidence"] > 90
    assert [each["confidence"] for each in found] == sorted((each["confidence"] for each in found), reverse=True)


def test_a_few_words_are_not_taken_for_the_target_language(languages: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def detect(detector: Detector, texts: list[str]) -> list[Detection]:
        return [Detection("de", 60.0 if "Hello" in texts[0] else 100.0), Detection("en", 40.0)]

    monkeypatch.setattr(Detector, "detect", detect)
    texts = ["Hello.", "Guten Morgen."]
    answer = ask_json(f"{languages}/translate", {"q": texts, "source": "auto", "target": "de"}).content
    assert [each["language"] for each in answer["detectedLanguage"]] == ["en", "de"]
    assert answer["translatedText"][0] != "Hello." and answer["translatedText"][1] == "Guten Morgen."


def test_the_language_of_html_is_that_of_its_words(languages: str) -> None:
    html = '<div class="the main content of this page"><a href="https://the.example/and/of/this">Wo ist er?</a></div>'
    fields = {"q": html, "source": "auto", "target": "en", "format": "html"}
    assert ask_json(f"{languages}/translate", fields).content["detectedLanguage"]["language"] == "de"


def test_a_text_in_the_target_language_stays(languages: str) -> None:
    text = "  Schon <b>gut</b>.\n"
    answer = ask_json(f"{languages}/translate", {"q": text, "source": "de", "target": "de", "alternatives": 2})
    assert answer.content == {"translatedText": text, "alternatives": []}


@pytest.mark.parametrize(
    "html",
    [
        '<p>Good morning, <a href="https://example.com/?a=1&amp;b" class="x">@bob</a>!</p>',
        "<ul>\n <li>A <b>cat</b>.</li>\n <li>&lt;b&gt; two dogs</li>\n</ul><!-- kept -->",
        "A cat <br> sleeps",
        "<p translate=no>A cat.</p>",
        "",
        "<<>><b",
    ],
)
def test_the_markup_of_html_is_kept(languages: str, html: str) -> None:
    fields = {"q": [html], "source": "en", "target": "de", "format": "html", "alternatives": 2}
    answer = ask_json(f"{languages}/translate", fields).content
    for translation in [*answer["translatedText"], *answer["alternatives"][0]]:
        tags = [sorted(re.findall("<[^<>]*>|&[a-z]+;", text)) for text in (html, translation)]
        assert tags[0] == tags[1]
    assert answer["alternatives"][0] == list(dict.fromkeys(answer["alternatives"][0]))


# ---- who may ask -------------------------------------------------------------------------------------------------


def test_pages_of_other_sites_may_not_use_a_server_of_this_machine(serving: Serving, reverser: LineTranslator) -> None:
    access = Access(frozenset({"localhost", "127.0.0.1", "::1", "mt.example"}))
    with serving({DIRECTION: reverser}, access=access) as url:
        port = url.rpartition(":")[2]
        for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", "mt.example", "MT.example."):
            assert ask(f"{url}/health", host=host).status == 200
        for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "["):
            assert ask(f"{url}/health", host=host).status == 403
        for origin, status in ((url, 200), ("http://evil.example", 403), ("null", 403), ("http://127.0.0.1:1", 403)):
            assert ask_json(f"{url}/translate", FIELDS, origin=origin).status == status
            assert "access-control-allow-origin" not in ask(f"{url}/health", origin=origin).headers


@pytest.mark.parametrize("allowed", ["*", "https://good.example"])
def test_cors_lets_pages_of_a_site_ask(serving: Serving, reverser: LineTranslator, allowed: str) -> None:
    with serving({DIRECTION: reverser}, access=Access(frozenset({"127.0.0.1"}), (allowed,))) as url:
        wanted = {"access_control_request_method": "POST", "access_control_request_headers": "content-type"}
        for origin, status in (("https://good.example", 200), ("http://evil.example", 200 if allowed == "*" else 403)):
            preflight = ask(f"{url}/translate", method="OPTIONS", origin=origin, **wanted)
            assert preflight.status == status
            for fields in (FIELDS, {}):
                answer = ask_json(f"{url}/translate", fields, origin=origin)
                assert answer.status == (status if status == 403 or fields else 400)
                if status == 200:
                    assert answer.headers["access-control-allow-origin"] == allowed


def test_everything_is_below_the_prefix(serving: Serving, shipped: Translators) -> None:
    with serving(shipped, access=Access(prefix="/mt")) as url:
        assert ask_json(f"{url}/mt/translate", {"q": "A cat.", "source": "en", "target": "de"}).status == 200
        assert ask_json(f"{url}//mt//translate/", {"q": "A cat.", "source": "en", "target": "de"}).status == 200
        assert ask(f"{url}/translate", b"").status == ask(f"{url}/mtx").status == ask(url).status == 404
        with urllib.request.urlopen(f"{url}/mt") as page:
            assert page.url == f"{url}/mt/"
        body, kind = multipart({"file": ("a.txt", b"A cat."), "source": "en", "target": "de"})
        address = ask(f"{url}/mt/translate_file", body, content_type=kind).content["translatedFileUrl"]
        assert address.startswith(f"{url}/mt/download_file/") and ask(address).status == 200


def test_the_limits_are_those_of_the_server(serving: Serving, reverser: LineTranslator) -> None:
    with serving({DIRECTION: reverser}, limits=Limits(characters=9, texts=2, requests_per_minute=3)) as url:
        assert ask_json(f"{url}/translate", {**FIELDS, "q": "3 1 4 5 6 7"}).status == 400
        assert ask_json(f"{url}/translate", {**FIELDS, "q": ["3", "1", "2"]}).status == 400
        assert ask_json(f"{url}/translate", FIELDS).status == 200
        answer = ask_json(f"{url}/translate", FIELDS)
        assert answer.status == 429 and 0 < int(answer.headers["retry-after"]) <= 20
        assert ask(f"{url}/health").status == 200


# ---- terms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "terms", [{"glossary": {"3": "7 7"}, "avoid": ["4 1"]}, {"glossary": "# digits\n3\t7 7\n", "avoid": "4 1\n"}]
)
def test_a_request_has_a_glossary_of_its_own(url: str, reverser: LineTranslator, terms: dict[str, Any]) -> None:
    own = LineTranslator(reverser.bundle._replace(terms=Terms((Term("3", "7 7"),), ("4 1",))), reverser.config)
    lines = [pair.src for pair in reversals(20, seed=3)]
    expected, plain = own.translate(lines), reverser.translate(lines)
    assert expected != plain
    ways = ["json"] if isinstance(terms["glossary"], dict) else ["json", "form", "multipart"]
    for how in ways:  # one after the other, so that the cache holds the units of both
        assert send(f"{url}/translate", how, FIELDS | {"q": lines}).content["translatedText"] == plain
        assert send(f"{url}/translate", how, FIELDS | {"q": lines} | terms).content["translatedText"] == expected


def test_the_first_line_of_a_glossary_may_name_its_languages(languages: str) -> None:
    def translated(glossary: str, source: str = "en") -> Answer:
        fields = {"q": "The dog sees en and fr.", "source": source, "target": "de", "glossary": glossary}
        return ask_json(f"{languages}/translate", fields)

    bare = translated("dog\tKöter\n").content["translatedText"]
    assert translated("en\tde\ndog\tKöter\n").content["translatedText"] == bare
    assert translated("# mine\nEN\tde-AT\ndog\tKöter\n").content["translatedText"] == bare
    other = translated("en\tfr\ndog\tKöter\n")
    assert other.status == 400 and "the glossary is from en to fr, not en to de" in other.content["error"]
    plain = translated("", "auto").content["translatedText"]
    assert translated("en\tfr\ndog\tKöter\n", "auto").content["translatedText"] == plain != bare


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"glossary": {"3": ""}}, "the target phrase is empty"),
        ({"glossary": "3 4"}, "glossary, line 1: it has no tab"),
        ({"glossary": {"3": "7"}, "avoid": ["7"]}, "'7' is to be avoided"),
        ({"avoid": ["x" * 201]}, "more than 200 characters"),
        ({"avoid": [f"x{i}" for i in range(1001)]}, "1001 terms and phrases to avoid are more than 1000"),
        ({"glossary": {"\ud800": "x"}}, "surrogate"),
    ],
)
def test_terms_that_cannot_be_are_refused(url: str, terms: dict[str, Any], message: str) -> None:
    answer = ask_json(f"{url}/translate", FIELDS | terms)
    assert answer.status == 400
    assert message in answer.content["error"]


def test_a_message_names_ten_directions_at_most(languages: str) -> None:
    def message(source: str, target: str) -> str:
        return str(ask_json(f"{languages}/translate", {"q": "a", "source": source, "target": target}).content["error"])

    assert message("xx", "de").endswith("choose from en to de, es to de, fr to de, ja to de, nl to de")
    assert message("en", "xx").endswith("/languages lists the directions")
