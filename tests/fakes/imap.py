"""A mailbox over IMAP: sign-in, a folder that is examined, searches by number, and messages by their parts."""

import re
import socketserver
import threading
from typing import Self


class FakeImap(socketserver.ThreadingTCPServer):
    """`mails` holds messages by their number. `said` is every command, without the password; `refuses` names commands to say no to."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *, folder: str = "INBOX", validity: int = 7) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.validity = folder, validity
        self.mails: dict[int, bytes] = {}
        self.said: list[str] = []
        self.refuses: set[str] = set()

    @property
    def url(self) -> str:
        """Where it is, as a setting."""
        return f"imap://desk:pass%40word@127.0.0.1:{self.server_address[1]}/{self.folder}"

    def put(self, raw: bytes) -> int:
        """A message that arrives; its number."""
        number = max(self.mails, default=0) + 1
        self.mails[number] = raw
        return number

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(socketserver.StreamRequestHandler):
    server: FakeImap

    def handle(self) -> None:
        self._say("* OK ready")
        while line := self.rfile.readline().decode().strip():
            tag, _, command = line.partition(" ")
            word = command.split()[0].upper()
            self.server.said.append("LOGIN" if word == "LOGIN" else command)
            if word in self.server.refuses:
                self._say(f"{tag} NO [AUTHENTICATIONFAILED] login refused for desk")
                continue
            self._answer(word, command)
            self._say(f"{tag} OK done")
            if word == "LOGOUT":
                return

    def _answer(self, word: str, command: str) -> None:
        mails = self.server.mails
        if word == "CAPABILITY":
            self._say("* CAPABILITY IMAP4rev1")
        elif word in {"EXAMINE", "SELECT"}:
            self._say(f"* {len(mails)} EXISTS\r\n* OK [UIDVALIDITY {self.server.validity}] as ever")
        elif word == "UID" and "SEARCH" in command:
            first = int(re.findall(r"UID (\d+):\*", command)[0])
            found = [number for number in mails if number >= first] or sorted(mails)[-1:]  # as RFC 9051 has n:*
            self._say("* SEARCH " + " ".join(map(str, found)))
        elif word == "UID":
            self._fetch(int(command.split()[2]), command)
        elif word == "LOGOUT":
            self._say("* BYE")

    def _fetch(self, number: int, command: str) -> None:
        raw = self.server.mails[number]
        if "RFC822.SIZE" in command:
            self._say(f"* 1 FETCH (UID {number} RFC822.SIZE {len(raw)})")
            return
        part = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if "HEADER" in command else raw
        self.wfile.write(f"* 1 FETCH (UID {number} BODY[] {{{len(part)}}}\r\n".encode() + part + b")\r\n")

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")
