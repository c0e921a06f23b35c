"""People's sealed records as the database holds them."""

from collections.abc import Callable, Sequence

from incident.actions.opening import Envelopes
from incident.store import people, sealed
from incident.store.sealed import Sealer, sealer


def of(
    incident_id: int, ids: Sequence[int], *, only_listed: bool = False, key: Callable[[int], Sealer] = sealer
) -> Envelopes:
    """The envelopes of these people of an incident; the erased have none. Raises Erased.

    With `only_listed`, neither have those who were taken off the list or joined to another since. `key` opens the data key.
    """
    opener, gone = key(incident_id), sealed.erased_people(incident_id)
    found = list(people.by_ids(incident_id, ids, only_listed=only_listed))
    return Envelopes(opener, [row for row in found if row[1] not in gone] if gone else found)
