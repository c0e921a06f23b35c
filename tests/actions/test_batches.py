import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident.actions import batches
from incident.actions.batches import compact, written

names = st.sampled_from(["name", "email", "phone", "keep:Größe", "keep:a_b", "country", "language", "address"])


@given(st.dictionaries(names, st.text(max_size=40)))
def test_a_record_is_written_as_json_writes_it(record):
    assert written(record) == compact(record)
    assert json.loads(written(record)) == record


@pytest.mark.parametrize(("known", "rows"), [(1, 5_000), (60_000, 6_000), (1_000_000, 20_000)])
def test_a_batch_grows_with_what_is_known_and_has_its_bounds(known, rows):
    assert batches.size(known) == rows
