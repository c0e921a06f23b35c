"""An approved notice that goes by letter, and what it takes to print it in a test."""

import io
from dataclasses import dataclass
from pathlib import Path

from pypdf import PdfReader

from incident.actions import letters, people
from incident.actions.letters import Paper
from incident.store import letters as rows
from incident.store.letters import LetterBatch
from notifiers.print_letters import PrintLetters
from tests.actions.waves import LEAD, NOW, Story, an_incident
from tests.builders import a_notice

PAPER = Paper("din-5008-b", "DE", "Example Ltd")


@dataclass
class Post(Story):
    """A story told by letter."""

    folder: Path = Path()
    paper: Paper = PAPER

    def ask(self, most: int = 100) -> str:
        return letters.ask(self.incident.ref, self.dispatch, most=most, actor=LEAD, now=self.clock())

    def press(self) -> None:
        """Make every batch that was asked for."""
        for ref in letters.due(self.clock()):
            letters.do(ref, folder=self.folder, paper=self.paper, clock=self.clock)

    def batch(self, ref: str) -> LetterBatch:
        found = rows.anywhere(ref)
        assert found is not None
        return found

    def printed(self, ref: str) -> list[str]:
        """The pages of all files of a batch, as text."""
        pages: list[str] = []
        for file in self.batch(ref).files:
            _, parts = letters.print_copy(
                self.incident.ref, ref, file["name"], folder=self.folder, actor=LEAD, now=self.clock()
            )
            pages += [page.extract_text() for page in PdfReader(io.BytesIO(b"".join(parts))).pages]
        return pages

    def made(self, most: int = 100) -> str:
        ref = self.ask(most)
        self.press()
        return ref

    def posted(self, ref: str) -> None:
        letters.posted(
            self.incident.ref,
            ref,
            way="post",
            day=self.clock().date(),
            actor=LEAD,
            now=self.clock(),
            today=self.clock().date(),
        )


def a_post(folder: Path, count: int = 3, *, start: bool = True, **more: str) -> Post:
    """So many people with an address in Berlin; `more` goes into each record."""
    incident = an_incident(now=NOW)
    for number in range(1, count + 1):
        given = {
            "name": f"Person {number}",
            "address": f"Example Street {number}\n10117 Berlin",
            "place": "DE",
            "exposed": "email",
        }
        people.add(incident.ref, given | more, actor=LEAD, now=NOW)
    notice = a_notice(incident, channels=("letter",), stage="approved", now=NOW)
    post = Post(incident, notice, real={"letter": PrintLetters()}, folder=folder)
    if start:
        post.start()
        post.work()
    return post
