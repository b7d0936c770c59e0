"""The routes with their fields and answers, as one table: the server routes by it, and describes itself by it.

`openapi` returns the description as OpenAPI 3.1, `page` as HTML. The schemas are those of `interface`, by msgspec.
"""

import html
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from seq2seq.serving import interface

FORMS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
FAILURES = {
    400: "A field is missing or not understood, or a text is too long.",
    403: "The key is not known, or the route is switched off.",
    404: "There is nothing here.",
    408: "The body took too long to arrive.",
    413: "The body, or a paragraph of it, is too large.",
    429: "Too many requests a minute; Retry-After says when to try again.",
    500: "The translation failed.",
    503: "Too many requests wait, or the time for this one was over; Retry-After says when to try again.",
}
REQUEST_FAILURES = (400, 403, 408, 413, 429, 500, 503)


class Endpoint(NamedTuple):
    """A route. Its handler is the method `name` of the server."""

    path: str
    method: str
    name: str
    summary: str
    answer: Any  # a type of `interface`, or the media type of another answer
    fields: type[msgspec.Struct] | None = None
    failures: Sequence[int] = ()


ENDPOINTS = (
    Endpoint("/", "GET", "show_page", "The page for people", "text/html"),
    Endpoint("/page/{name}", "GET", "show_asset", "A file of the page", "text/javascript", None, (404,)),
    Endpoint(
        "/translate",
        "POST",
        "translate",
        "Translate a text or a list of texts",
        interface.TranslateAnswer,
        interface.TranslateRequest,
        REQUEST_FAILURES,
    ),
    Endpoint(
        "/detect",
        "POST",
        "detect",
        "The languages that a text may be in, most probable first",
        list[interface.Detected],
        interface.DetectRequest,
        REQUEST_FAILURES,
    ),
    Endpoint("/languages", "GET", "list_languages", "The languages that are there", list[interface.Language]),
    Endpoint("/languages", "POST", "list_languages", "The same, as some programs ask", list[interface.Language]),
    Endpoint(
        "/translate_file",
        "POST",
        "translate_file",
        "Translate a document into a document of the same format",
        interface.FileAnswer,
        interface.FileRequest,
        REQUEST_FAILURES,
    ),
    Endpoint(
        "/download_file/{name}",
        "GET",
        "download_file",
        "A translated document",
        "application/octet-stream",
        None,
        (404,),
    ),
    Endpoint(
        "/suggest",
        "POST",
        "suggest",
        "Suggest a better translation",
        interface.SuggestAnswer,
        interface.SuggestRequest,
        REQUEST_FAILURES,
    ),
    Endpoint("/frontend/settings", "GET", "show_settings", "What a page may want to know", interface.Settings),
    Endpoint("/health", "GET", "report_health", "Whether the server answers", interface.Health),
    Endpoint("/metrics", "GET", "show_metrics", "Metrics for Prometheus", "text/plain"),
    Endpoint("/spec", "GET", "show_specification", "This description, as OpenAPI", "application/json"),
    Endpoint("/docs", "GET", "show_docs", "This description, for people", "text/html"),
)


def openapi(version: str, prefix: str) -> dict[str, Any]:
    """The description of the server as OpenAPI 3.1.

    Args:
        version: of this program.
        prefix: what all paths begin with.
    """
    kinds = [e.answer for e in ENDPOINTS if not isinstance(e.answer, str)]
    kinds += [interface.Failure, *(e.fields for e in ENDPOINTS if e.fields)]
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    of_answer = dict(zip([str(kind) for kind in kinds], schemas, strict=True))
    paths = dict[str, dict[str, Any]]()
    for endpoint in ENDPOINTS:
        operation = _operation(endpoint, of_answer, components)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "seq2seq",
            "version": version,
            "description": "Machine translation, by the interface of LibreTranslate.",
        },
        "servers": [{"url": prefix or "/"}],
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(endpoint: Endpoint, schemas: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    answer = endpoint.answer
    media, schema = (answer, {}) if isinstance(answer, str) else ("application/json", schemas[str(answer)])
    failures = {
        str(status): {
            "description": FAILURES[status],
            "content": {"application/json": {"schema": schemas[str(interface.Failure)]}},
        }
        for status in endpoint.failures
    }
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.name}_{endpoint.method.lower()}",
        "summary": endpoint.summary,
        "responses": {"200": {"description": "The answer.", "content": {media: {"schema": schema}}}, **failures},
    }
    if "{name}" in endpoint.path:
        name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
        operation["parameters"] = [
            {**name, "description": "its name; of a document, the last part of `translatedFileUrl`"}
        ]
    if endpoint.fields is not None:
        forms = FORMS[2:] if endpoint.fields is interface.FileRequest else FORMS
        schema = schemas[str(endpoint.fields)]
        operation["requestBody"] = {"content": {form: {"schema": schema} for form in forms}}
        properties = components[endpoint.fields.__name__]["properties"]
        operation["parameters"] = [
            {"name": name, "in": "query", "required": False, "schema": {k: v for k, v in of.items() if k != "default"}}
            for name, of in properties.items()
            if name != "file"
        ]
    return operation


PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>seq2seq: interface</title>
<style>:root {{ color-scheme: light dark }} body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem;
margin: auto; padding: 1rem }} td, th {{ text-align: left; vertical-align: top; padding: .1rem .8rem .1rem 0 }}
</style><h1>Interface</h1><p>That of LibreTranslate. Fields are sent as JSON, as a form, as multipart or in the query
string; the same as <a href="spec">OpenAPI</a>.</p>{sections}</html>
"""


def page(description: dict[str, Any]) -> str:
    """The description of `openapi` as a page."""
    sections = ""
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            sections += f"<h2><code>{method.upper()} {html.escape(path)}</code></h2><p>{operation['summary']}.</p>"
            for title, content in [
                ("Request", operation.get("requestBody", {}).get("content", {}).get(FORMS[2], {})),
                ("Answer", operation["responses"]["200"]["content"].get("application/json", {})),
            ]:
                sections += _fields(title, content.get("schema", {}), description["components"]["schemas"])
            codes = [code for code in operation["responses"] if code != "200"]
            sections += f"<p>Failures: {', '.join(codes)}.</p>" if codes else ""
    return PAGE.format(sections=sections)


def _fields(title: str, schema: dict[str, Any], components: dict[str, Any]) -> str:
    """A table of the fields of a schema; nothing if it has none."""
    name = schema.get("items", schema).get("$ref", "").rpartition("/")[2]
    if not name:
        return ""
    of = components[name]
    rows = ""
    for field, each in of["properties"].items():
        kinds = [part.get("type") or part.get("$ref", "").rpartition("/")[2] for part in each.get("anyOf", [each])]
        default = f"; left out: {json.dumps(each['default'])}" if "default" in each else ""
        need = "" if field in of.get("required", []) else "optional"
        about = html.escape(each.get("description", "") + default)
        rows += f"<tr><td><code>{field}</code><td>{' or '.join(filter(None, kinds))}<td>{need}<td>{about}</tr>"
    return f"<h3>{title}{': a list of' if 'items' in schema else ''}</h3><table>{rows}</table>"
