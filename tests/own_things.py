"""What an installation has of its own, for tests that adopt lessons."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from incident.store import own, shelf
from incident.store.shelf import Shelf


@contextmanager
def things_of(folder: Path) -> Iterator[None]:
    """Have this process go by the playbooks, texts, scenarios and laws of this instance; afterwards all are gone again."""
    own.make_folders(folder)
    own.open_(folder)
    shelf.open_(Shelf(folder))
    try:
        yield
    finally:
        for name in ("playbooks", "messages", "scenarios", "laws", "laws/in-order"):
            for path in (folder / name).glob("*.t*"):
                path.unlink()
        own.refresh()
        shelf.refresh()
