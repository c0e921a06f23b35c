"""An e-mail from a stranger as plain words: who it says it is from, its subject, its text, and its files. Nothing of it is believed.

Headers are read by the old, forgiving rules of the standard library: a broken one is left out, never an error.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import HeaderParseError, MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.policy import compat32
from email.utils import parseaddr
from hashlib import sha256
from html.parser import HTMLParser
from itertools import islice
from typing import Final

from incident.domain.preflight import is_email
from incident.domain.tips import LONGEST_TEXT
from incident.domain.wording import cleaned

MOST_PARTS: Final = 100
MOST_FILES: Final = 9
LONGEST_LINE: Final = 300
MOST_HTML: Final = 2 * 2**20
TAG: Final = re.compile(r"\b(TIP-[0-9A-HJKMNP-TV-Z]{8})-([0-9A-HJKMNP-TV-Z]{8})\b")
ENQUIRY: Final = re.compile(r"\bEQ-[0-9A-HJKMNP-TV-Z]{8}\b")
CUT: Final = "\n\n[…]"
UNREADABLE: Final = "(This e-mail could not be read. It is kept as a file.)"
NO_TEXT: Final = "(no text)"
TOO_LARGE: Final = "(This e-mail is too large to be taken in. Its headers are kept; read it in the mailbox.)"
UNSEEN: Final = frozenset({"script", "style", "head", "title", "template"})
BREAKS: Final = frozenset({"p", "br", "div", "tr", "li", "h1", "h2", "h3", "h4", "blockquote"})


@dataclass(frozen=True)
class Attached:
    """A file of an e-mail."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    """What an e-mail says."""

    sender: str
    name: str
    subject: str
    message_id: str
    text: str
    files: tuple[Attached, ...]

    @property
    def tag(self) -> tuple[str, str] | None:
        """The report that its subject names, and the proof that we wrote so."""
        found = TAG.search(self.subject.upper())
        return (found[1], found[2]) if found else None

    @property
    def enquiry(self) -> str:
        """The enquiry that its subject names, or nothing."""
        found = ENQUIRY.search(self.subject.upper())
        return found[0] if found else ""

    @property
    def unlike(self) -> str:
        """What makes it unlike others, however often and by whichever way it comes."""
        said = "\0".join((self.message_id, self.sender, self.subject, self.text))
        return f"mail:{sha256(said.encode('utf-8', 'surrogatepass')).hexdigest()}"

    @property
    def words(self) -> str:
        """Subject and text, as far as there is room."""
        whole = f"{self.subject}\n\n{self.text}".strip()
        return whole if len(whole) <= LONGEST_TEXT else whole[: LONGEST_TEXT - len(CUT)] + CUT


def parsed(raw: bytes, *, whole: bool = True) -> Mail:
    """The e-mail of these bytes; where there are only its headers, a sentence stands for its text."""
    try:
        message = message_from_bytes(raw, policy=compat32)
        parts = list(islice(_leaves(message), MOST_PARTS))
    except (MessageError, RecursionError, LookupError, ValueError):
        return unreadable(raw)
    name, sender = _sender(message)
    files = tuple(islice((_attached(part) for part in parts if _is_file(part)), MOST_FILES))
    return Mail(
        sender=sender,
        name=name,
        subject=_line(message, "Subject"),
        message_id=_line(message, "Message-ID") or _line(message, "Date") or sha256(raw).hexdigest(),
        text=_text([part for part in parts if not _is_file(part)]) if whole else TOO_LARGE,
        files=files if whole else (),
    )


def unreadable(raw: bytes) -> Mail:
    """What stands for an e-mail that cannot be read: that there is one."""
    return Mail("", "", "", sha256(raw).hexdigest(), UNREADABLE, ())


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that hold no other, as they stand; without recursion, for senders choose how deep it is."""
    waiting: list[Message] = [message]
    for _ in range(10 * MOST_PARTS):
        if not waiting:
            return
        part = waiting.pop(0)
        inner = part.get_payload()
        if isinstance(inner, list):
            waiting[:0] = [one for one in inner if isinstance(one, Message)]
        else:
            yield part


def _is_file(part: Message) -> bool:
    return bool(part.get_filename()) or part.get_content_maintype() != "text"


def _attached(part: Message) -> Attached:
    return Attached(_decoded(part.get_filename() or "") or "file", _bytes(part))


def _text(parts: list[Message]) -> str:
    """The plain words; those of HTML only where there are no others."""
    plain = [_words(part) for part in parts if part.get_content_subtype() == "plain"]
    said = plain or [_of_html(_words(part)[:MOST_HTML]) for part in parts if part.get_content_subtype() == "html"]
    return cleaned("\n".join(said)).strip() or NO_TEXT


def _words(part: Message) -> str:
    raw = _bytes(part)
    try:
        return raw.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        return raw.decode("utf-8", "replace")


def _bytes(part: Message) -> bytes:
    try:
        found = part.get_payload(decode=True)
    except (ValueError, LookupError):
        found = None
    return found if isinstance(found, bytes) else b""


def _sender(message: Message) -> tuple[str, str]:
    name, address = parseaddr(_line(message, "From"))
    return name[:120], address if is_email(address) else ""


def _line(message: Message, header: str) -> str:
    return _decoded(str(message.get(header, "")))


def _decoded(raw: str) -> str:
    """A header in words, in one line."""
    try:
        said = str(make_header(decode_header(raw)))
    except (HeaderParseError, LookupError, ValueError):
        said = raw
    return " ".join(cleaned(said.encode("utf-8", "replace").decode()).split())[:LONGEST_LINE]


class _Plain(HTMLParser):
    """Collects what a reader would see of HTML, as plain words."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said = io.StringIO()
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what begins."""
        self._unseen += tag in UNSEEN
        if tag in BREAKS:
            self.said.write("\n")

    def handle_endtag(self, tag: str) -> None:
        """Note what ends."""
        self._unseen = max(0, self._unseen - (tag in UNSEEN))

    def handle_data(self, data: str) -> None:
        """Keep what can be seen."""
        if not self._unseen:
            self.said.write(data)


def _of_html(text: str) -> str:
    reader = _Plain()
    try:
        reader.feed(text)
    except (AssertionError, ValueError):  # the standard library's parser on broken declarations
        return ""
    lines = [" ".join(line.split()) for line in reader.said.getvalue().splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
