"""Change the key that signs the record, or replace it after it was lost. Each is a line; checkpoints after it bear the new key."""

from datetime import datetime
from typing import Final

from incident.actions import team_mails
from incident.actions.checkpoints import sign_within
from incident.actions.ledger import Ledger, instant, transaction
from incident.domain import audit as rules
from incident.domain.access import Role
from incident.domain.audit import Key, Malformed
from incident.domain.errors import Invalid, Refused
from incident.domain.team_mails import Kind
from incident.store import audit, checkpoints, record_keys, users
from incident.store.keys import KeysError
from incident.store.record_keys import BEFORE_ALL, SECRET, RecordKey
from incident.store.users import User

NOTHING_SIGNED: Final = "The record was never signed, so it has no key yet: sign a checkpoint first."
SECONDS: Final = frozenset({Role.ADMINISTRATOR, Role.LEAD, Role.PRIVACY})
"""Who may give the second yes to a key that no key vouches for."""


def rotate(*, actor: str, now: datetime) -> Key:
    """Put a new key in the place of the one in force, which signs that; the new one. Raises Refused, KeysError.

    All lines since the last checkpoint are read again, and a checkpoint by the new key ends the same transaction.
    """
    if checkpoints.latest() is None:
        raise Refused(NOTHING_SIGNED)
    frontier = checkpoints.reread()  # the long part, while others may write
    with transaction(actor, now) as ledger:
        place = audit.next_place()  # first: from here on nobody else changes the key
        if (last := len(record_keys.every())) >= rules.MOST_KEYS:
            raise Refused(f"This record has had {last} keys; verifiers know no more.")
        old = record_keys.newest() or _first(checkpoints.key().public, now)
        private = record_keys.private(is_new=False)
        file, made = record_keys.new_private()
        new = record_keys.named(made.public_key().public_bytes_raw())
        text = rules.key_change_text(audit.identity(), place, old.key.public, new.public)
        said = {"old": old.public, "new": new.public.hex(), "signature": private.sign(text.encode()).hex()}
        ledger.write(rules.CHANGED_KEY, f"K-{new.id.hex()}", **said)
        record_keys.add(new.public, file=file, since=place, at=instant(now))
        sign_within(frontier, ledger)
        _tell(new, "changed", ledger)
    checkpoints.publish()
    return new


def replace(first: str, second: str, *, old_key: str = "", now: datetime) -> Key:
    """Give the record a new key after the old one was lost, as two people say who have just proven who they are; the new one.

    `first` is an administrator, `second` may give the yes. `old_key` is asked for where the database never knew it.
    Raises Invalid, Refused.
    """
    if checkpoints.latest() is None:
        raise Refused(NOTHING_SIGNED)
    with transaction(first, now) as ledger:
        place = audit.next_place()
        _demand_two(users.by_ref(first, locked=True), users.by_ref(second, locked=True))
        _demand_lost()
        old = record_keys.newest() or _first(_known_otherwise(old_key), now)
        frontier = checkpoints.reread()
        file, made = record_keys.new_private()
        new = record_keys.named(made.public_key().public_bytes_raw())
        ledger.write(rules.REPLACED_KEY, f"K-{new.id.hex()}", old=old.public, new=new.public.hex(), second=second)
        record_keys.add(new.public, file=file, since=place, at=instant(now), signed=False)
        sign_within(frontier, ledger)
        _tell(new, "replaced without the old one's signature, for that was lost", ledger)
    checkpoints.publish()
    return new


def _first(public: bytes, now: datetime) -> RecordKey:
    """The first key of a record that was signed before keys were kept in the database."""
    return record_keys.add(public, file=SECRET, since=BEFORE_ALL, at=instant(now))


def _demand_two(first: User | None, second: User | None) -> None:
    if first is None or second is None or not (first.active and second.active):
        raise Refused("One of the two accounts is locked or gone.")
    if first.ref == second.ref:
        raise Invalid("second", "The second yes is given by another person.")
    if Role.ADMINISTRATOR not in first.roles:
        raise Invalid("first", "The first of the two is an administrator.")
    if not SECONDS & set(second.roles):
        raise Invalid("second", "The second of the two leads, looks after privacy, or is an administrator.")


def _demand_lost() -> None:
    try:
        record_keys.private(is_new=False)
    except KeysError:
        return
    raise Refused("The key that signs the record is there. Change it with: tocsin audit rotate-key.")


def _known_otherwise(text: str) -> bytes:
    """The public key that signed the newest checkpoint, as somebody outside has kept it. Raises Invalid."""
    if not text.strip():
        raise Invalid(
            "old_key",
            "This record was signed by a version that kept no public key. Give the old one: it stands in the mails to auditors "
            "and in record-key.txt.",
        )
    newest = checkpoints.latest()
    try:
        key = Key.read(text)
        trouble = newest and rules.Checkpoint.read(newest.note).trouble(key, record_keys.judge)
    except Malformed as error:
        raise Invalid("old_key", f"{error}.") from None
    if trouble:
        raise Invalid("old_key", "The newest checkpoint was not signed with this key.")
    return key.public


def _tell(new: Key, how: str, ledger: Ledger) -> None:
    """Have auditors and administrators told: whoever keeps checkpoints needs the new key beside them."""
    people = {user.id: user for role in (Role.AUDITOR, Role.ADMINISTRATOR) for user in users.holders(role)}
    team_mails.tell(list(people.values()), Kind.RECORD_KEY, {"how": how, "key": str(new)}, ledger)
