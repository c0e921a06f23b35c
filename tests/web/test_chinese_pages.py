"""What a page in 简体中文 may hold in Latin letters; test_html.py walks every page and asks here."""

import re
from html.parser import HTMLParser

from incident.exports.catalogue import catalogue

SPOKEN = {"aria-label", "title", "placeholder", "alt", "aria-description"}
EMPTY = {
    "area",
    "br",
    "col",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "wbr",
    "path",
    "rect",
    "line",
    "circle",
    "use",
}
WORDS = re.compile(r"[A-Za-z][A-Za-z'’-]*(?:[ ,]+[A-Za-z][A-Za-z'’-]*){2,}")
"""Three words of Latin letters or more, one after the other."""
OURS = re.compile(
    r"""
    Lead\ on\ duty | Unspoken | Somebody | Somewhere | first\ wave | Sample | sample | Nobody\ on\ it  # what people typed in the house
    | tocsin\ [a-z] | TOCSIN_ | SendGrid | Twilio | HIPAA | messaging\ service  # commands, settings, names of products and laws
    | \b[A-Za-z_]+/[A-Za-z_]+\  | INC-\d | [A-Z0-9]{4}\ [A-Z0-9]{4}  # zones, references, codes
    | \bArt\.\  | Regulation\ \(EU\) | DPP\ 4 | CAC\ Measures  # laws by their own names, and places in them
    | [\u4e00-\u9fff]（[^）]*）  # a name in its own language behind the Chinese one
    | \ ·\ [\u4e00-\u9fff]  # the heading of a part in the language of the notice, with the reader's beside it
    """,
    re.VERBOSE,
)
"""What may stand there in Latin letters."""
LAWS = ("laws.", "obligations.", "duties.", "what_if.", "law_update", "reports.", "reference.", "reminders.")
"""Pages that quote laws and forms of authorities, whose names, statuses and notes keep the words of their file, and the API's own."""
RAW = {
    "attempts.mail": "the message as it was handed over",
    "record.index": "the record as it is signed",
    "audit.index": "the record as it is signed",
    "account.show": "the names of zones",
    "account.password": "the names of zones",
}
"""Pages that show what is in English by itself, and why."""


class Seen(HTMLParser):
    """Texts and spoken attributes of a page, but for what is said to be in another language."""

    def __init__(self, page):
        super().__init__()
        self.texts, self.open = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag not in EMPTY:
            self.open.append(
                (
                    tag,
                    given.get("lang", "zh-Hans") != "zh-Hans" or tag in {"script", "style", "textarea", "pre", "code"},
                )
            )
        self.texts += [given[name] for name in SPOKEN & given.keys() if given[name] and not self._is_other()]

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if data.strip() and not self._is_other():
            self.texts.append(" ".join(data.split()))

    def _is_other(self):
        return any(other for _, other in self.open)


def left_in_english(endpoint, page):
    """What of a page for a Chinese reader is English and may not be: what a template forgot to say, and what has no Chinese."""
    if endpoint in RAW:
        return []
    book, texts = catalogue("zh-Hans"), Seen(page).texts
    unsaid = [text for text in texts if WORDS.search(text) and not OURS.search(text)]
    forgotten = [f"{text} (has its Chinese; print it by `said`)" for text in unsaid if text.strip(" :：") in book.texts]
    return (
        forgotten
        if endpoint.startswith(LAWS)
        else [*forgotten, *(text for text in unsaid if text.strip(" :：") not in book.texts)]
    )


def test_english_words_are_seen_where_they_stand():
    page = (
        '<html lang="zh-Hans"><p title="Three words here">中文<b>and three more</b><i lang="en">not these three</i></p>'
    )
    assert [text for text in Seen(page).texts if WORDS.search(text)] == ["Three words here", "and three more"]


def test_what_is_english_on_a_page_is_told():
    page = '<html lang="zh-Hans"><p>Nothing known moves it.</p><p>Nobody has ever translated this.</p><p>U-1 Unspoken words here</p>'
    found = left_in_english("desk.home", page)
    assert found == [
        "Nothing known moves it. (has its Chinese; print it by `said`)",
        "Nobody has ever translated this.",
    ]
    assert left_in_english("laws.show", page) == found[:1]
    assert left_in_english("record.index", page) == []
