"""How the people of a sending went from channel to channel: from where they stand now and which moves brought them there."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from incident.domain.deliveries import State

Stands = Mapping[tuple[str, State], int]
"""How many people stand in which state by which channel."""
Moves = Mapping[tuple[str, str], int]
"""How many went from one channel to another, in whichever direction."""


@dataclass(frozen=True)
class Stream:
    """What became of everybody who ever stood at one channel: who comes in is who stands there or has gone on."""

    channel: str
    began: int
    came: Mapping[str, int]
    stands: Mapping[State, int]
    went: Mapping[str, int]

    @property
    def people(self) -> int:
        """How many came to this channel, counted once for each time they came."""
        return self.began + sum(self.came.values())


def streams(order: Sequence[str], stands: Stands, moves: Moves) -> list[Stream]:
    """One for each channel that anybody stands at or went through, in the order of the ladder; others after it.

    Nobody counts who began where: that follows, for whoever stands at a channel or left it has begun there or come to it.
    """
    seen = {channel for (channel, _), n in stands.items() if n} | {
        end for ends, n in moves.items() if n for end in ends
    }
    return [_stream(channel, stands, moves) for channel in _ordered(order, seen)]


def _ordered(order: Sequence[str], seen: Collection[str]) -> list[str]:
    known = [channel for channel in order if channel in seen]
    return known + sorted(set(seen) - set(known))


def _stream(channel: str, stands: Stands, moves: Moves) -> Stream:
    here = {state: n for (where, state), n in stands.items() if where == channel and n}
    came = {origin: n for (origin, target), n in moves.items() if target == channel and origin != channel and n}
    went = {target: n for (origin, target), n in moves.items() if origin == channel and target != channel and n}
    began = sum(here.values()) + sum(went.values()) - sum(came.values())
    return Stream(channel, began, came, here, went)
