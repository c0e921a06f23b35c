"""Merkle proofs: that one line is in a record, and that one record continues another (RFC 6962 2.1, RFC 9162 2.1)."""

from collections.abc import Sequence

from incident.domain.audit import Frontier, node_hash, root_by


def _root(leaves: Sequence[bytes]) -> bytes:
    frontier = Frontier()
    for leaf in leaves:
        frontier.add(leaf)
    return frontier.root()


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Hashes that lead from leaf `index` to the root over `leaves` (leaf hashes), nearest first."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    if len(leaves) == 1:
        return []
    half = _split(len(leaves))
    if index < half:
        return [*inclusion_proof(leaves[:half], index), _root(leaves[half:])]
    return [*inclusion_proof(leaves[half:], index - half), _root(leaves[:half])]


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof leads from `leaf` at `index` to `root` of `size` leaves (RFC 9162 2.1.3.2)."""
    return root_by(leaf, index, size, proof) == root


def consistency_proof(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """Hashes that show the tree over `leaves` to start with the tree of its first `old` leaves."""
    if not 0 < old <= len(leaves):
        raise IndexError(old)
    return _consistency(leaves, old, whole=True)


def _consistency(leaves: Sequence[bytes], old: int, *, whole: bool) -> list[bytes]:
    if old == len(leaves):
        return [] if whole else [_root(leaves)]
    half = _split(len(leaves))
    if old <= half:
        return [*_consistency(leaves[:half], old, whole=whole), _root(leaves[half:])]
    return [*_consistency(leaves[half:], old - half, whole=False), _root(leaves[:half])]


def is_consistent(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that `root` of `size` leaves continues `old_root` of `old` (RFC 9162 2.1.4.2)."""
    if not 0 < old <= size:
        return False
    if old == size:
        return not proof and old_root == root
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, step)
        place, last = place >> 1, last >> 1
    return last == 0 and before == old_root and after == root
