"""What leaves a line when the installation itself is handled: a backup made, a backup restored."""

from datetime import datetime
from hashlib import file_digest
from pathlib import Path

from incident.actions.ledger import instant, transaction
from incident.domain.errors import Refused
from incident.store import abode, audit, backups, dispatches, sealed
from incident.store.backups import Manifest
from incident.store.db import new_ref


def back_up(path: Path, instance: Path, *, actor: str, now: datetime) -> Manifest:
    """Make a backup, and leave a line with its digest. Raises Refused."""
    manifest = backups.make(path, instance, instant(now), sealed.ring())
    with path.open("rb") as made:
        digest = file_digest(made, "sha256").hexdigest()
    with transaction(actor, now) as ledger:
        ledger.write("instance.backed_up", new_ref("B"), size=manifest.size, sha256=digest)
    return manifest


def freeze_copy(place: str, *, actor: str, now: datetime) -> bool:
    """At every start: a database that lives elsewhere than it did is a copy, and sends nothing until somebody has reconciled.

    Whether it was one. The original may go on sending; nobody but a person can know.
    """
    known = abode.known()
    if not known:  # new, or of a time when a server's places were not told apart
        abode.move_in(place)
    if not known or known == place:
        return False
    with transaction(actor, now) as ledger:
        abode.settle(place)
        dispatches.set_frozen(True, actor, now)
        ledger.write("instance.copied", "instance")
        ledger.write("sending.frozen", "sending")
    return True


def freeze_restored(manifest: Manifest, *, place: str, actor: str, now: datetime) -> None:
    """Right after the copy is readable, before anybody else can open it: nothing is sent until somebody has reconciled."""
    head = audit.head()
    if (head.log, head.size) != (manifest.log, manifest.size):
        raise Refused("The database in the backup is not the one its list speaks of; nothing was restored.")
    with transaction(actor, now) as ledger:
        dispatches.set_frozen(True, actor, now)
        abode.settle(place)
        ledger.write("instance.restored", new_ref("B"), size=manifest.size, made_at=manifest.at)
        ledger.write("sending.frozen", "sending")
