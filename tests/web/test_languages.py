"""The interface in the reader's language: which one that is, that every text has one, and that no text was forgotten."""

import re
from datetime import date
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from babel.messages.pofile import read_po
from flask import g
from jinja2 import Environment, nodes
from markupsafe import Markup

from incident import clock as wall
from incident.actions.throttled import TooMany
from incident.domain import clock, plans
from incident.domain.clauses import Truth
from incident.domain.clock import Calendar, Limit, Unit
from incident.domain.errors import Refused
from incident.domain.plans import State
from incident.exports.catalogue import FILES, LAWS, PLACE, Catalogue, _pattern, catalogue
from incident.store import users
from incident.web.languages import Word, _, said
from tests import words

TAGS = re.compile(r"</?\w+>")
ENTITY = re.compile(r"&#?\w+;")
NAMES = {
    "CSV",
    "PDF",
    "DOCX",
    "JSON",
    "ICS",
    "CVSS",
    "XLSX",
    "UTC",
    "API",
    "Tocsin",
    "TOCSIN_",
    "SHA-256",
    "P-",
    "TIP-",
    "h",
    "Ctrl",
    "K",
    "Ctrl K",
    "OpenAPI 3.1",
    "tcs_…",
    "Idempotency-Key: one-per-change",
    "Authorization: Bearer tcs_…",
    "key",
}
"""What is written the same in every language."""
FIGURES, THOUSANDS = re.compile(r"\d+"), re.compile(r"(?<=\d),(?=\d{3})")
REFERENCE = re.compile(r"[A-Z]+-[0-9-]+")
SPOKEN = {"aria-label", "title", "placeholder", "alt", "aria-description"}


def _messages(path):
    with path.open("rb") as file:
        return [message for message in read_po(file) if message.id]


@pytest.mark.parametrize("tag", FILES)
def test_every_text_of_the_interface_stands_in_the_catalogue(tag):
    assert FILES[tag].read_bytes() == words.renewed(FILES[tag], words.gathered()), "run `make words`"


@pytest.mark.parametrize("tag", LAWS)
def test_every_sentence_of_a_law_file_stands_in_the_catalogue_of_laws(tag):
    assert LAWS[tag].read_bytes() == words.renewed(LAWS[tag], words.of_laws()), "run `make words`"


@pytest.mark.parametrize("path", [*FILES.values(), *LAWS.values()], ids=lambda path: path.name)
def test_every_text_has_a_translation(path):
    bare = [
        message.id
        for message in _messages(path)
        if not (message.string if isinstance(message.string, str) else all(message.string))
    ]
    assert bare == []


@pytest.mark.parametrize("tag", FILES)
def test_a_translation_keeps_places_and_markup(tag):
    for message in _messages(FILES[tag]):
        english = message.id if isinstance(message.id, str) else message.id[1]
        text = message.string if isinstance(message.string, str) else message.string[-1]
        assert set(PLACE.findall(english)) == set(PLACE.findall(text)), english
        assert sorted(TAGS.findall(english)) == sorted(TAGS.findall(text)), english
        assert ('"' in text) <= ('"' in english), f"use “” in the text of: {english}"
        if PLACE.search(english) and message.python_format:
            assert text % {name: "x" for name in PLACE.findall(english)}


def _figures(text):
    """Every number in it, however its thousands are told apart."""
    return {int(figure) for figure in FIGURES.findall(THOUSANDS.sub("", text))}


@pytest.mark.parametrize("tag", LAWS)
def test_a_translation_of_a_law_keeps_every_figure_and_every_section(tag):
    lost = {
        message.id: missing
        for message in _messages(LAWS[tag])
        if (missing := _figures(message.id) - _figures(message.string))
    }
    assert lost == {}


class _Seen(HTMLParser):
    """Texts and spoken attributes of a template whose expressions are taken out."""

    def __init__(self):
        super().__init__(convert_charrefs=False)
        self.texts = []

    def handle_data(self, data):
        self.texts.append(data)

    def handle_starttag(self, tag, attrs):
        self.texts += [value or "" for name, value in attrs if name in SPOKEN]


def _left_in(source):
    """What a template says outside of its expressions."""
    seen = _Seen()
    environment = Environment(autoescape=True)
    taken = [
        text if kind == "data" else ""
        for _, kind, text in environment.lex(source)
        if kind == "data" or kind.endswith("_end")
    ]
    seen.feed("\x00".join(taken))
    texts = (ENTITY.sub("", part).strip(" \n·:,.()") for text in seen.texts for part in text.split("\x00"))
    said = (text for text in texts if re.search("[A-Za-z]", text) and text not in NAMES)
    return [text for text in said if not re.search("--|/", text) and not REFERENCE.fullmatch(text)]


def _unmarked(source):
    """Literals that look like sentences, in expressions and outside of `_()`; what is only compared with is not shown."""
    tree = Environment(autoescape=True).parse(source)
    marks = [call for call in tree.find_all(nodes.Call) if getattr(call.node, "name", "") in {"_", "ngettext"}]
    said = [node for node in tree.find_all(nodes.Filter) if node.name == "said"]
    spared = {
        id(const) for node in (*marks, *said, *tree.find_all(nodes.Compare)) for const in node.find_all(nodes.Const)
    }
    found = (
        const.value for const in tree.find_all(nodes.Const) if id(const) not in spared and isinstance(const.value, str)
    )
    return [
        text for text in found if re.search("[A-Za-z]{2,} [A-Za-z]", text) and "--" not in text and "btn " not in text
    ]


@pytest.mark.parametrize("path", words.PAGES, ids=lambda path: str(path.relative_to(words.TEMPLATES)))
def test_no_page_says_anything_that_is_not_marked_for_translation(path):
    source = path.read_text()
    assert _left_in(source) == []
    assert _unmarked(source) == []


def test_unmarked_words_are_found_where_they_stand():
    assert _left_in('<p title="In words">Hello {{ name }}, <b>{{ _("you") }}</b></p>') == ["In words", "Hello"]
    assert _unmarked('{{ tag("not marked") }}{{ tag(_("is marked")) }}') == ["not marked"]


def test_a_browser_that_asks_for_chinese_signs_in_in_chinese(app):
    page = app.test_client().get("/sign-in", headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"})
    assert '<html lang="zh-Hans" dir="ltr">' in page.text
    assert "登录" in page.text


@pytest.mark.parametrize(
    "asked", ["", "de-DE,de;q=0.9", "zh-TW,zh-Hant;q=0.9", "*", "x-klingon,,;q=", "en-US,zh-CN;q=0.5"]
)
def test_any_other_browser_is_answered_in_english(app, asked):
    page = app.test_client().get("/sign-in", headers={"Accept-Language": asked})
    assert '<html lang="en" dir="ltr">' in page.text
    assert "Sign in" in page.text


def test_the_switch_is_kept_in_the_account(app, as_):
    browser = as_("lead")
    reply = browser.post("/account/language?next=/duties/", data={"language": "zh-Hans"})
    assert (reply.status_code, reply.location) == (302, "/duties/")
    assert users.by_ref(browser.ref).language == "zh-Hans"
    assert '<html lang="zh-Hans"' in browser.get("/duties/").text


def test_a_stranger_keeps_what_they_switched_to(app):
    browser = app.test_client()
    browser.post("/account/language?next=/sign-in", data={"language": "zh-Hans"})
    assert 'lang="zh-Hans"' in browser.get("/sign-in", headers={"Accept-Language": "en"}).text


def test_a_language_that_is_not_offered_changes_nothing(app, as_):
    browser = as_("lead")
    assert browser.post("/account/language", data={"language": "tlh"}).status_code == 422
    assert users.by_ref(browser.ref).language == "en"


def test_the_switch_leads_nowhere_but_home(app, as_):
    assert as_("lead").post("/account/language?next=//elsewhere.example/", data={"language": "en"}).location == "/"


def test_programs_are_answered_in_english(app):
    reply = app.test_client().get("/api/v1/incidents", headers={"Accept-Language": "zh-CN"})
    assert reply.json["title"] == "Please sign in"


def test_words_fixed_at_the_start_are_shown_in_the_readers_language_and_equal_their_english(app):
    word = Word("Language")
    assert (f"{word}", word == "Language", {word: 1}["Language"]) == ("Language", True, 1)
    with app.test_request_context(headers={"Accept-Language": "zh-CN"}):
        assert (f"{word}", Markup("<b>%s</b>") % word, word == "Language") == ("语言", "<b>语言</b>", True)
        g.pop("language")


def test_what_fills_a_text_is_escaped_on_a_page(app):
    with app.test_request_context():
        shown = app.jinja_env.from_string('{{ _("in %(span)s", span=it) }}').render(it="<b>")
    assert shown == "in &lt;b&gt;"


def test_a_sentence_made_below_the_pages_is_found_again_by_its_pattern():
    english = "%(n)s of %(n)s at %(place)s"
    book = Catalogue({english: "%(place)s：%(n)s", "home": "家"}, ((_pattern(english), english),))
    assert book.said("2 of 2 at home") == "家：2"
    assert book.said("2 of 3 at home") == "2 of 3 at home"
    assert book.said("home") == "家"


@pytest.mark.parametrize("tag", FILES)
def test_every_sentence_made_below_the_pages_is_found_again(tag):
    book = catalogue(tag)
    for _found, english in book.patterns:
        values = {name: str(1_001 + number) for number, name in enumerate(dict.fromkeys(PLACE.findall(english)))}
        assert book.said(english % values) != english % values, english


def test_outside_of_a_request_everything_is_english():
    assert _("Language") == "Language"


CLOCKS = [
    (
        "72 h from 18 Nov 2026, 09:10 Berlin (aware) → 21 Nov 2026, 09:10 Berlin",
        "自 2026年11月18日 09:10 柏林（知悉）起 72 小时 → 2026年11月21日 09:10 柏林",
    ),
    (
        "5 working days from 18 Nov 2026 Hong Kong (aware), weekends and holidays of Germany left out",
        "自 2026年11月18日 香港（知悉）起 5 个工作日，除去德国的周末和节假日",
    ),
    (
        "at the latest 30 days from 18 Nov 2026, 09:10 New York (aware)",
        "最迟 自 2026年11月18日 09:10 纽约（知悉）起 30 天",
    ),
    ("no deadline in law: without undue delay", "法律无时限：不得不当拖延"),
    (
        "on hold for law enforcement since 18 Nov 2026, 09:10 Paris; otherwise 1 month from 18 Nov 2026 Paris (aware)",
        "自 2026年11月18日 09:10 巴黎 起因执法机关要求暂缓；否则 自 2026年11月18日 巴黎（知悉）起 1 个月",
    ),
    (
        "30 days from 18 Nov 2026 Rome (aware), by Regulation 1182/71 Art. 3 a last day off moves to the next working day, "
        "and two working days must lie in it",
        "自 2026年11月18日 罗马（知悉）起 30 天，按第 1182/71 号条例第 3 条，期限最后一天为休息日的顺延至下一个工作日，且其间须有两个工作日",
    ),
    ("People in mainland China: 37", "中国大陆的人数：37"),
]


@pytest.mark.parametrize(("english", "chinese"), CLOCKS)
def test_the_sentence_of_a_clock_is_said_in_chinese_to_its_end(app, english, chinese):
    with app.test_request_context(headers={"Accept-Language": "zh-CN"}):
        assert said(english) == chinese
        g.pop("language")


def test_a_city_that_nobody_knows_and_a_word_after_a_day_stay_as_they_are(app):
    with app.test_request_context(headers={"Accept-Language": "zh-CN"}):
        assert said("18 Nov 2026, 09:10 Nowhere") == "2026年11月18日 09:10 Nowhere"
        assert said("18 Nov 2026") == "2026年11月18日"
        g.pop("language")


@pytest.mark.parametrize("limit", [Limit(unit, amount) for unit in Unit for amount in (1, 2)], ids=str)
def test_every_limit_a_law_may_set_has_its_sentence_in_chinese(app, limit):
    words = clock.sentence(date(2026, 11, 18), limit, Calendar("DE", ZoneInfo("Europe/Berlin")), "aware")
    with app.test_request_context(headers={"Accept-Language": "zh-CN"}):
        assert not re.search("[A-Za-z]", said(words)), said(words)
        g.pop("language")


@pytest.mark.parametrize("state", [State.DONE, State.SKIPPED])
def test_what_is_over_and_what_was_tried_too_often_is_refused_in_chinese_to_its_end(app, state):
    with pytest.raises(Refused) as over:
        plans.taken(state, need=Truth.YES)
    with app.test_request_context(headers={"Accept-Language": "zh-CN"}):
        for refusal in (over.value, TooMany(wall.now())):
            assert not re.search("[A-Za-z]", said(refusal.sentence)), said(refusal.sentence)
        g.pop("language")
