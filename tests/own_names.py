"""A name server that says what its arguments tell it: NAME=ADDRESS[,ADDRESS…] …

Each address is for one question, the last for all that follow. Source: RFC 1035, section 4.
"""

from __future__ import annotations

import socket
import struct
import sys

_HERE = ("127.0.0.53", 53)
_IPV4 = 1  # of the types of question
_NO_SUCH_NAME = 3


def answer(question: bytes, names: dict[str, list[str]]) -> bytes:
    """What is said to ``question``, a whole message; it uses up an address."""
    at, labels = 12, []
    while question[at]:
        labels.append(question[at + 1 : at + 1 + question[at]].decode())
        at += 1 + question[at]
    asked = question[12 : at + 5]
    kind = struct.unpack(">H", question[at + 1 : at + 3])[0]
    addresses = names.get(".".join(labels).lower())
    found = b""
    if addresses and kind == _IPV4:
        address = addresses.pop(0) if len(addresses) > 1 else addresses[0]
        found = struct.pack(">HHHIH", 0xC00C, _IPV4, 1, 0, 4) + socket.inet_aton(address)
    flags = 0x8580 | (0 if addresses else _NO_SUCH_NAME)
    head = struct.pack(">2sHHHHH", question[:2], flags, 1, bool(found), 0, 0)
    return head + asked + found


def main(told: list[str]) -> None:
    """Answer until the process ends."""
    split = (each.partition("=") for each in told)
    names = {name: addresses.split(",") for name, _, addresses in split}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(_HERE)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            question, asker = door.recvfrom(4096)
            door.sendto(answer(question, names), asker)


if __name__ == "__main__":
    main(sys.argv[1:])
