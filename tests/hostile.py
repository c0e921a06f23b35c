"""Hostile files for verifiers: exports, excerpts, bundles and proofs, broken in random ways by strangers and by insiders.

A stranger changes bytes, rows, values and packing; an insider holds the record's key and signs anew. The same seed gives the
same files. Each comes with what a verifier may at most say, known without any verifier.
"""

import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from incident.domain import audit
from incident.domain.audit import Line, canonical, path_in, root_of
from tests.vectors.audit import make

INCIDENT, PERSON, SENDING = "INC-2026-0001", "P-2", "S-1"
REFS = [f"01HOSTILE0000000000000000{number}" for number in range(5)]
NEXT = "01HOSTILE00000000000000009"
BATCHES: dict[int, tuple[str, str, list[str]]] = {
    # line: the step that it shows, its verb, the entries of the batch
    2: ("listed", "deliveries.made", [f"{ref} P-{number}" for number, ref in enumerate(REFS, 1)]),
    4: ("handed over", "deliveries.handed_over", [f"{ref} sending" for ref in REFS]),
    6: ("settled", "deliveries.settled", [f"{ref} {'failed' if ref == REFS[1] else 'accepted'}" for ref in REFS]),
    7: ("followed", "deliveries.climbed", [f"{NEXT} after {REFS[1]}"]),
    9: ("in doubt", "deliveries.in_doubt", [f"{NEXT} in_doubt"]),
    12: ("reported", "deliveries.reported", [f"{NEXT} delivered", f"{REFS[3]} delivered"]),
}
SIZE = 20
TEMPER = 7  # mutations of one file at most


@dataclass
class Case:
    """A file, what is known from outside, and what of it is true."""

    kind: str
    raw: bytes
    outside: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    insider: bool = False
    witnesses: list[str] = field(default_factory=list)
    needed: int = 0

    @property
    def asked(self) -> tuple[bytes, list[str], list[str], list[str], int]:
        """What verifiers are given."""
        return self.raw, self.outside, self.keys, self.witnesses, self.needed


def told_lines() -> list[Line]:
    """The record that all files are about, without the line that binds a zip."""
    lines = make.lines(SIZE)
    for place, (_, verb, entries) in BATCHES.items():
        details: dict[str, object] = {"digest": root_of(entry.encode() for entry in entries).hex()}
        if verb == "deliveries.made":
            details |= {"channels": {"email": len(entries)}, "first": 1, "last": 5}
        elif verb in ("deliveries.settled", "deliveries.reported"):
            details |= {"states": {"accepted": len(entries) - 1, "failed": 1}}
        else:
            details |= {"count": len(entries)}
        lines[place] = lines[place]._replace(verb=verb, subject=SENDING, details=canonical(details))
    for place in (3, 8, 13, 14):
        lines[place] = lines[place]._replace(incident="INC-2026-0002", subject="INC-2026-0002")
    return lines


GOOD = make.entries(told_lines())
NOTES = {size: make.signed(size, make.root(GOOD[:size])) for size in (6, 12, SIZE)}
KEY = str(make.key_of(make.SEED))
SHOWN = {*BATCHES, 15}


def proof() -> dict[str, Any]:
    """proof.json about one person who was tried twice."""
    deliveries = []
    for ref, channel in ((REFS[1], "email"), (NEXT, "sms")):
        steps = []
        for place, (what, _, entries) in BATCHES.items():
            raw = [entry.encode() for entry in entries]
            for index, entry in enumerate(entries):
                if entry.startswith(f"{ref} "):
                    way = [node.hex() for node in path_in(raw, index)]
                    own = {"entry": entry, "index": index, "line": place, "path": way, "size": len(raw), "what": what}
                    steps.append(own)
        address = {"salt": "ab" * 32, "sha256": audit.addressed("ab" * 32, "person2@example.org")}
        deliveries.append(
            {"address": address, "channel": channel, "not_shown": [], "ref": ref, "sending": SENDING, "steps": steps}
        )
    return {"deliveries": deliveries, "format": audit.PROOF_FORMAT, "incident": INCIDENT, "person": PERSON}


def listed(files: dict[str, bytes], format_: str) -> bytes:
    """The manifest of these files."""
    rows = [
        {"bytes": len(content), "path": path, "sha256": sha256(content).hexdigest()}
        for path, content in sorted(files.items())
    ]
    return canonical({"files": rows, "format": format_, "incident": INCIDENT}).encode()


def bound(files: dict[str, bytes], format_: str, subject: str, manifest: bytes | None = None) -> dict[str, bytes]:
    """All files of a zip, with a record that speaks of them, signed with the record's own key."""
    manifest = manifest or listed(files, format_)
    verb = audit.PROVED if format_ == audit.PROOF_FORMAT else audit.BUNDLED
    said = canonical({"files": len(files), "manifest": sha256(manifest).hexdigest()})
    lines = told_lines()
    lines[15] = Line("U-1", "2026-03-01T13:00:00.000000Z", verb, subject, INCIDENT, said)
    rows = make.entries(lines)
    excerpt = make.excerpt(rows, SHOWN, make.signed(SIZE, make.root(rows)))
    return files | {audit.MANIFEST: manifest, audit.EXCERPT: b"\n".join(excerpt) + b"\n"}


def packed(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as made:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path)
            entry.compress_type = how
            made.writestr(entry, content)
    return out.getvalue()


def proof_files(value: dict[str, Any] | None = None) -> dict[str, bytes]:
    told = json.dumps(value or proof(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return {
        "README.txt": b"Read me.\n",
        "proof.json": told.encode("utf-8", "surrogatepass"),
        "proof.pdf": b"%PDF-1.7\n",
    }


# The same record with its key changed once and lost once, and seen by two witnesses.
CHAIN = (make.SEED, make.NEXT_SEED, make.LAST_SEED)
CHANGES = {10: (make.SEED, make.NEXT_SEED, make.SEED), 16: (make.NEXT_SEED, make.LAST_SEED, None)}


def chain_lines() -> list[Line]:
    lines = told_lines()
    for seq, (old, new, by) in CHANGES.items():
        lines[seq] = make.key_line(lines[seq], seq, old, new, by)
    return lines


CHAINED = make.entries(chain_lines())
CHAIN_NOTES = {
    size: make.signed(size, make.root(CHAINED[:size]), seed)
    for size, seed in ((6, CHAIN[0]), (12, CHAIN[1]), (SIZE, CHAIN[2]))
}
SEEN = {
    size: note + "".join(make.cosignature(note, name) for name in make.WITNESS_SEEDS)
    for size, note in CHAIN_NOTES.items()
}


def good(kind: str) -> bytes:
    """A file of this kind with nothing wrong."""
    if kind == "chain":
        return b"\n".join(make.export(CHAINED, SEEN)) + b"\n"
    if kind == "export":
        return b"\n".join(make.export(GOOD, NOTES)) + b"\n"
    if kind == "excerpt":
        return b"\n".join(make.excerpt(GOOD, SHOWN, NOTES[SIZE])) + b"\n"
    if kind == "bundle":
        files = {"data/fact.jsonl": b"{}\n", "summary.pdf": b"%PDF-1.7\n" * 40}
        return packed(bound(files, audit.BUNDLE_FORMAT, INCIDENT))
    return packed(bound(proof_files(), audit.PROOF_FORMAT, PERSON))


# Ways to break things -------------------------------------------------------------------------------------------------

NASTY_BYTES = (
    b"\n", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b" ", b"{", b"}", b"[[", b'"', b"\\u0041", b"1e0",
    b"-0", b".0", b"9" * 400, b"\xed\xa0\x80", b"\x1b[2J", b"PK\5\6", b"\xe2\x80\x94 x AAAAAAA=\n", b"=", b"null", b"\xc2\x85",
)  # fmt: skip
NASTY_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53 - 1, 2**53, -(2**53), 10**40, 1.0, 0.5, "", "x", "P-3", "INC-2026-0002", "a" * 130,
    "\u202e", "\0", "\ud800", "é", "é", "0" * 64, "F" * 64, "deliveries.made", [], {}, [[]], {"a": {}}, "２", "1 ", " 1",
    "tocsin-record-1", "after ", "sending", "accepted", "S-1\n", "../x", "/x", "C:\\x", "a/b/c/d/e/f", "x" * 70_000,
)  # fmt: skip


def torn(raw: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, put in, taken out, repeated or moved."""
    start = chance.randrange(len(raw)) if raw else 0
    stop = min(len(raw), start + chance.choice((1, 1, 2, 8, 64, 700)))
    piece = raw[start:stop]
    match chance.randrange(8):
        case 0:
            return raw[:start] + bytes([raw[start] ^ 1 << chance.randrange(8)]) + raw[start + 1 :] if raw else raw
        case 1:
            return raw[:start] + chance.choice(NASTY_BYTES) + raw[start:]
        case 2:
            return raw[:start] + chance.choice(NASTY_BYTES) + raw[stop:]
        case 3:
            return raw[:start] + raw[stop:]
        case 4:
            return raw[:stop] + piece + raw[stop:]
        case 5:
            return raw[:start]
        case 6:
            return raw[start:]
        case _:
            place = chance.randrange(len(raw) + 1)
            rest = raw[:start] + raw[stop:]
            return rest[:place] + piece + rest[place:]


def shuffled(raw: bytes, chance: random.Random) -> bytes:
    """Rows removed, repeated, moved, exchanged, or taken from elsewhere."""
    rows = raw.split(b"\n")
    first, second = chance.randrange(len(rows)), chance.randrange(len(rows))
    match chance.randrange(7):
        case 0:
            del rows[first]
        case 1:
            rows.insert(second, rows[first])
        case 2:
            rows[first], rows[second] = rows[second], rows[first]
        case 3:
            rows[first] = chance.choice(make.entries(make.lines(), make.OTHER_LOG) + make.GOOD)
        case 4:
            rows.insert(
                first, canonical({"checkpoint": chance.choice([*NOTES.values(), *make.NOTES.values()])}).encode()
            )
        case 5:
            rows.insert(first, make.hidden(chance.randrange(6), bytes(32)))
        case _:
            rows = rows[:first] + rows[second:]
    return b"\n".join(rows)


def revalued(value: Any, chance: random.Random) -> Any:
    """The JSON value with something in it changed, however deep."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        name = chance.choice(sorted(value))
        match chance.randrange(10):
            case 0:
                return {key: inner for key, inner in value.items() if key != name}
            case 1:
                return value | {chance.choice(("extra", name + " ", "Ä", "")): chance.choice(NASTY_VALUES)}
            case _:
                return value | {name: revalued(value[name], chance)}
    if isinstance(value, list) and value and chance.random() < 0.85:
        place, other = chance.randrange(len(value)), chance.randrange(len(value))
        match chance.randrange(6):
            case 0:
                return value[:place] + value[place + 1 :]
            case 1:
                return [*value, value[place]]
            case 2:
                return [
                    value[other] if at == place else value[place] if at == other else one
                    for at, one in enumerate(value)
                ]
            case _:
                return [revalued(one, chance) if at == place else one for at, one in enumerate(value)]
    if isinstance(value, int) and chance.random() < 0.6:
        return value + chance.choice((-1, 1, 2, 16, 256))
    if isinstance(value, str) and value and chance.random() < 0.6:
        place = chance.randrange(len(value))
        return value[:place] + chance.choice("0123456789abcdefPSX \n") + value[place + chance.randrange(2) :]
    return chance.choice(NASTY_VALUES)


def rewritten(raw: bytes, chance: random.Random) -> bytes:
    """One row's JSON changed and written canonically again, or in a way that is nearly so."""
    rows = raw.split(b"\n")
    place = chance.randrange(len(rows))
    try:
        value = revalued(json.loads(rows[place]), chance)
    except (ValueError, RecursionError):
        return torn(raw, chance)
    loose = chance.random() < 0.15
    text = json.dumps(
        value, ensure_ascii=chance.random() < 0.2, sort_keys=not loose, separators=(", ", ": ") if loose else (",", ":")
    )
    rows[place] = text.encode("utf-8", "surrogatepass")
    return b"\n".join(rows)


def broken(raw: bytes, chance: random.Random) -> bytes:
    """A file of rows, changed once or several times."""
    for _ in range(1 if chance.random() < 0.7 else chance.randrange(2, TEMPER)):
        raw = chance.choice((torn, shuffled, rewritten, rewritten))(raw, chance)
    return raw


def signed_anew(kind: str, chance: random.Random) -> bytes:
    """A whole record of an insider, or of somebody with another key: everything in it fits everything else."""
    lines = told_lines()
    place = chance.randrange(SIZE)
    match chance.randrange(4):
        case 0:
            lines[place] = lines[place]._replace(actor="U-9")
        case 1:
            del lines[place:]
        case 2:
            lines.insert(place, lines[place])
        case _:
            lines[place], lines[place - 1] = lines[place - 1], lines[place]
    log = make.LOG if chance.random() < 0.8 else make.OTHER_LOG
    seed = make.SEED if chance.random() < 0.6 else make.OTHER_SEED
    rows = make.entries(lines, log)
    note = make.signed(len(rows), make.root(rows), seed, log)
    if kind == "export":
        return b"\n".join(make.export(rows, {len(rows): note}, seed=seed, log=log)) + b"\n"
    excerpt = make.excerpt(rows, {place for place in SHOWN if place < len(rows)}, note)
    return b"\n".join([make.header(len(rows), seed, log, audit.EXCERPT_FORMAT), *excerpt[1:]]) + b"\n"


def strange_chain(chance: random.Random) -> bytes:
    """A stranger's record that claims the keys: lines and notes of the good one, and others signed with a key of their own.

    Keys may come in another order, be forged, come back, or be replaced without a line.
    """
    mine = [make.OTHER_SEED, bytes(range(192, 224))]
    lines = chain_lines()
    for _ in range(chance.randrange(4)):
        place = chance.randrange(SIZE)
        old, new = (chance.choice([*CHAIN, *mine]) for _ in range(2))
        by = chance.choice([None, *mine])
        lines[place] = make.key_line(lines[place], place, old, new, by, chance.choice([None, None, 3]))
    if chance.random() < 0.5:
        place = chance.randrange(SIZE)
        lines[place] = lines[place]._replace(actor="U-9")
    if chance.random() < 0.3:
        one, two = chance.sample(sorted(CHANGES), 2)
        lines[one], lines[two] = lines[two], lines[one]
    if chance.random() < 0.3:
        place = chance.choice(sorted(CHANGES))
        lines[place] = make.lines(SIZE)[place]
    rows = make.entries(lines)
    notes = {}
    for size in chance.sample(range(1, SIZE + 1), chance.randrange(4)):
        note = make.signed(size, make.root(rows[:size]), chance.choice(mine))
        if chance.random() < 0.3:
            note += chance.choice(SEEN[chance.choice((6, 12, SIZE))].splitlines(keepends=True)[-2:])
        notes[size] = note
    if chance.random() < 0.5:
        notes |= {size: SEEN[size] for size in chance.sample((6, 12, SIZE), chance.randrange(1, 4))}
    seed = chance.choice([*CHAIN, *mine])
    if chance.random() < 0.3:
        shown = set(chance.sample(range(SIZE), 6)) | (set(CHANGES) if chance.random() < 0.7 else set())
        note = notes.get(SIZE, CHAIN_NOTES[SIZE])
        return (
            b"\n".join([make.header(SIZE, seed, kind=audit.EXCERPT_FORMAT), *make.excerpt(rows, shown, note)[1:]])
            + b"\n"
        )
    return b"\n".join(make.export(rows, notes, seed=seed)) + b"\n"


def impostor(chance: random.Random) -> Case:
    """A stranger's record, complete in itself, that claims to lead to or from a key the reader knows; they have its checkpoint too."""
    mine, known = make.OTHER_SEED, chance.choice(CHAIN)
    seq = chance.randrange(1, SIZE - 1)
    by = chance.choice((None, mine))
    old, new = (mine, known) if chance.random() < 0.5 else (known, mine)
    lines = told_lines()
    lines[seq] = make.key_line(lines[seq], seq, old, new, by)
    place = chance.randrange(seq)
    lines[place] = lines[place]._replace(actor="U-9")
    rows = make.entries(lines)
    size = chance.randrange(place + 1, seq + 1) if old == mine else chance.randrange(seq + 1, SIZE + 1)
    note = make.signed(size, make.root(rows[:size]), mine)
    raw = b"\n".join(make.export(rows, {size: note} if chance.random() < 0.5 else {}, seed=old)) + b"\n"
    return Case("chain", raw, [note], [str(make.key_of(known))])


def chain(chance: random.Random) -> Case:
    """A file about the record with several keys, and what an honest reader or one who was deceived brings along."""
    draw = chance.random()
    if draw > 0.8:
        return impostor(chance)
    raw = good("chain") if draw < 0.1 else broken(good("chain"), chance) if draw < 0.35 else strange_chain(chance)
    outside = [CHAIN_NOTES[size] for size in chance.sample((6, 12, SIZE), chance.randrange(3))]
    if chance.random() < 0.2:
        notes = [
            json.loads(row)["checkpoint"]
            for row in raw.split(b"\n")
            if row.startswith(b'{"checkpoint":"') and _is_json(row)
        ]
        outside += [note for note in notes if isinstance(note, str)]
    keys = [str(make.key_of(seed)) for seed in chance.sample(CHAIN, chance.randrange(1, 4))]
    witnesses = [str(make.witness(name)) for name in chance.sample(sorted(make.WITNESS_SEEDS), chance.randrange(3))]
    return Case("chain", raw, outside, keys, False, witnesses, chance.randrange(len(witnesses) + 1))


def _is_json(row: bytes) -> bool:
    try:
        return isinstance(json.loads(row), dict)
    except ValueError:
        return False


def unpacked(raw: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(raw)) as found:
        return {name: found.read(name) for name in found.namelist()}


def touched_zip(kind: str, chance: random.Random) -> bytes:
    """A stranger's zip: its files, its list or its packing changed."""
    raw = good(kind)
    files = unpacked(raw)
    name = chance.choice(sorted(files))
    match chance.randrange(7):
        case 0 | 1:
            return torn(raw, chance)
        case 2:
            files[name] = broken(files[name], chance)
        case 3:
            files[
                chance.choice(("../x", "/etc/x", "a\\b", "more.txt", "x" * 300, name.upper(), name + "/", "\u202e"))
            ] = b""
        case 4:
            del files[name]
        case 5:
            files[name] = rewritten(files[name], chance)
            own = {path: content for path, content in files.items() if path not in (audit.MANIFEST, audit.EXCERPT)}
            files[audit.MANIFEST] = listed(own, audit.PROOF_FORMAT if kind == "proof" else audit.BUNDLE_FORMAT)
        case _:
            return packed(files, chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)))
    return packed(files)


def insiders_zip(chance: random.Random) -> bytes:
    """A proof or a bundle changed by whoever holds the key: the record speaks of it, and only the steps contradict."""
    if chance.random() < 0.15:
        files = {"data/fact.jsonl": b"{}\n", "x/y": b""}
        manifest = rewritten(listed(files, audit.BUNDLE_FORMAT), chance)
        return packed(bound(files, audit.BUNDLE_FORMAT, INCIDENT, manifest))
    value: Any = proof()
    for _ in range(chance.randrange(1, 4)):
        value = revalued(value, chance)
    if not isinstance(value, dict):
        value = {"deliveries": value}
    subject = value.get("person") if chance.random() < 0.5 else PERSON
    files = proof_files(value)
    word = subject if isinstance(subject, str) and audit.WORD.fullmatch(subject) else PERSON
    return packed(bound(files, audit.PROOF_FORMAT, word))


def files(count: int, seed: int = 1) -> Iterator[Case]:
    """So many hostile files, and among them a few with nothing wrong."""
    for number in range(count):
        chance = random.Random(f"{seed}:{number}")
        kind = chance.choice(("export", "excerpt", "bundle", "proof", "chain"))
        if kind == "chain":
            yield chain(chance)
            continue
        outside = chance.choice(([], [NOTES[SIZE]], [NOTES[SIZE], NOTES[6]], [NOTES[12]]))
        if chance.random() < 0.1:
            outside = [torn(note.encode(), chance).decode("utf-8", "replace") for note in outside]
        key = chance.choice(
            (None, KEY, KEY, str(make.key_of(make.OTHER_SEED))) if chance.random() < 0.3 else (None, KEY)
        )
        yield Case(kind, *_one(kind, chance, outside, [key] if key else []))


def _one(
    kind: str, chance: random.Random, outside: list[str], keys: list[str]
) -> tuple[bytes, list[str], list[str], bool]:
    draw = chance.random()
    if draw < 0.02:
        return good(kind), outside, keys, False
    if kind in ("export", "excerpt"):
        insider = draw < 0.2
        return (signed_anew if insider else _broken)(kind, chance), outside, keys, insider
    own = chance.random() < 0.5
    # a zip is bound by a line of its own, so that checkpoints of the record without that line are about another one
    return (insiders_zip(chance) if own else touched_zip(kind, chance)), [], keys, own


def _broken(kind: str, chance: random.Random) -> bytes:
    return broken(good(kind), chance)


# What is true ---------------------------------------------------------------------------------------------------------


def is_claimed_too_much(case: Case, proven: int) -> bool:
    """Whether something is said to be proven that is not so; asked for files that a verifier finds in order."""
    if case.kind == "chain":
        rows = [row for row in case.raw.split(b"\n") if row.startswith(b'{"actor"')]
        return any(row not in CHAINED for row in rows if json.loads(row)["seq"] < proven)
    if case.kind in ("export", "excerpt"):
        rows = [row for row in case.raw.split(b"\n") if row.startswith(b'{"actor"')]
        by_key = case.kind == "excerpt" and case.keys == [KEY] and not case.insider
        return any(row not in GOOD for row in rows if by_key or json.loads(row)["seq"] < proven)
    files_ = unpacked(case.raw)
    if case.insider:
        return _is_untrue(files_)
    original = unpacked(good(case.kind))
    return case.keys == [KEY] and files_ != original


def _is_untrue(files_: dict[str, bytes]) -> bool:
    """Whether a step of a proof is not in its batch at that place, or the entry is somebody else's."""
    if "proof.json" not in files_:
        return False
    told = json.loads(files_["proof.json"])
    people = {REFS[number]: f"P-{number + 1}" for number in range(5)} | {NEXT: PERSON}
    for one in told["deliveries"]:
        for step in one["steps"]:
            what, _, entries = BATCHES.get(step["line"], ("", "", []))
            at = step["index"]
            if step["what"] != what or not 0 <= at < len(entries) or entries[at] != step["entry"]:
                return True
            if step["entry"].split(" ")[0] != one["ref"] or (what == "listed" and people[one["ref"]] != told["person"]):
                return True
    return False


Verifier = Callable[..., int | None]
"""How many lines are proven; None where something is wrong."""


def ours(
    raw: bytes, outside: Sequence[str] = (), keys: Sequence[str] = (), witnesses: Sequence[str] = (), needed: int = 0
) -> int | None:
    """Our own verifier."""
    known = [audit.Key.read(key) for key in keys]
    judge = audit.verify_bundle if raw[:2] == b"PK" else audit.verify
    verdict = judge(io.BytesIO(raw), outside, known, audit.Witnesses.read(witnesses, needed))
    return verdict.proven if verdict.ok else None
