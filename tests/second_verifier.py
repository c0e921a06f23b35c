"""A second verifier, written from docs/record.md alone, with other libraries and in another style than ours.

It reads everything into memory, builds trees as maps, and answers with one number or WrongError. It stays one file, as a reader
of that page would write it.
"""

import base64
import datetime
import hashlib
import io
import json
import re
import struct
import zipfile
import zlib

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WORD = r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}"
HEX = r"[0-9a-f]{64}"
MEMBERS = {"actor", "at", "details", "format", "incident", "log", "seq", "subject", "verb"}
PATH = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){0,4}"
SMALL_ORDER = 2**255 - 19


class WrongError(Exception):
    """Something is not as docs/record.md says."""


def demand(holds):
    if not holds:
        raise WrongError


def fits(pattern, value):
    return isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII) is not None


def value_of(row, longest=65_535):
    """Canonical JSON within the limits of a line."""
    demand(len(row) <= longest)
    try:
        value = json.loads(row, parse_float=demand_nothing, parse_constant=demand_nothing)
        demand(isinstance(value, dict) and depth(value) <= 16 and rfc8785.dumps(value) == row)
    except (ValueError, RecursionError):
        raise WrongError from None
    return value


def demand_nothing(_text):
    raise WrongError


def depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def unbase64(text):
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        raise WrongError from None
    demand(base64.b64encode(raw).decode() == text)
    return raw


def root(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + root(leaves[:half]) + root(leaves[half:])).digest()


# Checkpoints


def public_of(key, log):
    """The 32 bytes of a key written as text, which must be named after the record."""
    name, plus, rest = key.partition("+")
    identity, more, code = rest.partition("+")
    demand(plus and more and name == f"tocsin/{log}")
    raw = unbase64(code)
    demand(len(raw) == 33 and raw[0] == 1 and identity == id_of(name, raw[1:]).hex())
    return raw[1:]


def id_of(name, public):
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


class Reader:
    """What the reader brings: checkpoints, keys, witnesses and how many of these it takes, time stamps."""

    def __init__(self, outside=(), known=(), witnesses=(), needed=0, stamps=()):
        self.imprints = {imprint_of(stamp) for stamp in stamps}
        self.outside, self.known = list(outside), set(known)
        self.witnesses = [witness_of(text) for text in witnesses]
        self.needed = needed or len(self.witnesses)


# Time stamps


def take(raw):
    """The tag and the content of the first value, and what stands behind it."""
    demand(len(raw) >= 2 and raw[0] % 32 != 31 and raw[1] != 128)
    more = raw[1] - 128 if raw[1] > 128 else 0
    size = int.from_bytes(raw[2 : 2 + more], "big") if more else raw[1]
    demand(not more or (size > 127 and size.bit_length() > 8 * more - 8))
    demand(len(raw) >= 2 + more + size)
    return raw[0], raw[2 + more : 2 + more + size], raw[2 + more + size :]


def only(raw, tag):
    """The content of the one value there is."""
    found, content, rest = take(raw)
    demand(found == tag and not rest)
    return content


def sequence(raw):
    """Tags and contents of all in a sequence."""
    rest, found = only(raw, 0x30), []
    while rest:
        before = rest
        _, _, rest = take(rest)
        found.append(before[: len(before) - len(rest)])
    demand(found)
    return found


def within(raw, name):
    parts = sequence(raw)
    demand(len(parts) == 2 and only(parts[0], 6) == bytes(name))
    return only(parts[1], 0xA0)


def imprint_of(answer):
    """The SHA-256 that a time stamp is about."""
    demand(len(answer) <= 65_536)
    parts = sequence(answer)
    demand(len(parts) == 2 and only(sequence(parts[0])[0], 2) in (b"\0", b"\1"))
    signed = sequence(within(parts[1], (42, 134, 72, 134, 247, 13, 1, 7, 2)))
    demand(len(signed) >= 3)
    said = sequence(only(within(signed[2], (42, 134, 72, 134, 247, 13, 1, 9, 16, 1, 4)), 4))
    demand(len(said) >= 5 and only(said[0], 2) == b"\1" and take(said[1])[0] == 6 and take(said[3])[0] == 2)
    about = sequence(said[2])
    demand(len(about) == 2 and only(sequence(about[0])[0], 6) == bytes((96, 134, 72, 1, 101, 3, 4, 2, 1)))
    digest, at = only(about[1], 4), only(said[4], 24).decode("latin-1")
    demand(len(digest) == 32 and fits(r"[0-9]{14}(\.[0-9]{0,8}[1-9])?Z", at))
    try:
        datetime.datetime(*(int(at[a:b]) for a, b in ((0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14))))
    except ValueError:
        raise WrongError from None
    return digest


def witness_of(text):
    name, _, rest = text.partition("+")
    raw = unbase64(rest.partition("+")[2])
    demand(len(raw) == 33 and raw[0] == 4 and fits(r"[!-*,-~]{1,100}", name))
    demand(rest.partition("+")[0] == hashlib.sha256(name.encode() + b"\n\x04" + raw[1:]).hexdigest()[:8])
    return name, raw[1:]


class Reigns:
    """Which key is in force where, and which of them the reader's keys vouch for."""

    def __init__(self, log, key, known):
        self.log, self.known = log, {public_of(text, log) for text in known if text.startswith(f"tocsin/{log}+")}
        self.asked = bool(known)
        first = public_of(key, log)
        self.publics, self.begins = [first], [0]
        self.vouched = [not self.asked or first in self.known]

    def change(self, value):
        details, signed = value["details"], value["verb"] == "record.key_changed"
        demand(set(details) == {"old", "new", "signature" if signed else "second"})
        demand(fits(HEX, details["old"]) and fits(HEX, details["new"]))
        old, new = bytes.fromhex(details["old"]), bytes.fromhex(details["new"])
        demand(old == self.publics[-1] and new not in self.publics and len(self.publics) < 100)
        if signed:
            demand(fits(r"[0-9a-f]{128}", details["signature"]))
            said = ["tocsin-record-key-1", self.log, str(value["seq"]), details["old"], details["new"], ""]
            demand(is_signed(old, "\n".join(said).encode(), bytes.fromhex(details["signature"])))
        else:
            demand(fits(WORD, details["second"]) and new in self.known)
        self.vouched.append(new in self.known or (signed and self.vouched[-1]))
        self.publics.append(new)
        self.begins.append(value["seq"] + 1)

    def at(self, size):
        """The number of the key in force for a checkpoint of so many lines."""
        return max(number for number, begin in enumerate(self.begins) if begin <= size)

    def date(self, imprints, notes):
        """Refuse a stamp about none of these checkpoints (keys that may have signed, text, signatures)."""
        name = f"tocsin/{self.log}"
        for publics, text, signatures in notes if imprints else ():
            for one in publics:
                raw = signatures.get((name, id_of(name, one)))
                if raw is not None and is_signed(one, text.encode(), raw):
                    code = base64.b64encode(id_of(name, one) + raw).decode()
                    imprints = imprints - {hashlib.sha256(f"{text}\n\u2014 {name} {code}\n".encode()).digest()}
        demand(not imprints)

    def weigh(self, met):
        """Refuse checkpoints, of these sizes, that nobody vouches for; and a record of which no key is known."""
        demand(not self.asked or self.known & set(self.publics))
        best = {True: 0, False: 0}
        for size in met:
            vouched = self.vouched[self.at(size)]
            best[vouched] = max(best[vouched], size)
        demand(best[False] <= best[True])


def seen(witnessed, reader):
    """The largest size that enough witnesses signed, of these checkpoints (size, text, signatures)."""
    by = {}
    for size, text, signatures in witnessed:
        for name, public in reader.witnesses:
            raw = signatures.get((name, hashlib.sha256(name.encode() + b"\n\x04" + public).digest()[:4]))
            if raw is not None:
                at = int.from_bytes(raw[:8], "big")
                demand(len(raw) == 72 and at < 2**63)
                demand(is_signed(public, f"cosignature/v1\ntime {at}\n{text}".encode(), raw[8:]))
                by.setdefault(size, set()).add(public)
    return max((size for size, publics in by.items() if len(publics) >= reader.needed), default=0)


def is_by_one(signatures, reader):
    ids = {(name, hashlib.sha256(name.encode() + b"\n\x04" + public).digest()[:4]) for name, public in reader.witnesses}
    return bool(ids & set(signatures))


def checkpoint(note, log, publics):
    """Size, root, text and signatures, that by one of these keys having been checked; `publics` may depend on the size."""
    demand(len(note) <= 65_536 and not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", note))
    text, gap, tail = note.rpartition("\n\n")
    demand(gap and tail.endswith("\n"))
    rows = text.split("\n")
    demand(len(rows) >= 3 and all(rows) and rows[0] == f"tocsin/{log}" and fits(r"0|[1-9][0-9]{0,15}", rows[1]))
    said = unbase64(rows[2])
    demand(len(said) == 32)
    name, signatures = f"tocsin/{log}", {}
    for row in tail[:-1].split("\n"):
        parts = row.split(" ", 2)
        demand(len(parts) == 3 and parts[0] == "—" and parts[1])
        raw = unbase64(parts[2])
        demand(len(raw) >= 5 and (parts[1], raw[:4]) not in signatures)
        signatures[parts[1], raw[:4]] = raw[4:]
    size = int(rows[1])
    demand(len(signatures) <= 32)
    by = [public for public in publics(size) if (name, id_of(name, public)) in signatures]
    demand(any(is_signed(one, f"{text}\n".encode(), signatures[name, id_of(name, one)]) for one in by))
    return size, said, f"{text}\n", signatures


def is_signed(public, message, signature):
    """By OpenSSL, which takes a key of small order that the document refuses; the others it refuses as well."""
    if len(signature) != 64 or is_of_small_order(public):
        return False
    y = int.from_bytes(signature[:32], "little") & (1 << 255) - 1
    if y >= SMALL_ORDER:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_of_small_order(public):
    """Whether eight times the point is nothing, by Edwards' addition in plain fractions; or it is no point at all."""
    p, y = SMALL_ORDER, int.from_bytes(public, "little")
    sign, y = y >> 255, y % 2**255
    d = -121665 * pow(121666, p - 2, p) % p
    if y >= p:
        return True
    square = (y * y - 1) * pow(d * y * y + 1, p - 2, p) % p
    x = pow(square, (p + 3) // 8, p)
    if x * x % p != square:
        x = x * pow(2, (p - 1) // 4, p) % p
    if x * x % p != square or (x == 0 and sign):
        return True
    for _ in range(3):
        product = d * x * x * y * y % p
        x, y = 2 * x * y * pow(1 + product, p - 2, p) % p, (y * y + x * x) * pow(1 - product, p - 2, p) % p
    return (x, y) == (0, 1)


# Exports and excerpts


def line(value, log, seq):
    demand(set(value) == MEMBERS and value["format"] == "tocsin-record-1")
    words = [value[name] for name in ("actor", "log", "subject", "verb")]
    words += [value["incident"]] if value["incident"] is not None else []
    demand(all(fits(WORD, word) for word in words))
    demand(fits(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", value["at"]))
    demand(isinstance(value["details"], dict) and type(value["seq"]) is int)
    demand((value["log"], value["seq"]) == (log, seq))


def rows_of(raw):
    demand(raw.endswith(b"\n"))
    rows = raw[:-1].split(b"\n")
    demand(all(rows))
    return rows


def header_of(row):
    header = value_of(row)
    demand(set(header) == {"format", "key", "log", "size"})
    demand(header["format"] in ("tocsin-record-export-1", "tocsin-record-excerpt-1"))
    demand(fits(WORD, header["log"]) and isinstance(header["key"], str) and type(header["size"]) is int)
    public_of(header["key"], header["log"])
    return header


def on_a_record(raw, reader):
    """The number of lines that checkpoints from outside prove, and the lines shown."""
    first, *rows = rows_of(raw)
    header = header_of(first)
    reigns = Reigns(header["log"], header["key"], reader.known)
    judge = on_an_excerpt if header["format"] == "tocsin-record-excerpt-1" else on_an_export
    return judge(header, rows, reader, reigns)


def on_an_export(header, rows, reader, reigns):
    log, leaves, shown, checkpoints, met, witnessed, dated = header["log"], [], [], 0, [], [], []
    for row in rows:
        value = value_of(row)
        if row.startswith(b'{"checkpoint":'):
            checkpoints += 1
            demand(set(value) == {"checkpoint"} and isinstance(value["checkpoint"], str))
            size, said, text, signatures = checkpoint(value["checkpoint"], log, lambda _: reigns.publics[-1:])
            demand((size, said) == (len(leaves), root(leaves)))
            met.append(size)
            dated.append((reigns.publics[-1:], text, signatures))
            witnessed += [(size, text, signatures)] if is_by_one(signatures, reader) else []
        else:
            line(value, log, len(leaves))
            if value["verb"] in ("record.key_changed", "record.key_replaced"):
                reigns.change(value)
            shown.append(value)
            leaves.append(hashlib.sha256(b"\x00" + row).digest())
    demand(header["size"] == len(leaves) and checkpoints <= 10_000)
    proven, witnessed = 0, witnessed[-200:]
    for note in reader.outside:
        size, said, *more = checkpoint(note, log, lambda size: [reigns.publics[reigns.at(size)]])
        demand(size <= len(leaves) and said == root(leaves[:size]))
        proven = max(proven, size)
        met.append(size)
        witnessed.append((size, *more))
        dated.append(([reigns.publics[reigns.at(size)]], *more))
    reigns.date(reader.imprints, dated)
    reigns.weigh(met)
    return max(proven, seen(witnessed, reader)), shown


def on_an_excerpt(header, rows, reader, reigns):
    """The tree as a map from (level, place) to hash, filled upwards; what stands where is looked up in it."""
    log, met, witnessed, dated = header["log"], [], [], []
    nodes, size, seams, last, shown, checkpoints = {}, 0, {0}, None, [], 0
    for row in rows:
        value = value_of(row)
        if row.startswith(b'{"checkpoint":'):
            checkpoints += 1
            demand(set(value) == {"checkpoint"} and isinstance(value["checkpoint"], str))
            last = checkpoint(value["checkpoint"], log, lambda _: reigns.publics[-1:])
            demand(last[:2] == (size, root_in(nodes, size)))
            met.append(size)
            dated.append((reigns.publics[-1:], *last[2:]))
            witnessed += [(size, *last[2:])] if is_by_one(last[3], reader) else []
            continue
        if row.startswith(b'{"hidden":'):
            inner = value["hidden"]
            demand(set(value) == {"hidden"} and isinstance(inner, dict) and set(inner) == {"hash", "level"})
            demand(type(inner["level"]) is int and 0 <= inner["level"] <= 40 and fits(HEX, inner["hash"]))
            level, node = inner["level"], bytes.fromhex(inner["hash"])
        else:
            line(value, log, size)
            if value["verb"] in ("record.key_changed", "record.key_replaced"):
                reigns.change(value)
            shown.append(value)
            level, node = 0, hashlib.sha256(b"\x00" + row).digest()
        demand(size % 2**level == 0)
        place = size >> level
        nodes[level, place] = node
        size += 2**level
        seams.add(size)
        while place % 2:
            node = hashlib.sha256(b"\x01" + nodes[level, place - 1] + node).digest()
            level, place = level + 1, place // 2
            nodes[level, place] = node
    demand(last is not None and last[0] == size == header["size"] and checkpoints <= 10_000)
    proven, witnessed = 0, witnessed[-200:]
    for note in reader.outside:
        told, said, *more = checkpoint(note, log, lambda told: by_whom(told, size, reigns))
        dated.append((by_whom(told, size, reigns), *more))
        if told in seams:
            demand(said == root_in(nodes, told))
            proven = max(proven, told)
            met.append(told)
            witnessed.append((told, *more))
    reigns.date(reader.imprints, dated)
    reigns.weigh(met)
    return max(proven, seen(witnessed, reader)), shown


def by_whom(told, size, reigns):
    """The keys that may have signed a checkpoint from outside: beyond the end, also those that the reader knows."""
    return [reigns.publics[reigns.at(told)], *(reigns.known if told > size else ())]


def root_in(nodes, size):
    """RFC 6962's root from the roots of the complete subtrees, the smallest ones first."""
    found, place = None, size
    for level in range(size.bit_length()):
        if size >> level & 1:
            place -= 1 << level
            peak = nodes[level, place >> level]
            found = peak if found is None else hashlib.sha256(b"\x01" + peak + found).digest()
    return found or hashlib.sha256(b"").digest()


# Bundles and proofs


def on_a_zip(raw, reader):
    """The same for a bundle or a proof, all its files and steps having been checked."""
    try:
        files = unpacked(raw)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error):
        raise WrongError from None
    demand({"manifest.json", "record/excerpt.jsonl"} <= set(files))
    manifest = value_of(files["manifest.json"], 2**24)
    demand(manifest.get("format") in ("tocsin-bundle-1", "tocsin-proof-1"))
    demand(isinstance(manifest.get("files"), list) and fits(WORD, manifest.get("incident")))
    listed = {}
    for one in manifest["files"]:
        demand(isinstance(one, dict) and set(one) == {"bytes", "path", "sha256"})
        demand(type(one["bytes"]) is int and fits(HEX, one["sha256"]) and fits(PATH, one["path"]))
        demand(not listed or max(listed) < one["path"])
        listed[one["path"]] = one
    demand(set(listed) | {"manifest.json", "record/excerpt.jsonl"} == set(files))
    for path, one in listed.items():
        demand((len(files[path]), hashlib.sha256(files[path]).hexdigest()) == (one["bytes"], one["sha256"]))
    demand(files["record/excerpt.jsonl"].startswith(b'{"format":"tocsin-record-e'))
    proven, shown = on_a_record(files["record/excerpt.jsonl"], reader)
    verb, subject = "incident.bundled", manifest["incident"]
    if manifest["format"] == "tocsin-proof-1":
        demand("proof.json" in listed)
        proof = value_of(files["proof.json"], 4 * 2**20)
        on_a_proof(proof, manifest["incident"], {value["seq"]: value for value in shown})
        verb, subject = "person.proof_made", proof["person"]
    said = {"files": len(listed), "manifest": hashlib.sha256(files["manifest.json"]).hexdigest()}
    demand(any((one["verb"], one["subject"], one["details"]) == (verb, subject, said) for one in shown))
    return proven


def unpacked(raw):
    end = raw.rfind(b"PK\5\6", max(0, len(raw) - 66_000))
    demand(end >= 0 and len(raw) >= end + 16 and struct.unpack("<I", raw[end + 12 : end + 16])[0] <= 2**23)
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        infos = packed.infolist()
        demand(len({info.filename for info in infos}) == len(infos))
        demand(all(info.compress_type in (0, 8) and not info.flag_bits & 1 for info in infos))
        demand(sum(info.file_size for info in infos) <= 200 * len(raw) + 2**24)
        ends = [info.header_offset + 30 + len(info.orig_filename.encode()) + info.compress_size for info in infos]
        begins = [info.header_offset for info in infos]
        demand(not begins or min(begins) == 0)
        for begin, end in zip([*sorted(begins)[1:], packed.start_dir], sorted(ends), strict=False):
            demand(0 <= begin - end <= 64)
        return {info.filename: packed.read(info) for info in infos}


SAYS = {
    "listed": "deliveries.made",
    "followed": "deliveries.climbed",
    "handed over": "deliveries.handed_over",
    "settled": "deliveries.settled",
    "in doubt": "deliveries.in_doubt",
    "reported": "deliveries.reported",
}


def on_a_proof(proof, incident, lines):
    demand(proof.get("format") == "tocsin-proof-1" and proof.get("incident") == incident)
    demand(fits(WORD, proof.get("person")) and isinstance(proof.get("deliveries"), list))
    deliveries = proof["deliveries"]
    for one in deliveries:
        demand(isinstance(one, dict) and all(fits(WORD, one.get(name)) for name in ("ref", "sending", "channel")))
        demand(isinstance(one.get("steps"), list) and isinstance(one.get("not_shown"), list))
        demand(all(isinstance(text, str) for text in one["not_shown"]))
        if one.get("address") is not None:
            address = one["address"]
            demand(isinstance(address, dict) and fits(r"(?:[0-9a-f]){32,128}", address.get("salt")))
            demand(len(address["salt"]) % 2 == 0 and fits(HEX, address.get("sha256")))
    refs = [one["ref"] for one in deliveries]
    demand(len(set(refs)) == len(refs) and sum(len(one["steps"]) for one in deliveries) <= 1_000)
    for one in deliveries:
        for step in one["steps"]:
            on_a_step(step, one, proof, refs, lines)


def on_a_step(step, delivery, proof, refs, lines):
    demand(isinstance(step, dict) and set(step) == {"what", "line", "entry", "index", "size", "path"})
    demand(all(type(step[name]) is int for name in ("line", "index", "size")))
    demand(isinstance(step["entry"], str) and isinstance(step["what"], str) and step["what"] in SAYS)
    demand(isinstance(step["path"], list) and len(step["path"]) <= 40 and all(fits(HEX, node) for node in step["path"]))
    found = lines.get(step["line"])
    demand(found is not None and found["verb"] == SAYS[step["what"]])
    demand(found["subject"] == delivery["sending"] and found["incident"] == proof["incident"])
    allowed = {
        "listed": {proof["person"]},
        "followed": {f"after {ref}" for ref in refs},
        "handed over": {"sending"},
    }.get(step["what"])
    ref, space, said = step["entry"].partition(" ")
    demand(ref == delivery["ref"] and space)
    demand(said in allowed if allowed is not None else fits(r"[a-z_]{1,20}", said))
    details = found["details"]
    counted = details["count"] if type(details.get("count")) is int else None
    if counted is None:
        numbers = details.get("states", details.get("channels"))
        demand(isinstance(numbers, dict) and all(type(number) is int for number in numbers.values()))
        counted = sum(numbers.values())
    demand(step["size"] == counted and 0 <= step["index"] < step["size"])
    leaf = hashlib.sha256(b"\x00" + step["entry"].encode("utf-8", "surrogatepass")).digest()
    path = [bytes.fromhex(node) for node in step["path"]]
    demand(up(leaf, step["index"], step["size"], path).hex() == details.get("digest"))


def up(leaf, index, size, path):
    """The root, going down by halves: where the tree parts, the last hash of the path is the other half's."""
    if size == 1:
        demand(not path)
        return leaf
    demand(path)
    half = 1 << (size - 1).bit_length() - 1
    *rest, other = path
    if index < half:
        return hashlib.sha256(b"\x01" + up(leaf, index, half, rest) + other).digest()
    return hashlib.sha256(b"\x01" + other + up(leaf, index - half, size - half, rest)).digest()


def second_verdict(raw, outside=(), known=(), witnesses=(), needed=0, stamps=()):
    """How many lines checkpoints from outside, or of witnesses, prove. Raises WrongError."""
    reader = Reader(outside, known, witnesses, needed, stamps)
    if raw[:2] == b"PK":
        return on_a_zip(raw, reader)
    return on_a_record(raw, reader)[0]
