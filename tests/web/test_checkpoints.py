"""The checkpoint as a page to print."""

import re
from base64 import b64decode

import pytest

from incident.actions import checkpoints
from incident.clock import now
from incident.store import checkpoints as store
from tests.builders import an_incident


@pytest.fixture(autouse=True)
def _own_folder(app, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "folder", lambda: tmp_path / "checkpoints")


def test_an_auditor_prints_note_and_key_as_text_and_code(as_):
    an_incident()
    auditor = as_("auditor")
    assert auditor.get("/record/checkpoint/print").status_code == 404
    checkpoints.sign(actor="cli", now=now())
    page = auditor.get("/record/checkpoint/print").text
    note = store.latest().note
    assert note.splitlines()[0] in page
    assert str(store.key()).replace("+", "&#43;") in page or str(store.key()) in page
    codes = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert len(codes) == 2
    assert all(b"<svg" in b64decode(code) for code in codes)
    assert "/record/checkpoint/print" in auditor.get("/record/").text


def test_only_those_who_look_after_the_whole_record_see_it(as_):
    an_incident()
    checkpoints.sign(actor="cli", now=now())
    assert as_("responder").get("/record/checkpoint/print").status_code == 403
