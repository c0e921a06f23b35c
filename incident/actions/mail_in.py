"""Take in what people write by e-mail: from a mailbox that is looked at, and from a provider that posts it here.

Every mail becomes a report, or a word on the report or the enquiry whose tag stands in its subject. Each is taken in once,
whichever way it comes, and stands as text and as the file it was. Nothing is ever answered by itself.
"""

import io
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from incident.actions import enquiries_in, tips
from incident.actions.ledger import transaction
from incident.actions.tips import OUTSIDE, Upload
from incident.domain import mails
from incident.domain.enquiries import Terms
from incident.domain.errors import Refused
from incident.domain.mails import Mail
from incident.domain.tips import KEPT_BY_MAIL, Kind, Way
from incident.store import tips as rows
from incident.store.tips import MAILBOX
from notifiers.contract import Letter, Mailbox, Unread

log = structlog.get_logger()

AT_ONCE: Final = 50
CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
RAW_NAME: Final = "mail.eml"


def due(mailbox: Mailbox | None) -> list[str]:
    """The mailbox, if there is one: whether there is mail shows only when one looks."""
    return [MAILBOX] if mailbox is not None else []


def do(mailbox: Mailbox | None, *, folder: Path, clock: Callable[[], datetime], terms: Terms | None = None) -> None:
    """Read what came since the last look. What cannot be read stays there, and the desk says so."""
    if mailbox is None:
        return
    known = rows.mailbox(MAILBOX)
    place = (known.validity, known.last_uid) if known is not None else (0, 0)
    try:
        for letter in mailbox.after(*place, most=AT_ONCE, largest=KEPT_BY_MAIL):
            _take_letter(letter, folder, clock(), terms)
    except Unread as trouble:
        log.warning("mailbox.unread", reason=str(trouble))
        rows.note_look(MAILBOX, now=clock(), trouble=str(trouble))
        return
    rows.note_look(MAILBOX, now=clock())


def _take_letter(letter: Letter, folder: Path, now: datetime, terms: Terms | None) -> None:
    """Take one message in, then keep that it was read: should the process end in between, it is known by what it says."""
    try:
        take_in(letter.raw, whole=letter.whole, folder=folder, now=now, terms=terms)
    except (OSError, SQLAlchemyError):
        raise  # the machine, not the mail: it is tried again
    except Exception as error:  # one bad mail stops no other, and is not lost
        log.warning("mailbox.bad_mail", uid=letter.number, reason=type(error).__name__)
        _received(mails.unreadable(letter.raw), letter.raw, folder, now)
    rows.note_read(MAILBOX, validity=letter.validity, uid=letter.number)


def take_in(raw: bytes, *, folder: Path, now: datetime, whole: bool = True, terms: Terms | None = None) -> str:
    """Take one e-mail in; the report it became or belongs to, or nothing where it was an enquiry's.

    With `terms`, which say what is promised to those who ask, one that quotes a notice of ours is an enquiry too.
    """
    mail = mails.parsed(raw, whole=whole)
    if mail.enquiry and _is_an_enquirys(mail, now):
        return ""
    if terms is not None and not mail.tag and _asks_about_a_notice(mail, terms, now):
        return ""
    ref = _added(mail, raw, folder, now) if mail.tag else ""
    return ref or _received(mail, raw, folder, now)


def _is_an_enquirys(mail: Mail, now: datetime) -> bool:
    """Put the mail to the enquiry that it names; whether there is one."""
    return enquiries_in.take_mail(
        mail.enquiry,
        sender=mail.sender,
        subject=mail.subject,
        text=mail.text,
        message_id=mail.message_id,
        actor=OUTSIDE,
        now=now,
    )


def _asks_about_a_notice(mail: Mail, terms: Terms, now: datetime) -> bool:
    """Make the mail an enquiry where it holds the code of a genuine notice; whether it does."""
    return enquiries_in.take_question(
        sender=mail.sender,
        subject=mail.subject,
        text=mail.text,
        message_id=mail.message_id,
        language="zh-Hans" if CHINESE.search(mail.words) else "en",
        terms=terms,
        actor=OUTSIDE,
        now=now,
    )


def _added(mail: Mail, raw: bytes, folder: Path, now: datetime) -> str:
    """Put the mail to the report that it names; nothing where the tag is made up or the report is gone or full."""
    ref, proof = mail.tag or ("", "")
    if not tips.is_tag(ref, proof):
        return ""
    kept: list[Path] = []
    try:
        with transaction(OUTSIDE, now) as ledger:
            tip = rows.by_ref(ref, locked=True)
            if tip is None or not tips.add_message(tip, mail.words, way=Way.MAIL, form=mail.unlike, ledger=ledger):
                ledger.unchanged()
            elif rows.file_count(tip) < tips.MOST_FILES_EVER:
                kept += tips.keep_files(tip, _uploads(mail, raw), folder, now, most=KEPT_BY_MAIL)
    except Refused:
        _take_away(kept)
        return ""
    except BaseException:
        _take_away(kept)
        raise
    return ref if tip is not None else ""


def _take_away(kept: list[Path]) -> None:
    for path in kept:
        path.unlink(missing_ok=True)


def _received(mail: Mail, raw: bytes, folder: Path, now: datetime) -> str:
    said = {"what": mail.words, "who": mail.name, "email": mail.sender}
    return tips.receive(
        Kind.OTHER,
        {name: value for name, value in said.items() if value},
        language="zh-Hans" if CHINESE.search(mail.words) else "en",
        way=Way.MAIL,
        form=mail.unlike,
        uploads=_uploads(mail, raw),
        folder=folder,
        actor=OUTSIDE,
        now=now,
    ).ref


def _uploads(mail: Mail, raw: bytes) -> list[Upload]:
    """The mail as it was, with the headers that show its way, and the files in it."""
    files = [Upload(one.name, io.BytesIO(one.content)) for one in mail.files]
    return [Upload(RAW_NAME, io.BytesIO(raw[:KEPT_BY_MAIL])), *files]
