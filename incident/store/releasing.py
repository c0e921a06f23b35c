"""The key that signs law packs: made once by whoever releases them, kept in a file outside every installation."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from incident.domain.audit import Key, Malformed
from incident.domain.errors import Refused
from incident.domain.packs import NAME, seed_of, signer_text
from incident.store.keys import KeysError, read_secret, write_secret


@dataclass(frozen=True)
class Signer:
    """A private key with its public half."""

    key: Key
    private: Ed25519PrivateKey

    def sign(self, text: bytes) -> bytes:
        """The Ed25519 signature of these bytes."""
        return self.private.sign(text)


def make(path: Path, name: str) -> Signer:
    """A new signing key in a new file, for its owner alone. Raises Refused where the file exists or the name is none."""
    if not NAME.fullmatch(name):
        raise Refused("A key's name has letters, digits, dots, slashes and hyphens, such as example.org/laws.")
    private = Ed25519PrivateKey.generate()
    signer = Signer(Key(name, private.public_key().public_bytes_raw()), private)
    try:
        write_secret(path, signer_text(signer.key, private.private_bytes_raw()).encode("ascii"))
    except FileExistsError:
        raise Refused(f"{path} exists; a key is never written over.") from None
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from None
    return signer


def read(path: Path) -> Signer:
    """The signing key in a file. Raises Refused."""
    try:
        name, seed = seed_of(read_secret(path).decode("ascii"))
    except (KeysError, OSError, Malformed, UnicodeDecodeError) as error:
        raise Refused(f"{path} is no signing key: {error}") from None
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return Signer(Key(name, private.public_key().public_bytes_raw()), private)
