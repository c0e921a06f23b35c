"""Take in what somebody tells us, hand out the code that opens it again, and write down what they add to it."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy.exc import IntegrityError

from incident.actions import team_mails
from incident.actions.ledger import Ledger, transaction
from incident.domain import tips as rules
from incident.domain.errors import Refused
from incident.domain.team_mails import Kind as Told
from incident.domain.tips import Kind, Seen, State, Unfit, Way
from incident.store import files, incidents
from incident.store import tips as rows
from incident.store.db import CROCKFORD, db, new_ref, new_secret_ref
from incident.store.tips import Tip, TipFile, TipMessage

OUTSIDE: Final = "public"
CODE_LETTERS: Final = 25
A_GROUP: Final = 5
TAG_LETTERS: Final = 8
SHOWN_AGAIN: Final = timedelta(minutes=10)
"""For so long a form that was sent twice gets the same code again: the first answer may never have been seen."""
QUIET: Final = timedelta(minutes=15)
"""After a mail to the leads, no other one about reports for so long."""
MISREAD: Final = str.maketrans("OIL", "011")
LONGEST_NAME: Final = 200
MOST_FILES_EVER: Final = 200
"""Of one report, with those that came later by e-mail."""


@dataclass(frozen=True)
class Upload:
    """A file as it came."""

    name: str
    content: IO[bytes]


@dataclass(frozen=True)
class Received:
    """What came of a report: its reference, the code for whoever sent it, and whether it had come before."""

    ref: str
    code: str
    again: bool


@dataclass(frozen=True)
class Said:
    """One message as its reader sees it."""

    by_us: bool
    text: str
    at: datetime
    by: str


@dataclass(frozen=True)
class Conversation:
    """A report as whoever sent it sees it: nothing of what we found, and of no incident."""

    kind: str
    seen: Seen
    received_at: datetime
    said: Mapping[str, Any]
    files: Sequence[str]
    messages: Sequence[Said]
    full: bool


def receive(
    kind: Kind,
    said: Mapping[str, Any],
    *,
    language: str,
    way: Way,
    form: str,
    uploads: Sequence[Upload] = (),
    folder: Path,
    actor: str,
    now: datetime,
) -> Received:
    """Take a report in, once for each `form` (the nonce of its ticket, or what makes a mail unlike others). Raises Unfit.

    Only a report by the page has a code: it is made of the ticket's nonce by a key, and is kept nowhere.
    """
    code = code_for(form) if way is Way.PAGE else ""
    form_mark = rows.mark("form", form)
    kept: list[Path] = []
    try:
        with transaction(actor, now) as ledger:
            known = rows.by_ticket(form_mark)
            if known is not None:
                ledger.unchanged()
                return _again(known, code, now)
            tip = _made(kind, said, language, way, now)
            tip.ticket_mark, tip.code_mark = form_mark, bytes.fromhex(opened_by(code)) if code else None
            kept += keep_files(tip, uploads, folder, now, most=most_of(way))
            ledger.write("tip.received", tip.ref, kind=tip.kind, way=tip.way, files=len(uploads))
            _tell_leads(tip, ledger)
    except BaseException as error:
        for path in kept:
            path.unlink(missing_ok=True)
        known = _known_by_now(form_mark) if isinstance(error, IntegrityError) else None
        if known is None:
            raise
        return _again(known, code, now)
    return Received(tip.ref, code, again=False)


def _tell_leads(tip: Tip, ledger: Ledger) -> None:
    """Have everybody who leads told, unless they were told of another report just now; a flood makes a mail now and then."""
    if tip.way == Way.DESK or rows.told_since(ledger.now - QUIET):
        return
    about = {"tip": tip.ref, "about": tip.kind, "minutes": int(QUIET.total_seconds() // 60)}
    team_mails.tell(team_mails.leads(), Told.REPORTED, about, ledger)


def _known_by_now(form_mark: bytes) -> Tip | None:
    """The report that the same form made at the same moment."""
    db.session.rollback()
    return rows.by_ticket(form_mark)


def _again(known: Tip, code: str, now: datetime) -> Received:
    return Received(known.ref, code if now - known.received_at <= SHOWN_AGAIN else "", again=True)


def _made(kind: Kind, said: Mapping[str, Any], language: str, way: Way, now: datetime) -> Tip:
    tip = Tip(ref=new_ref("TIP"), kind=kind, way=way, language=language[:12], received_at=now, changed_at=now)
    db.session.add(tip)
    db.session.flush()
    tip.sealed = rows.seal_told(tip, dict(said))
    place = rules.place_of(said)
    tip.place_mark = rows.mark("place", place) if place else None
    return tip


def most_of(way: Way) -> int:
    """Bytes of the largest file that is taken by this way: an e-mail is here already, and is not sent again."""
    return rules.KEPT_BY_MAIL if way is Way.MAIL else rules.LARGEST_FILE


def keep_files(tip: Tip, uploads: Sequence[Upload], folder: Path, now: datetime, *, most: int) -> list[Path]:
    """Seal the files under the report's own key; where they are. None stays when one fails. Raises Unfit."""
    if len(uploads) > rules.MOST_FILES and most == rules.LARGEST_FILE:
        raise Unfit("files", "files", f"At most {rules.MOST_FILES} files.")
    kept: list[Path] = []
    try:
        for upload in uploads:
            kept.append(_keep_file(tip, upload, folder, now, most))
    except BaseException:
        for path in kept:
            path.unlink(missing_ok=True)
        raise
    return kept


def _keep_file(tip: Tip, upload: Upload, folder: Path, now: datetime, most: int) -> Path:
    stored_as, ref = new_secret_ref(), new_ref("TF")
    path = folder / stored_as
    key = rows.key_of(tip)
    try:
        found = files.keep(upload.content, path, key, stored_as, most=most)
    except Refused:
        raise Unfit("files", "files", f"A file has at most {most // 2**20} MiB.") from None
    row = TipFile(ref=ref, tip_id=tip.id, size=found.size, sha256=found.sha256, stored_as=stored_as, added_at=now)
    row.sealed = rows.seal_name(tip, ref, plain_name(upload.name))
    db.session.add(row)
    return path


def plain_name(name: str) -> str:
    """A file's own name, without folders and control characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:LONGEST_NAME] or "file"


def code_for(form: str) -> str:
    """The code of the report that this form makes: 25 letters and digits (125 bits) in groups of five that nobody without the key can work out."""
    letters = _letters(rows.mark("code_of", form), CODE_LETTERS)
    return "-".join(letters[start : start + A_GROUP] for start in range(0, CODE_LETTERS, A_GROUP))


def tag_for(ref: str) -> str:
    """What stands in the subject of our e-mails about a report, so that replies find it: its reference, and a proof of it."""
    return f"{ref}-{_letters(rows.mark('thread', ref), TAG_LETTERS)}"


def is_tag(ref: str, proof: str) -> bool:
    """Whether this proof belongs to this reference."""
    return hmac.compare_digest(tag_for(ref).encode(), f"{ref}-{proof}".encode())


def _letters(raw: bytes, count: int) -> str:
    number = int.from_bytes(raw, "big")
    return "".join(CROCKFORD[(number >> (5 * place)) & 31] for place in range(count))


def opened_by(code: str) -> str:
    """The key that this code turns into, for the browser's session; the same work for every code, right or wrong."""
    letters = "".join(letter for letter in code.upper() if letter.isalnum()).translate(MISREAD)
    return rows.mark("code", letters[:64]).hex()


def conversation(key: str) -> Conversation | None:
    """The report that this key opens, as its sender sees it; None for a wrong one and for one that is gone."""
    tip = rows.by_code(_raw(key))
    if tip is None:
        return None
    wrote = rows.messages(tip)
    messages = [
        Said(one.written_by != OUTSIDE, text, one.written_at, "")
        for one, text in zip(wrote, rows.words(tip, wrote), strict=True)
    ]
    found = rows.files(tip)
    return Conversation(
        tip.kind,
        rules.SEEN[State(tip.state)],
        tip.received_at,
        rows.told(tip),
        rows.names(tip, found),
        messages,
        len(messages) >= rules.MOST_MESSAGES,
    )


def add(key: str, text: str, *, form: str, now: datetime) -> bool:
    """Add what the sender wrote to their report, once for each form; whether there is such a report. Raises Unfit, Refused."""
    words = rules.text("text", text)
    with transaction(OUTSIDE, now) as ledger:
        tip = rows.by_code(_raw(key), locked=True)
        if tip is None or not add_message(tip, words, way=Way.PAGE, form=form, ledger=ledger):
            ledger.unchanged()
    return tip is not None


def add_message(tip: Tip, words: str, *, way: Way, form: str, ledger: Ledger) -> bool:
    """Add a word from outside, inside the caller's transaction; whether it was new. Raises Refused where there are very many."""
    message_mark = rows.mark("form", form)
    if rows.is_known_message(message_mark):
        return False
    if rows.message_count(tip) >= rules.MOST_MESSAGES:
        raise Refused("No more can be added here. Please make a new report.")
    write(tip, words, way=way, by=OUTSIDE, now=ledger.now, message_mark=message_mark)
    tip.waits, tip.changed_at = True, ledger.now
    ledger.write("tip.added_to", tip.ref, incident=incident_ref(tip), way=way.value)
    return True


def write(tip: Tip, words: str, *, way: Way, by: str, now: datetime, message_mark: bytes | None = None) -> TipMessage:
    """Add a message row."""
    ref = new_ref("TM")
    row = TipMessage(tip_id=tip.id, ref=ref, way=way, written_by=by, written_at=now, mark=message_mark)
    row.sealed = rows.seal_words(tip, ref, words)
    db.session.add(row)
    db.session.flush()
    return row


def incident_ref(tip: Tip) -> str | None:
    """The reference of the incident that it belongs to."""
    if tip.incident_id is None:
        return None
    return incidents.by_ids([tip.incident_id])[tip.incident_id].ref


def _raw(key: str) -> bytes:
    """The mark as bytes; what is none is the mark of nothing."""
    try:
        return bytes.fromhex(key)
    except ValueError:
        return b""
