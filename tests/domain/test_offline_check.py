"""What the offline check says, word by word, and each way in which a bundle or a proof can be something else."""

import io
import json
import time
import zipfile
from pathlib import Path

import pytest

from incident.domain import audit
from incident.domain.audit import Checkpoint, Finding, Key, Reign, Verdict
from tests import hostile
from tests.domain.test_audit import VECTORS, read
from tests.vectors.audit import make

LOG = "0123456789abcdef0123456789abcdef"
NAME = "auditor.example.org/record"


def note_in(raw: bytes) -> str:
    """The checkpoint that a file holds, as somebody outside would have kept it."""
    rows = hostile.unpacked(raw)[audit.EXCERPT] if raw[:2] == b"PK" else raw
    [note] = [json.loads(row)["checkpoint"] for row in rows.splitlines() if row.startswith(b'{"checkpoint"')][-1:]
    return str(note)


def said_of(kind: str, **known) -> list[str]:
    raw = hostile.good(kind)
    judge = audit.verify_bundle if raw[:2] == b"PK" else audit.verify
    return judge(io.BytesIO(raw), [note_in(raw)], **known).sentences()


# The sentences --------------------------------------------------------------------------------------------------------

PROVEN = "Proven: all 20 lines stand as when the checkpoint from outside was signed."
HIDES = "7 of them are shown, of 13 only hashes: whether these leave out a line that belongs here, only the whole record can show."


def test_of_a_good_export_all_is_said_to_be_proven():
    first, last = said_of("export")
    assert first.startswith(f"Nothing wrong was found in 20 lines of the record {LOG} (root ")
    assert last == PROVEN


def test_of_an_excerpt_and_a_bundle_it_is_said_what_they_hide():
    assert said_of("excerpt")[1:] == [HIDES, PROVEN]
    assert said_of("bundle")[1:] == [
        HIDES,
        "INC-2026-0001: all 2 files are those that the record speaks of.",
        PROVEN,
    ]


def test_of_a_proof_each_step_is_said_with_its_line_and_time():
    told = said_of("proof")
    email = f"P-2 of INC-2026-0001: the email {hostile.REFS[1]} of the sending S-1"
    sms = f"P-2 of INC-2026-0001: the sms {hostile.NEXT} of the sending S-1"
    assert told[1:] == [
        HIDES,
        "INC-2026-0001: all 3 files are those that the record speaks of.",
        f"{email} was put on the list (line 2, 2026-03-01T12:00:02.000000Z).",
        f"{email} was in a batch that was begun to be handed over (line 4, 2026-03-01T12:00:04.000000Z).",
        f"{email} was in a batch whose answers were written down: failed (line 6, 2026-03-01T12:00:06.000000Z).",
        f"{sms} was given this next attempt (line 7, 2026-03-01T12:00:07.000000Z).",
        f"{sms} was in a batch of which nobody knew whether it went out: in doubt (line 9, 2026-03-01T12:00:09.000000Z).",
        f"{sms} was in a post of reports by the provider: delivered (line 12, 2026-03-01T12:00:12.000000Z).",
        "Texts, addresses and reports in it are those that Tocsin held when this proof was made; the record holds their digest.",
        PROVEN,
    ]


def test_what_a_proof_says_itself_that_no_line_shows_is_said_with_it():
    value = hostile.proof()
    value["deliveries"][0]["not_shown"] = ["When \x1b[2J it was opened."]
    raw = hostile.packed(hostile.bound(hostile.proof_files(value), audit.PROOF_FORMAT, "P-2"))
    told = audit.verify_bundle(io.BytesIO(raw), [note_in(raw)]).sentences()
    name = f"the email {hostile.REFS[1]} of the sending S-1"
    assert f"Not shown by the record: {name}: When \\x1b[2J it was opened." in told


def test_what_is_not_in_order_is_said_first_and_a_restored_record_says_so():
    verdict = Verdict(log=LOG, restored_at=7, findings=[Finding("changed", "Line 3 was changed.")])
    assert verdict.sentences() == [
        "NOT IN ORDER.",
        "changed: Line 3 was changed.",
        "The record says that it was restored from a backup at line 7.",
    ]
    assert not verdict.ok
    assert Verdict(findings=[Finding("a", "B.")]).sentences() == ["NOT IN ORDER.", "a: B."]


def test_what_no_checkpoint_from_elsewhere_covers_is_said_not_to_be_proven():
    nothing, part = Verdict(log=LOG, size=9, root="ab"), Verdict(log=LOG, size=9, root="ab", proven=6, passed_over=[4])
    assert nothing.sentences() == [
        f"Nothing wrong was found in 9 lines of the record {LOG} (root ab).",
        "Tail not proven: without a checkpoint that was kept elsewhere, the whole could have been cut short or written anew. Give one.",
    ]
    assert part.sentences("of the auditor")[1:] == [
        "The checkpoint of 4 lines could not be compared with this excerpt.",
        "Proven: the first 6 lines stand as when the checkpoint of the auditor was signed.",
        "Tail not proven: no checkpoint of the auditor speaks of the last 3 lines; they could have been cut short or written anew. "
        "Give a newer one.",
    ]


def test_keys_that_followed_each_other_are_said_and_whether_the_old_one_signed():
    one, two, three = (str(make.key_of(seed)) for seed in hostile.CHAIN)
    verdict = Verdict(log=LOG, size=20, proven=20, keys=[Reign(0, one), Reign(10, two), Reign(16, three, signed=False)])
    first, second, third = (key.split("+")[1] for key in (one, two, three))
    changed, replaced = verdict.sentences()[1:3]
    assert changed == f"The record's key was changed at line 10, from {first} to {second}, signed by {first}."
    assert replaced == (
        f"Key replaced without the old one's signature at line 16, from {second} to {third}: "
        f"that {third} is genuine rests on where you have it from."
    )


def test_who_of_the_witnesses_saw_how_much_is_said():
    verdict = Verdict(log=LOG, size=9, proven=6, witnessed=6, needed=2, witnesses={"ann": 9, "ben\x1b": 6, "cem": 0})
    seen, proven, tail = verdict.sentences()[1:]
    assert seen == (
        "Seen by 2 of 3 witnesses: the first 6 lines (of this record has seen: 'ann' 9 lines, 'ben\\x1b' 6 lines, 'cem' none)."
    )
    assert "the checkpoint from outside, or seen by 2 of 3 witnesses, was signed" in proven
    assert "the last 3 lines" in tail
    nobody = Verdict(log=LOG, size=9, needed=1, witnesses={"ann": 0})
    assert nobody.sentences()[1] == "Seen by 1 of 1 witnesses: no checkpoint yet (of this record has seen: 'ann' none)."


# Each way not to be a bundle or a proof -------------------------------------------------------------------------------


def judged(raw: bytes) -> Finding:
    [finding] = audit.verify_bundle(io.BytesIO(raw)).findings
    return finding


def delivery(value):
    return value["deliveries"][0]


def step(value):
    return delivery(value)["steps"][0]


SPOILT_PROOFS = {
    "another format": (lambda v: v.update(format="tocsin-proof-2"), "not of the format tocsin-proof-1"),
    "another incident": (lambda v: v.update(incident="INC-2026-0002"), "about another incident"),
    "no person": (lambda v: v.pop("person"), "lacks one of deliveries, format, incident, person"),
    "a person of no word": (lambda v: v.update(person=""), "person"),
    "deliveries of another kind": (lambda v: v.update(deliveries={}), "lacks one of deliveries"),
    "a delivery twice": (lambda v: v["deliveries"].append(delivery(v)), "names a delivery twice"),
    "no channel": (lambda v: delivery(v).pop("channel"), "lacks one of channel, not_shown, ref, sending, steps"),
    "a channel of no word": (lambda v: delivery(v).update(channel="\n"), "channel"),
    "a sending of no word": (lambda v: delivery(v).update(sending=""), "sending"),
    "a reference of no word": (lambda v: delivery(v).update(ref=""), "ref"),
    "no sentences": (lambda v: delivery(v).update(not_shown=["yes", 1]), "in another way than by sentences"),
    "salt too short": (lambda v: delivery(v)["address"].update(salt="ab" * 15), "salt or digest"),
    "salt too long": (lambda v: delivery(v)["address"].update(salt="ab" * 65), "salt or digest"),
    "no digest": (lambda v: delivery(v)["address"].update(sha256="ab"), "salt or digest"),
    "address without salt": (lambda v: delivery(v)["address"].pop("salt"), "lacks one of salt, sha256"),
    "step too many members": (lambda v: step(v).update(more=1), "has another member"),
    "step of no kind": (lambda v: step(v).update(what="heard"), "is of no kind there is"),
    "step too long": (lambda v: step(v).update(path=["ab" * 32] * (audit.HIGHEST + 1)), "or too long"),
    "path without hashes": (lambda v: step(v).update(path=["ab"]), "not made of hashes"),
    "path of numbers": (lambda v: step(v).update(path=[1]), "not made of hashes"),
    "yes for a number": (lambda v: step(v).update(index=True), "lacks one of entry, index, line, path, size, what"),
    "too many steps": (lambda v: delivery(v).update(steps=[step(v)] * 1_001), "more than 1000 steps"),
}


@pytest.mark.parametrize(("spoil", "words"), SPOILT_PROOFS.values(), ids=SPOILT_PROOFS)
def test_a_proof_that_is_none_is_refused_with_the_reason(spoil, words):
    value = hostile.proof()
    spoil(value)
    finding = judged(hostile.packed(hostile.bound(hostile.proof_files(value), audit.PROOF_FORMAT, "P-2")))
    assert finding.kind == "not a bundle"
    assert finding.sentence.startswith("This is neither the bundle of an incident nor a proof: ")
    assert words in finding.sentence


UNTRUE_STEPS = {
    "another line": (lambda v: step(v).update(line=4), "the line is about something else"),
    "a line not shown": (lambda v: step(v).update(line=1), "the line is not shown here"),
    "another number": (lambda v: step(v).update(size=6), "the line counts another number"),
    "another place": (lambda v: step(v).update(index=2), "not among those whose root the line holds"),
    "another way": (lambda v: step(v)["path"].reverse(), "not among those whose root the line holds"),
    "another person": (
        lambda v: step(v).update(entry=f"{hostile.REFS[1]} P-3"),
        "the entry is not about this delivery",
    ),
    "another delivery": (
        lambda v: step(v).update(entry=f"{hostile.REFS[2]} P-2"),
        "the entry is not about this delivery",
    ),
    "another sending": (lambda v: delivery(v).update(sending="S-2"), "the line is about something else"),
}


@pytest.mark.parametrize(("spoil", "words"), UNTRUE_STEPS.values(), ids=UNTRUE_STEPS)
def test_a_step_that_its_line_does_not_show_is_found_and_not_told(spoil, words):
    value = hostile.proof()
    spoil(value)
    raw = hostile.packed(hostile.bound(hostile.proof_files(value), audit.PROOF_FORMAT, "P-2"))
    verdict = audit.verify_bundle(io.BytesIO(raw), [note_in(raw)])
    assert {finding.kind for finding in verdict.findings} == {"not in line"}
    assert words in verdict.findings[0].sentence
    assert f"the email {hostile.REFS[1]} of the sending" in verdict.findings[0].sentence
    assert len(verdict.shows) == 6 - len(verdict.findings)
    assert not any("was put on the list" in sentence for sentence in verdict.shows)


def manifest_with(change):
    files = hostile.proof_files()
    value = json.loads(hostile.listed(files, audit.PROOF_FORMAT))
    change(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return hostile.packed(hostile.bound(files, audit.PROOF_FORMAT, "P-2", text))


SPOILT_LISTS = {
    "another format": (lambda v: v.update(format="zip"), "of neither format"),
    "no files": (lambda v: v.update(files={}), "lists no files"),
    "no incident": (lambda v: v.update(incident=None), "incident"),
    "out of order": (lambda v: v["files"].reverse(), "not in order"),
    "twice": (lambda v: v["files"].insert(0, v["files"][0]), "or one stands there twice"),
    "one member more": (lambda v: v["files"][0].update(more=1), "not just bytes, path and sha256"),
    "not a file": (lambda v: v["files"].insert(0, 1), "not just bytes, path and sha256"),
    "fewer bytes than none": (lambda v: v["files"][0].update(bytes=-1), "bytes or sha256 of a file"),
    "bytes of another kind": (lambda v: v["files"][0].update(bytes=True), "bytes or sha256 of a file"),
    "no digest": (lambda v: v["files"][0].update(sha256="0" * 63), "bytes or sha256 of a file"),
    "a way out": (lambda v: v["files"][0].update(path="../README.txt"), "the name of a file"),
    "too deep": (lambda v: v["files"][0].update(path="a/b/c/d/e/f"), "the name of a file"),
    "without the proof": (lambda v: v["files"].pop(1), "holds no proof.json, or does not list it"),
}


@pytest.mark.parametrize(("spoil", "words"), SPOILT_LISTS.values(), ids=SPOILT_LISTS)
def test_a_list_of_files_that_is_none_is_refused_with_the_reason(spoil, words):
    finding = judged(manifest_with(spoil))
    assert (finding.kind, words in finding.sentence) == ("not a bundle", True), finding.sentence


def test_a_file_of_no_bytes_and_one_of_five_folders_may_be_listed():
    files = {"a/b/c/d/e.txt": b"", "b" * 100: b"x"}
    raw = hostile.packed(hostile.bound(files, audit.BUNDLE_FORMAT, hostile.INCIDENT))
    verdict = audit.verify_bundle(io.BytesIO(raw), [note_in(raw)])
    assert (verdict.findings, verdict.files, verdict.incident) == ([], 2, hostile.INCIDENT)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"summary.pdf": b"%PDF-1.7\n" * 39}, "changed file"),
        ({"summary.pdf": b"%PDF-1.7\n" * 41}, "changed file"),
        ({"summary.pdf": b"%PDF-1.8\n" * 40}, "changed file"),
        ({"summary.pdf": None}, "missing file"),
        ({"more.txt": b""}, "extra file"),
    ],
)
def test_a_file_that_is_not_as_listed_is_found_by_name(change, kind):
    files = hostile.unpacked(hostile.good("bundle")) | change
    raw = hostile.packed({path: content for path, content in files.items() if content is not None})
    finding = judged(raw)
    assert (finding.kind, f"'{next(iter(change))}'" in finding.sentence) == (kind, True)


def test_a_zip_without_list_or_record_and_one_packed_otherwise_are_none():
    files = hostile.unpacked(hostile.good("bundle"))
    for name in (audit.MANIFEST, audit.EXCERPT):
        without = hostile.packed({path: content for path, content in files.items() if path != name})
        assert "it holds no manifest.json or no record/excerpt.jsonl" in judged(without).sentence
    assert "packed in another way" in judged(hostile.packed(files, zipfile.ZIP_BZIP2)).sentence
    assert audit.verify_bundle(io.BytesIO(hostile.packed(files, zipfile.ZIP_STORED))).ok


# The program in this process ------------------------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with an export, its checkpoints and a proof, in which the program is called."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "record.jsonl").write_bytes(hostile.good("export"))
    (tmp_path / "proof.zip").write_bytes(hostile.good("proof"))
    for size, note in hostile.NOTES.items():
        (tmp_path / f"{size}.txt").write_text(note, encoding="utf-8")
    return tmp_path


def called(capsys, *arguments: str) -> tuple[int, str, str]:
    try:
        code = audit.main(arguments)
    except SystemExit as left:
        code = int(left.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_verdict_can_be_had_by_a_program(here, capsys):
    code, said, _ = called(capsys, "record.jsonl", "--checkpoint", "20.txt", "--json")
    verdict = json.loads(said)
    assert code == 0
    assert list(verdict) == [
        "log", "size", "root", "key", "keys", "proven", "witnessed", "witnesses", "needed", "stamped", "signed", "hidden", "files", "passed_over",
        "restored_at", "incident", "person", "shows", "shows_not", "addresses", "findings", "ok", "sentences",
    ]  # fmt: skip
    assert (verdict["ok"], verdict["size"], verdict["proven"], verdict["sentences"][-1]) == (True, 20, 20, PROVEN)


@pytest.mark.parametrize(
    ("arguments", "code", "ok"),
    [
        (["record.jsonl"], 0, True),
        (["record.jsonl", "--require-checkpoint"], 1, False),
        (["record.jsonl", "--require-checkpoint", "--checkpoint", "12.txt"], 1, False),
        (["record.jsonl", "--require-checkpoint", "--checkpoint", "12.txt", "--checkpoint", "20.txt"], 0, True),
        (["record.jsonl", "--key", str(make.key_of(make.SEED))], 0, True),
        (["record.jsonl", "--key", str(make.key_of(make.OTHER_SEED))], 1, False),
    ],
)
def test_the_exit_code_says_whether_all_is_well_and_proven_where_that_is_asked(here, capsys, arguments, code, ok):
    found, said, _ = called(capsys, *arguments, "--json")
    assert (found, json.loads(said)["ok"]) == (code, ok)
    found, said, _ = called(capsys, *arguments)
    assert (found, said.startswith("{")) == (code, False)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["missing.jsonl"],
        ["record.jsonl", "--key", "nonsense"],
        ["record.jsonl", "--checkpoint", "missing.txt"],
        ["record.jsonl", "--witness", "nonsense"],
        ["witness"],
        ["cosign", "secret"],
    ],
)
def test_a_wrong_call_is_told_so_and_judges_nothing(here, capsys, arguments):
    code, said, why = called(capsys, *arguments)
    assert (code, said, "error:" in why) == (2, "", True)


def test_the_deliveries_to_an_address_are_told_to_whoever_knows_it(here, capsys):
    _, said, _ = called(capsys, "proof.zip", "--address", "person2@example.org", "--address", "other@example.org")
    told = said.splitlines()
    assert any(hostile.REFS[1] in line and "person2@example.org" in line for line in told)
    assert any("other@example.org" in line for line in told)
    assert "person2@example.org" not in called(capsys, "proof.zip")[1]


def test_a_witness_is_made_signs_what_it_found_and_is_counted(here, capsys):
    code, public, _ = called(capsys, "witness", NAME, "secret")
    key = Key.read_witness(public.strip())
    secret = (here / "secret").read_text(encoding="ascii")
    assert (code, key.name) == (0, NAME)
    assert secret.startswith(f"PRIVATE+KEY+{NAME}+{key.id.hex()}+")
    assert (here / "secret").stat().st_mode & 0o777 == 0o600
    before = int(time.time())
    code, note, _ = called(capsys, "cosign", "secret", "20.txt", "--record", "record.jsonl")
    seen = Checkpoint.read(note).seen_at(key)
    assert code == 0
    assert note.startswith(hostile.NOTES[20])
    assert seen is not None
    assert before <= seen <= int(time.time())
    (here / "seen.txt").write_text(note, encoding="utf-8")
    _, said, _ = called(capsys, "record.jsonl", "--checkpoint", "seen.txt", "--witness", public.strip(), "--json")
    assert (json.loads(said)["witnessed"], json.loads(said)["needed"]) == (20, 1)
    code, said, why = called(capsys, "cosign", "secret", "seen.txt", "--record", "record.jsonl")
    assert (code, said, "bears your signature already" in why) == (2, "", True)
    for name, file in (("two words", "other"), (NAME, "secret")):
        assert called(capsys, "witness", name, file)[0] == 2
    assert not (here / "other").exists()
    assert (here / "secret").read_text(encoding="ascii") == secret


def test_a_witness_signs_no_checkpoint_of_a_record_that_was_changed(here, capsys):
    called(capsys, "witness", NAME, "secret")
    raw = hostile.good("export").replace(b'"U-1"', b'"U-7"', 1)
    assert raw != hostile.good("export")
    (here / "record.jsonl").write_bytes(raw)
    code, said, why = called(capsys, "cosign", "secret", "20.txt", "--record", "record.jsonl")
    assert (code, said) == (1, "")
    assert why.startswith("Not signed.\nNOT IN ORDER.\n")


# Records, lines and keys that are none --------------------------------------------------------------------------------

TOLD = json.loads((Path(__file__).parents[1] / "vectors" / "audit-sentences.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_each_broken_record_is_told_in_these_words(path):
    assert read(json.loads(path.read_text(encoding="utf-8"))).sentences() == TOLD[path.stem]


def test_every_vector_has_its_words():
    assert set(TOLD) == {path.stem for path in VECTORS}


SPOILT_LINES = {
    "more": (lambda v: v.update(more=1), "the fields are not those of a line: 'more'"),
    "format": (lambda v: v.update(format="tocsin-line-0"), "the format is not"),
    "actor": (lambda v: v.update(actor=""), "the field 'actor' is not a plain word"),
    "log": (lambda v: v.update(log=None), "the field 'log' is not a plain word"),
    "subject": (lambda v: v.update(subject="\n"), "the field 'subject' is not a plain word"),
    "verb": (lambda v: v.update(verb=1), "the field 'verb' is not a plain word"),
    "incident": (lambda v: v.update(incident=""), "the field 'incident' is not a plain word"),
    "no time": (lambda v: v.update(at=1), "the field 'at' is not a UTC time"),
    "no six decimals": (lambda v: v.update(at="2026-03-01T12:00:00.00000Z"), "the field 'at' is not a UTC time"),
    "before the first": (lambda v: v.update(seq=-1), "the field 'seq' is not a whole number from 0"),
    "yes for a place": (lambda v: v.update(seq=True), "the field 'seq' is not a whole number from 0"),
    "details": (lambda v: v.update(details=[]), "the field 'details' is not an object"),
}


@pytest.mark.parametrize(("spoil", "words"), SPOILT_LINES.values(), ids=SPOILT_LINES)
def test_a_line_that_is_none_names_its_field(spoil, words):
    line = audit.Line("U-1", "2026-03-01T12:00:00.000000Z", "note.added", "T-1", None, '{"a":1}')
    value = json.loads(audit.encoded(LOG, 0, line))
    assert audit.decoded(audit.canonical(value).encode()) == (LOG, 0, line)
    spoil(value)
    with pytest.raises(audit.Malformed, match=words):
        audit.decoded(audit.canonical(value).encode())


SPOILT_HEADS = {
    "size": (lambda v: v.update(size="20"), "size or key are of the wrong kind"),
    "yes for a size": (lambda v: v.update(size=True), "size or key are of the wrong kind"),
    "key": (lambda v: v.update(key=1), "size or key are of the wrong kind"),
    "log": (lambda v: v.update(log=""), "the field 'log' is not a plain word"),
    "another log": (lambda v: v.update(log="f" * 32), "its key is not named after its record"),
    "format": (lambda v: v.update(format="x"), "its format is neither"),
    "more": (lambda v: v.update(more=1), "its format is neither"),
}


@pytest.mark.parametrize(("spoil", "words"), SPOILT_HEADS.values(), ids=SPOILT_HEADS)
def test_an_export_with_another_head_is_none(spoil, words):
    head, _, rest = hostile.good("export").partition(b"\n")
    value = json.loads(head)
    spoil(value)
    verdict = audit.verify(io.BytesIO(audit.canonical(value).encode() + b"\n" + rest))
    assert [finding.kind for finding in verdict.findings] == ["not an export"]
    assert words in verdict.findings[0].sentence


def test_witnesses_are_each_named_once_and_plainly():
    ann, ben = (
        Key(name, audit.public_of(bytes([n]) * 32), audit.COSIGNING) for n, name in enumerate(("ann", "ben"), 1)
    )
    same_key, same_name = Key("cem", ann.public, audit.COSIGNING), Key("ann", ben.public, audit.COSIGNING)
    both = audit.Witnesses.read([str(ann), str(ben)])
    assert (both.keys, both.needed) == ((ann, ben), 2)
    assert audit.Witnesses.read([str(ann), str(ben)], 1).needed == 1
    for other in (same_key, same_name):
        with pytest.raises(audit.Malformed, match="named twice"):
            audit.Witnesses.read([str(ann), str(other)])
    for needed in (-1, 3):
        with pytest.raises(audit.Malformed, match="more witnesses are needed"):
            audit.Witnesses.read([str(ann), str(ben)], needed)
    for name in ("two words", "x" * 101):
        with pytest.raises(audit.Malformed, match="the name of a witness"):
            Key.read_witness(str(Key(name, ann.public, audit.COSIGNING)))
    assert Key.read_witness(str(Key("x" * 100, ann.public, audit.COSIGNING))).name == "x" * 100


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("+", "-", 1),
        lambda text: text.partition("+")[2],
        lambda text: f"+{text.partition('+')[2]}",
        lambda text: text.replace("ann+", "bob+"),
        lambda text: text[:-4],
        lambda text: "",
    ],
)
def test_what_is_no_key_is_not_read_as_one(spoil):
    text = str(Key("ann", audit.public_of(b"1" * 32)))
    assert Key.read(f" {text}\n").name == "ann"
    with pytest.raises(audit.Malformed):
        Key.read(spoil(text))
    with pytest.raises(audit.Malformed):
        Key.read_witness(text)
