"""Files that strangers named: the name travels as a name, whatever letters it holds, and the browser is told to keep it as a file."""

import io
import re

import pytest

from incident.domain.access import Role
from incident.store import incidents as rows
from tests.builders import an_incident

NAMES = [
    'a"; filename="b.html',
    "x\r\nSet-Cookie: a=b.txt",
    "прокол 样本.pdf",
    "../../etc/passwd",
    "a;b,c=d.txt",
    "\u202etxt.exe",
    "x" * 400,
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_of_a_stranger_is_only_ever_a_name(as_, name):
    browser, incident = as_(Role.RESPONDER), an_incident()
    sent = {"file": (io.BytesIO(b"content"), name), "brought_by": "somebody"}
    assert browser.post(f"/incidents/{incident.ref}/evidence", data=sent).status_code in {302, 422}
    for piece in rows.evidence(incident.id):
        answer = browser.get(f"/incidents/{incident.ref}/evidence/{piece.ref}/file")
        said = answer.headers["Content-Disposition"]
        assert re.fullmatch(
            r'attachment; filename=("[^"\\/\x00-\x1f]*"|[\w.-]+)(; filename\*=UTF-8\'\'[\w.%~!$&+^`|-]+)?', said
        ), said
        assert not any(cookie.startswith("a=") for cookie in answer.headers.getlist("Set-Cookie"))
        assert (answer.data, answer.mimetype) == (b"content", "application/octet-stream")
