"""Finds every page and every form of the application, fills the forms in, and sees whether a page holds anything that acts."""

import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urldefrag, urljoin, urlsplit

from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.full_house import House
from tests.naughty import MARK

TEXT_TYPES: Final = {
    "", "text", "search", "email", "tel", "url", "number", "date", "time", "datetime-local", "password", "hidden", "month",
}  # fmt: skip
WORDS: Final = {
    "kind": "pdf",
    "day": 1,
    "size": 1,
    "name": "x",
    "check wish": "question",
    "desks state": "in_doubt",
    "drills scenario": "lost_laptop",
    "grades scale": "people",
    "incidents key": "aware_at",
    "laws law": "EU-GDPR",
    "measures plot": "spans",
    "measures table": "spans",
    "reference part": "incidents",
}
"""What stands for arguments of addresses that name no thing of the house, by `blueprint argument` or the argument alone."""


@dataclass
class Control:
    """One field of a form."""

    name: str
    kind: str
    value: str = ""
    options: list[str] = field(default_factory=list)

    @property
    def takes_text(self) -> bool:
        """Whether a person, or somebody with a tool, may put any text into it."""
        return self.kind in TEXT_TYPES or self.kind == "textarea"


@dataclass
class Form:
    """A form as it stands on a page."""

    page: str
    action: str
    controls: list[Control] = field(default_factory=list)

    @property
    def texts(self) -> list[Control]:
        """The fields that take text, but for the token of the page."""
        return [one for one in self.controls if one.takes_text and one.name != "csrf_token"]

    def filled(self, **typed: str) -> dict[str, Any]:
        """What is sent, with some fields typed over: a choice takes its last offer, a text what stands in it or a word."""
        sent: dict[str, Any] = {}
        for one in self.controls:
            if one.name in typed:
                sent[one.name] = typed[one.name].encode("utf-8", "surrogatepass")
            elif one.kind == "file":
                sent[one.name] = (io.BytesIO(b"name,email\nA,a@example.org\n"), "list.csv")
            elif one.options:
                sent[one.name] = one.options[-1]
            elif one.kind == "checkbox":
                sent[one.name] = one.value or "y"
            elif one.kind == "radio":
                sent.setdefault(one.name, one.value)
            else:
                sent.setdefault(one.name, one.value or "Something")
        return sent


class Page(HTMLParser):
    """The links and forms of a page, and what in it could act."""

    def __init__(self, address: str, text: str) -> None:
        super().__init__()
        self.address, self.forms, self.links, self.acts = address, [], [], []
        self.outside: list[tuple[Form, Control]] = []
        self._form: Form | None = None
        self._select: Control | None = None
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a link, a form or a field; note what must not be there."""
        given = {name: value or "" for name, value in attrs}
        self._judge(tag, given)
        self._inside = tag
        if tag == "a" and given.get("href", "").startswith(("/", "?")):
            self.links.append(urldefrag(urljoin(self.address, given["href"]))[0])
        if tag == "form" and given.get("method", "").lower() == "post":
            self._form = Form(self.address, urldefrag(urljoin(self.address, given.get("action") or self.address))[0])
            self.forms.append(self._form)
        if self._form is not None and given.get("name") and tag in {"input", "textarea", "select", "button"}:
            kind = given.get("type", "") if tag in {"input", "button"} else tag
            one = Control(given["name"], "submit" if tag == "button" else kind.lower(), given.get("value", ""))
            self._form.controls.append(one)
            self._select = one if tag == "select" else None
        if tag == "option" and self._select is not None:
            self._select.options.append(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        """Close what is open."""
        self._inside = ""
        if tag == "form":
            self._form = None
        if tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        """The inside of a script is program; a computer of templates would have written a number."""
        if self._inside in {"script", "style"} and data.strip():
            self.acts.append(f"{self._inside}: {data[:60]}")
        if re.search(r"ZQ(49|7777777|<Config|\[<class)", data):
            self.acts.append(f"computed: {data[:60]}")

    def _judge(self, tag: str, given: dict[str, str]) -> None:
        if MARK in tag or (tag == "script" and not given.get("src", "").startswith("/")):
            self.acts.append(f"<{tag}>")
        for name, value in given.items():
            if name.startswith("on") or name == "style" or MARK in name:
                self.acts.append(f"<{tag} {name}>")
            if name in {"href", "src", "action", "formaction", "data", "poster", "srcset"}:
                scheme = re.match(r"[\x00-\x20]*([a-z][a-z0-9+.\t\r\n-]*):", value.lower())
                known = scheme is None or scheme[1] in {"https", "http", "mailto", "tel"}
                if value.startswith("data:image/") and tag == "img":
                    continue  # a picture of ours; an image runs no script
                if not known or (name != "href" and urlsplit(value).netloc):
                    self.acts.append(f"<{tag} {name}={value[:60]}>")


def addresses(app: APIFlask, house: House) -> Iterator[tuple[str, str]]:
    """Endpoint and address of every page that can be read, with the things of the house in it."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith(("/api/", "/static", "/hooks", "/bootstrap")):
            continue
        yield rule.endpoint, adapter.build(rule.endpoint, _values(rule, house))


def _values(rule: Rule, house: House) -> dict[str, Any]:
    return {argument: _value(rule.endpoint, argument, house) for argument in rule.arguments}


def _value(endpoint: str, argument: str, house: House) -> str | int:
    room = endpoint.rpartition(".")[0]
    of_room = f"{room} {argument}"
    if known := house.elsewhere.get(f"{endpoint} {argument}", house.elsewhere.get(of_room)):
        return known
    if argument == "incident":
        return house.incident.ref
    thing = house.thing(room, argument)
    return thing if thing is not None else WORDS.get(of_room, WORDS.get(argument, "x"))


def pages(browser: FlaskClient, found: Iterable[str]) -> Iterator[tuple[Page, TestResponse]]:
    """Every page at these addresses that is HTML, read."""
    for address in found:
        answer = browser.get(address, buffered=True)
        if answer.mimetype == "text/html":
            yield Page(address, answer.get_data().decode("utf-8")), answer


def forms(app: APIFlask, found: Iterable[Page]) -> dict[tuple[str, tuple[str, ...]], Form]:
    """Every form with a field that takes text, once for each view and set of fields."""
    adapter = app.url_map.bind("localhost")
    kinds: dict[tuple[str, tuple[str, ...]], Form] = {}
    for page in found:
        for form in page.forms:
            endpoint, _ = adapter.match(urlsplit(form.action).path, method="POST")
            names = tuple(sorted({one.name for one in form.controls}))
            if form.texts:
                kinds.setdefault((endpoint, names), form)
    return kinds


Send = Callable[[Form, dict[str, Any]], TestResponse]


def sent(browser: FlaskClient, form: Form, typed: dict[str, str]) -> TestResponse:
    """Send a form with some of its fields typed over."""
    return browser.post(
        form.action, data=form.filled(**typed), headers={"Referer": f"http://localhost{form.page}"}, buffered=True
    )
