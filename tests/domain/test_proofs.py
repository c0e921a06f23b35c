import pytest

from incident.domain.audit import Frontier, leaf_hash
from incident.domain.proofs import consistency_proof, inclusion_proof, is_consistent, is_included

LEAVES = [leaf_hash(bytes([number])) for number in range(20)]


def root(count):
    frontier = Frontier()
    for leaf in LEAVES[:count]:
        frontier.add(leaf)
    return frontier.root()


@pytest.mark.parametrize("size", range(1, 21))
def test_every_leaf_is_shown_to_be_in_the_tree_and_nowhere_else(size):
    for index in range(size):
        proof = inclusion_proof(LEAVES[:size], index)
        assert is_included(LEAVES[index], index, size, proof, root(size))
        assert not is_included(LEAVES[index - 1 if size > 1 else 5], index, size, proof, root(size))
        assert not is_included(LEAVES[index], index, size, [*proof, LEAVES[0]], root(size))
        assert not proof or not is_included(LEAVES[index], index, size, proof[:-1], root(size))
        assert not is_included(LEAVES[index], index + size, size, proof, root(size))


@pytest.mark.parametrize("size", range(1, 21))
def test_every_tree_is_shown_to_continue_each_smaller_one(size):
    for old in range(1, size + 1):
        proof = consistency_proof(LEAVES[:size], old)
        assert is_consistent(old, root(old), size, root(size), proof)
        assert not is_consistent(old, LEAVES[19], size, root(size), proof)
        assert not is_consistent(old, root(old), size, LEAVES[19], proof)
        assert not is_consistent(old, root(old), size, root(size), [*proof, LEAVES[0]])
        if old > 1:
            assert not is_consistent(old - 1, root(old), size, root(size), proof)


def test_places_outside_the_tree_have_no_proof():
    for index in (-1, 20):
        with pytest.raises(IndexError):
            inclusion_proof(LEAVES, index)
    for old in (0, 21):
        with pytest.raises(IndexError):
            consistency_proof(LEAVES, old)
    assert is_consistent(0, root(0), 20, root(20), []) is False
    assert is_consistent(3, root(3), 20, root(20), []) is False
    assert is_consistent(19, root(19), 20, root(20), [*consistency_proof(LEAVES, 19), LEAVES[0]]) is False
