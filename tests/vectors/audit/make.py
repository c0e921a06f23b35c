"""Writes the vectors: one good record, and one file for each way to break it. Same bytes every time.

python tests/vectors/audit/make.py
"""

import json
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from incident.domain import audit
from incident.domain.audit import Frontier, Key, Line, canonical, checkpoint_text, encoded, leaf_hash, origin_of

Case = Callable[..., None]
HERE = Path(__file__).parent
LOG = "0123456789abcdef0123456789abcdef"
OTHER_LOG = "fedcba9876543210fedcba9876543210"
SEED, OTHER_SEED, NEXT_SEED, LAST_SEED = (bytes(range(start, start + 32)) for start in (0, 32, 64, 96))
WITNESS_SEEDS = {"a.example/witness": bytes(range(128, 160)), "b.example/witness": bytes(range(160, 192))}


def key_of(seed: bytes, log: str = LOG) -> Key:
    return Key(origin_of(log), Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw())


def signed(size: int, root: bytes, seed: bytes = SEED, log: str = LOG) -> str:
    text = checkpoint_text(log, size, root)
    return audit.signed_note(text, key_of(seed, log), Ed25519PrivateKey.from_private_bytes(seed).sign(text.encode()))


def lines(count: int = 12) -> list[Line]:
    return [
        Line(
            actor=f"U-{number % 3}",
            at=f"2026-03-01T12:00:{number:02d}.000000Z",
            verb="checkpoint.signed" if number in (5, 11) else "facts.recorded",
            subject="INC-2026-0001",
            incident="INC-2026-0001",
            details=canonical({"keys": ["aware_at", "people_count"], "number": number}),
        )
        for number in range(count)
    ]


def public(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def witness(name: str) -> Key:
    return Key(name, public(WITNESS_SEEDS[name]), audit.COSIGNING)


def cosignature(note: str, name: str, seed: bytes | None = None, at: int = 1_772_366_400) -> str:
    """The line by which this witness says to have seen the checkpoint."""
    text = audit.cosigned_text(audit.Checkpoint.read(note).text, at).encode()
    made = Ed25519PrivateKey.from_private_bytes(seed or WITNESS_SEEDS[name]).sign(text)
    return audit.signature_line(witness(name), at.to_bytes(8, "big") + made)


def der(tag: int, *parts: bytes) -> bytes:
    """One value, as DER writes it."""
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    written = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(written)]) + written + content


def stamped(note: str, at: str = "20260301130000Z", *, status: int = 0, by: str = "608648016503040201") -> bytes:
    """What a time stamp authority answers (RFC 3161), with nobody's signature: who signed is not judged offline."""
    imprint = der(0x30, der(0x30, der(0x06, bytes.fromhex(by)), b"\x05\0"), der(0x04, sha256(note.encode()).digest()))
    said = der(
        0x30,
        b"\2\1\1",
        der(0x06, b"\x2a\3"),
        imprint,
        b"\2\1\7",
        der(0x18, at.encode()),
        der(0x30, b"\2\1\1"),
        b"\2\1\5",
    )
    info = der(0x30, der(0x06, bytes.fromhex("2a864886f70d0109100104")), der(0xA0, der(0x04, said)))
    signed_data = der(0x30, b"\2\1\3", der(0x31), info, der(0xA0, bytes(300)), der(0x31))
    token = der(0x30, der(0x06, bytes.fromhex("2a864886f70d010702")), der(0xA0, signed_data))
    return der(0x30, der(0x30, bytes([2, 1, status])), token)


def key_line(line: Line, seq: int, old: bytes, new: bytes, by: bytes | None, at: int | None = None) -> Line:
    """The line that makes the key of the seed `new` the record's: signed by the key of the seed `by`, or by none."""
    details = {"new": public(new).hex(), "old": public(old).hex()}
    subject = f"K-{key_of(new).id.hex()}"
    if by is None:
        told = canonical(details | {"second": "U-2"})
        return line._replace(verb=audit.REPLACED_KEY, subject=subject, incident=None, details=told)
    text = audit.key_change_text(LOG, seq if at is None else at, public(old), public(new)).encode()
    details["signature"] = Ed25519PrivateKey.from_private_bytes(by).sign(text).hex()
    return line._replace(verb=audit.CHANGED_KEY, subject=subject, incident=None, details=canonical(details))


def with_keys(*changes: tuple[int, bytes, bytes, bytes | None], at: int | None = None) -> list[bytes]:
    """The good lines, but with changes of the key: place, old, new, and the seed that signs."""
    told = lines()
    for seq, old, new, by in changes:
        told[seq] = key_line(told[seq], seq, old, new, by, at)
    return entries(told)


def entries(told: list[Line], log: str = LOG) -> list[bytes]:
    return [encoded(log, seq, line) for seq, line in enumerate(told)]


def root(rows: list[bytes]) -> bytes:
    frontier = Frontier()
    for row in rows:
        frontier.add(leaf_hash(row))
    return frontier.root()


def header(size: int, seed: bytes = SEED, log: str = LOG, kind: str = audit.EXPORT_FORMAT) -> bytes:
    return canonical({"format": kind, "key": str(key_of(seed, log)), "log": log, "size": size}).encode()


def export(
    rows: list[bytes], notes: dict[int, str], size: int | None = None, seed: bytes = SEED, log: str = LOG
) -> list[bytes]:
    """Header, lines and, after the line with that count, each checkpoint."""
    out = [header(len(rows) if size is None else size, seed, log)]
    for count, row in enumerate(rows, 1):
        out.append(row)
        if count in notes:
            out.append(canonical({"checkpoint": notes[count]}).encode())
    return out


def excerpt(rows: list[bytes], shown: set[int], note: str, size: int | None = None) -> list[bytes]:
    """Header, the lines at these places, of the others one hash for each complete subtree, and the checkpoint."""
    out = [header(len(rows) if size is None else size, kind=audit.EXCERPT_FORMAT)]
    place = 0
    while place < len(rows):
        if place in shown:
            out.append(rows[place])
            place += 1
            continue
        level = 0
        while (
            place % (2 << level) == 0
            and place + (2 << level) <= len(rows)
            and not shown & set(range(place, place + (2 << level)))
        ):
            level += 1
        out.append(hidden(level, root(rows[place : place + (1 << level)])))
        place += 1 << level
    return [*out, canonical({"checkpoint": note}).encode()]


def hidden(level: int, node: bytes) -> bytes:
    return canonical({"hidden": {"hash": node.hex(), "level": level}}).encode()


GOOD = entries(lines())
NOTES = {6: signed(6, root(GOOD[:6])), 12: signed(12, root(GOOD))}


def renumbered(without: int) -> list[bytes]:
    told = lines()
    del told[without]
    return entries(told)


def changed(row: bytes, old: str, new: str) -> bytes:
    text = row.decode()
    assert old in text
    return text.replace(old, new).encode()


def with_line(number: int, row: bytes) -> list[bytes]:
    return [*GOOD[:number], row, *GOOD[number + 1 :]]


def cases() -> dict[str, dict[str, object]]:
    outside = [NOTES[12]]
    nested = '{"k":' * 40 + "{}" + "}" * 40
    foreign = entries(lines(), OTHER_LOG)
    forged = NOTES[12].rsplit(" ", 1)[0] + " " + audit._base64(key_of(SEED).id + bytes(64)) + "\n"
    rewritten = with_line(3, changed(GOOD[3], "U-0", "U-9"))
    own = {6: signed(6, root(rewritten[:6]), OTHER_SEED), 12: signed(12, root(rewritten), OTHER_SEED)}
    swapped = [*GOOD[:2], GOOD[3], GOOD[2], *GOOD[4:]]
    resigned = {6: NOTES[6], 10: signed(10, root(GOOD[:10]))}
    found: dict[str, dict[str, object]] = {}

    def case(name: str, why: str, rows: list[bytes], expect: list[str], **more: object) -> None:
        found[name] = {"why": why, "export": b"".join(row + b"\n" for row in rows).decode(), "expect": expect, **more}

    case(
        "good-alone",
        "nothing is wrong, but without a checkpoint from outside the tail is not proven",
        export(GOOD, NOTES),
        [],
    )
    case(
        "good-proven",
        "nothing is wrong, and a checkpoint from outside covers all",
        export(GOOD, NOTES),
        [],
        outside=outside,
        proven=12,
    )
    case(
        "good-part",
        "the checkpoint from outside covers half: the rest is not proven",
        export(GOOD, NOTES),
        [],
        outside=[NOTES[6]],
        proven=6,
    )
    case("good-empty", "a record without lines", export([], {}), [])
    case(
        "tail-cut",
        "the last lines and their checkpoint are missing, the header mended",
        export(GOOD[:9], {6: NOTES[6]}),
        ["tail cut"],
        outside=outside,
    )
    case(
        "tail-cut-resigned",
        "cut, and signed anew by whoever holds the key",
        export(GOOD[:10], resigned),
        ["tail cut"],
        outside=outside,
    )
    case("tail-cut-unmended", "the file ends early, as after a broken copy", export(GOOD[:9], NOTES, size=12), ["size"])
    case(
        "row-cut",
        "the last row ends in its middle",
        [*export(GOOD[:-1], NOTES, size=12), GOOD[-1][:50]],
        ["malformed"],
        cut=True,
    )
    case("head-cut", "the first lines are missing", export(GOOD[2:], {10: NOTES[12]}), ["order"])
    case(
        "line-removed", "a line is missing, the numbers tell", export([*GOOD[:3], *GOOD[4:]], {5: NOTES[6]}), ["order"]
    )
    case("renumbered", "a line is missing and the rest renumbered", export(renumbered(3), {6: NOTES[6]}), ["changed"])
    case("reordered", "two lines changed places", export(swapped, NOTES), ["order", "changed"])
    case("repeated", "a line stands twice", export([*GOOD[:4], GOOD[3], *GOOD[4:]], {}), ["order"])
    case("changed-actor", "another actor", export(rewritten, NOTES), ["changed"])
    case(
        "changed-details",
        "another number in the details",
        export(with_line(7, changed(GOOD[7], '"number":7', '"number":8')), NOTES),
        ["changed"],
    )
    case(
        "changed-time",
        "another time",
        export(with_line(7, changed(GOOD[7], "12:00:07", "11:00:07")), NOTES),
        ["changed"],
    )
    case(
        "rewritten-own-key",
        "rewritten and signed throughout with another key",
        export(rewritten, own, seed=OTHER_SEED),
        ["wrong key"],
        outside=outside,
    )
    case(
        "rewritten-key-known",
        "the same, and the reader knows the right key",
        export(rewritten, own, seed=OTHER_SEED),
        ["wrong key"],
        keys=[str(key_of(SEED))],
    )
    case(
        "rewritten-same-key",
        "rewritten by whoever holds the key",
        export(rewritten, {12: signed(12, root(rewritten))}),
        ["changed"],
        outside=outside,
    )
    case(
        "spliced",
        "a line of another record stands among ours",
        export(with_line(4, foreign[4]), NOTES),
        ["foreign line", "changed"],
    )
    case("foreign-record", "all of another record under our header", export(foreign, {}), ["foreign line"])
    case(
        "foreign-checkpoint",
        "a checkpoint of another record",
        export(GOOD, NOTES),
        ["foreign checkpoint"],
        outside=[signed(12, root(foreign), SEED, OTHER_LOG)],
    )
    case("forged-signature", "the signature is zeros", export(GOOD, NOTES), ["forged signature"], outside=[forged])
    case(
        "wrong-root",
        "a checkpoint of the same size about other lines",
        export(GOOD, NOTES),
        ["changed"],
        outside=[signed(12, root(GOOD[:11] + GOOD[:1]))],
    )
    case(
        "misplaced-checkpoint",
        "the checkpoint of 12 lines stands after 6",
        export(GOOD, {6: NOTES[12]}),
        ["misplaced checkpoint"],
    )
    case(
        "not-a-checkpoint",
        "what came from outside is something else",
        export(GOOD, NOTES),
        ["not a checkpoint"],
        outside=["hello\n"],
    )
    case(
        "field-shifted",
        "a quote moves the end of a field",
        export(with_line(2, changed(GOOD[2], '"U-2","at":"2026', '"U-2\\",\\"at\\":\\"2026')), NOTES),
        ["malformed"],
    )
    case(
        "field-added",
        "a field more",
        export(with_line(2, changed(GOOD[2], '"verb"', '"x":1,"verb"')), NOTES),
        ["malformed"],
    )
    case(
        "field-twice",
        "the same field twice",
        export(with_line(2, changed(GOOD[2], '"verb"', '"seq":2,"verb"')), NOTES),
        ["malformed"],
    )
    case(
        "not-canonical",
        "a space that changes nothing for most readers",
        export(with_line(2, changed(GOOD[2], '"seq":2', '"seq": 2')), NOTES),
        ["malformed"],
    )
    case(
        "escaped",
        "a letter written as its number",
        export(with_line(2, changed(GOOD[2], "aware_at", "\\u0061ware_at")), NOTES),
        ["malformed"],
    )
    case(
        "fraction",
        "a number that is not whole",
        export(with_line(2, changed(GOOD[2], '"number":2', '"number":2.0')), NOTES),
        ["malformed"],
    )
    case(
        "huge-number",
        "a number with 5,000 digits",
        export(with_line(2, changed(GOOD[2], '"number":2', '"number":' + "9" * 5000)), NOTES),
        ["malformed"],
    )
    case(
        "huge-line",
        "a line longer than any that is written",
        export(with_line(2, changed(GOOD[2], "aware_at", "a" * 70_000)), NOTES),
        ["malformed"],
    )
    case(
        "nested",
        "forty levels deep",
        export(with_line(2, changed(GOOD[2], '"number":2', f'"number":{nested}')), NOTES),
        ["malformed"],
    )
    case(
        "control-characters",
        "a subject that would paint the terminal",
        export(with_line(2, changed(GOOD[2], '"subject":"INC', '"subject":"\\u001b[2JINC')), NOTES),
        ["malformed"],
    )
    case("empty-row", "an empty row", export(with_line(2, b""), NOTES), ["malformed"])
    case("no-header", "the header is missing", GOOD, ["not an export"])
    part = excerpt(GOOD, {3, 7, 8}, NOTES[12])
    case("excerpt-alone", "three lines of twelve; nothing is wrong", part, [])
    case("excerpt-proven", "the same, with the checkpoint from outside", part, [], outside=outside, proven=12)
    case(
        "excerpt-passed-over",
        "a checkpoint from outside lies within hidden lines",
        excerpt(GOOD, {8}, NOTES[12]),
        [],
        outside=[NOTES[6]],
    )
    case(
        "excerpt-seam",
        "a checkpoint from outside lies where hidden lines are parted",
        excerpt(GOOD, {6}, NOTES[12]),
        [],
        outside=[NOTES[6]],
        proven=6,
    )
    case("excerpt-line-changed", "a line that is shown", excerpt(rewritten, {3}, NOTES[12]), ["changed"])
    case(
        "excerpt-moved",
        "a line that is shown stands at another place",
        [part[0], hidden(0, leaf_hash(GOOD[0])), *part[1:]],
        ["malformed", "order"],
    )
    case("excerpt-unsigned", "no checkpoint at its end", part[:-1], ["unsigned"])
    case(
        "excerpt-tree-misplaced",
        "a tree where none can stand",
        [*part[:4], hidden(3, bytes(32)), *part[4:]],
        ["malformed"],
    )
    case("excerpt-level", "a level that cannot be", [part[0], hidden(99, bytes(32)), *part[1:]], ["malformed"])
    case(
        "excerpt-hash",
        "hidden lines with another hash",
        [part[0], hidden(1, bytes(32)), *part[2:]],
        ["changed"],
    )
    case(
        "excerpt-field-added",
        "hidden lines with a member more",
        [part[0], part[1].replace(b'"level"', b'"l":0,"level"'), *part[2:]],
        ["malformed"],
    )
    add_keys(case, part)
    add_witnesses(case)
    add_stamps(case)
    case("export-hides", "an export of the whole that hides lines", [header(12), *part[1:]], ["malformed"])
    return found


def add_keys(case: Case, part: list[bytes]) -> None:
    first, second, stranger = (str(key_of(seed)) for seed in (SEED, NEXT_SEED, OTHER_SEED))
    rows = with_keys((7, SEED, NEXT_SEED, SEED))
    old, new = signed(6, root(rows[:6])), signed(12, root(rows), NEXT_SEED)
    good = export(rows, {6: old, 12: new})
    case("key-changed", "the key was changed at line 7, signed by the old one", good, [], outside=[new], proven=12)
    case("key-changed-old-outside", "kept from before the change", good, [], outside=[old], proven=6)
    case("key-changed-known-first", "the reader knows the old key", good, [], keys=[first])
    case("key-changed-known-last", "the reader knows the new key", good, [], keys=[second], outside=[old], proven=6)
    case("key-changed-unknown", "the reader knows a third key", good, ["wrong key"], keys=[stranger])
    case(
        "key-uncovered",
        "the reader knows the new key, which signed nothing",
        export(rows, {6: old}),
        ["wrong key"],
        keys=[second],
    )
    late = signed(12, root(rows), SEED)
    case("key-old-after-change", "signed with the old key after the change", export(rows, {12: late}), ["wrong key"])
    early = signed(6, root(rows[:6]), NEXT_SEED)
    case("key-new-before-change", "signed with the new key before the change", export(rows, {6: early}), ["wrong key"])
    case("key-late-outside", "the same, from outside", good, ["wrong key"], outside=[late])
    without = {6: NOTES[6], 12: signed(12, root(GOOD), NEXT_SEED)}
    case("key-without-line", "another key signs, and no line says so", export(GOOD, without), ["wrong key"])
    forged = with_keys((7, SEED, NEXT_SEED, NEXT_SEED))
    fits = {12: signed(12, root(forged), NEXT_SEED)}
    case("key-change-forged", "the new key signs its own coming", export(forged, fits), ["forged signature"])
    moved = with_keys((7, SEED, NEXT_SEED, SEED), at=5)
    case(
        "key-change-moved",
        "the old key's signature is about another line",
        export(moved, {12: signed(12, root(moved), NEXT_SEED)}),
        ["forged signature"],
    )
    back = with_keys((3, SEED, NEXT_SEED, SEED), (8, NEXT_SEED, SEED, NEXT_SEED))
    case("key-back", "back to a key that was replaced", export(back, {12: signed(12, root(back))}), ["key order"])
    wrong = with_keys((3, SEED, NEXT_SEED, SEED), (8, SEED, LAST_SEED, SEED))
    case(
        "key-order",
        "the old key changes the key once more",
        export(wrong, {12: signed(12, root(wrong), LAST_SEED)}),
        ["key order"],
    )
    more = with_line(7, changed(rows[7], '"signature"', '"other":1,"signature"'))
    case("key-members", "a change that says more", export(more, {}), ["key order"])
    twice = with_keys((3, SEED, NEXT_SEED, SEED), (8, NEXT_SEED, LAST_SEED, NEXT_SEED))
    ends = {2: signed(2, root(twice[:2])), 8: signed(8, root(twice[:8]), NEXT_SEED)}
    case("key-twice", "changed twice", export(twice, ends | {12: signed(12, root(twice), LAST_SEED)}), [], keys=[first])
    lost = with_keys((7, SEED, NEXT_SEED, None))
    ends = {6: signed(6, root(lost[:6])), 12: signed(12, root(lost), NEXT_SEED)}
    replaced = export(lost, ends)
    case("key-replaced", "the new key rests on nothing but the line", replaced, ["key replaced"])
    case("key-replaced-first-known", "the reader knows only the old key", replaced, ["key replaced"], keys=[first])
    case(
        "key-replaced-known", "the reader knows both", replaced, [], keys=[first, second], outside=[ends[12]], proven=12
    )
    case("key-replaced-last-known", "the reader knows the new key", replaced, [], keys=[second])
    ours = with_keys((7, OTHER_SEED, SEED, None))
    ends = {6: signed(6, root(ours[:6]), OTHER_SEED), 8: signed(8, root(ours[:8]), OTHER_SEED)}
    case(
        "key-stranger-before",
        "a stranger's record claims to lead to the key that the reader knows",
        export(ours, {6: ends[6]}, seed=OTHER_SEED),
        ["wrong key"],
        keys=[first],
        outside=[ends[6]],
    )
    shown = excerpt(rows, {3, 7}, new)
    case("excerpt-key-changed", "an excerpt shows the change of the key", shown, [], outside=[new], proven=12)
    case("excerpt-key-hidden", "an excerpt hides the change of the key", excerpt(rows, {3}, new), ["wrong key"])
    newer = signed(20, bytes(32), LAST_SEED)
    case("excerpt-newer-key", "a later checkpoint, by a key the reader knows", part, [], outside=[newer],
         keys=[first, str(key_of(LAST_SEED))])  # fmt: skip
    case("excerpt-newer-unknown", "the same, by a key nobody knows", part, ["wrong key"], outside=[newer])


def add_witnesses(case: Case) -> None:
    known = [str(witness(name)) for name in WITNESS_SEEDS]
    lines_of = {size: [cosignature(note, name) for name in WITNESS_SEEDS] for size, note in NOTES.items()}
    both = {size: note + "".join(lines_of[size]) for size, note in NOTES.items()}
    case("seen-by-both", "both witnesses signed", export(GOOD, both), [], witnesses=known, proven=12)
    one = {6: both[6], 12: NOTES[12] + lines_of[12][0]}
    case("seen-by-one", "one of them has seen the end", export(GOOD, one), [], witnesses=known, proven=6)
    case("seen-by-enough", "and one is enough", export(GOOD, one), [], witnesses=known, needed=1, proven=12)
    case("seen-outside", "kept elsewhere, with a witness", export(GOOD, NOTES), [], witnesses=known[:1],
         outside=[one[12]], proven=12)  # fmt: skip
    case("seen-by-strangers", "the reader knows no witness", export(GOOD, both), [], proven=0)
    moved = {12: NOTES[12] + lines_of[6][0]}
    case("seen-moved", "a witness's signature of another checkpoint", export(GOOD, moved), ["forged signature"],
         witnesses=known)  # fmt: skip
    forged = {12: NOTES[12] + cosignature(NOTES[12], "a.example/witness", OTHER_SEED)}
    case(
        "seen-forged", "by another key than the witness's", export(GOOD, forged), ["forged signature"], witnesses=known
    )
    twice = {12: NOTES[12] + lines_of[12][0] + cosignature(NOTES[12], "a.example/witness", at=1)}
    case("seen-twice", "one witness signs twice", export(GOOD, twice), ["not a checkpoint"], witnesses=known)
    alone = {12: NOTES[12].rpartition("\u2014")[0] + lines_of[12][0]}
    case("seen-only-by-witness", "without the record's own signature", export(GOOD, alone), ["wrong key"],
         witnesses=known)  # fmt: skip


def add_stamps(case: Case) -> None:
    """Time stamps in base64: which checkpoint each is about, and nothing of who signed it."""
    both = [stamped(NOTES[6]), stamped(NOTES[12], "20260302130000.25Z", status=1)]
    seen = {size: note + cosignature(note, "a.example/witness") for size, note in NOTES.items()}
    case("stamped", "each of its checkpoints has a stamp", export(GOOD, NOTES), [], stamps=told(both))
    case("stamped-seen", "a witness has signed since", export(GOOD, seen), [], stamps=told(both))
    case("stamped-outside", "of a checkpoint that was kept elsewhere", export(GOOD, {}), [], stamps=told(both[1:]),
         outside=[NOTES[12]], proven=12)  # fmt: skip
    case("stamped-other", "a stamp of another checkpoint", export(GOOD, {12: NOTES[12]}), ["wrong stamp"],
         stamps=told(both))  # fmt: skip
    case("stamped-line-end", "a stamp of the note without its last line end", export(GOOD, NOTES), ["wrong stamp"],
         stamps=told([stamped(NOTES[12][:-1])]))  # fmt: skip
    wrong = {
        "refused": stamped(NOTES[12], status=2),
        "sha1": stamped(NOTES[12], by="2b0e03021a"),
        "no-day": stamped(NOTES[12], "20260230130000Z"),
        "zone": stamped(NOTES[12], "20260301130000+0100"),
        "zero": stamped(NOTES[12], "20260301130000.0Z"),
        "more": stamped(NOTES[12]) + b"\0",
        "cut": stamped(NOTES[12])[:-1],
        "empty": b"",
        "indefinite": b"\x30\x80" + stamped(NOTES[12])[4:] + b"\0\0",
        "long-length": b"\x30\x83\0" + stamped(NOTES[12])[2:],
    }
    for name, answer in wrong.items():
        case(f"stamp-{name}", "not a stamp", export(GOOD, NOTES), ["not a stamp"], stamps=told([answer]))


def told(answers: list[bytes]) -> list[str]:
    return [b64encode(answer).decode() for answer in answers]


if __name__ == "__main__":
    for name, case in cases().items():
        if case.pop("cut", False):
            case["export"] = str(case["export"])[:-1]
        (HERE / f"{name}.json").write_text(json.dumps(case, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
