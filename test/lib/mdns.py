"""Multicast DNS as a peer speaks it: messages, and a socket that takes part in a group."""

import select
import socket
import struct
import time

GROUP = "224.0.0.251"
A, PTR, TXT, AAAA, SRV, NSEC, ANY = 1, 12, 16, 28, 33, 47, 255
FLAG = 0x8000
IP_RECVTTL = 12  # of <netinet/in.h>
RESPONSE = 0x8400


def pack_name(name):
    labels = [label.encode() for label in name.rstrip(".").split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def question(name, kind, number=0, flag=0, known=()):
    """A message with one question, and records that are known."""
    return (struct.pack(">6H", number, 0, 1, len(known), 0, 0) + pack_name(name)
            + struct.pack(">2H", kind, 1 | flag) + b"".join(known))


def record(name, kind, data, ttl=120, flag=0):
    return pack_name(name) + struct.pack(">2HIH", kind, 1 | flag, ttl, len(data)) + data


def response(*records):
    return struct.pack(">6H", 0, RESPONSE, 0, len(records), 0, 0) + b"".join(records)


def read_name(message, at):
    """The name, and what stands behind it."""
    labels, behind = [], None
    while message[at]:
        if message[at] >= 0xC0:
            behind = behind or at + 2
            at = (message[at] & 0x3F) << 8 | message[at + 1]
            continue
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels), behind or at + 1


class Record:
    def __init__(self, message, at):
        self.name, at = read_name(message, at)
        self.kind, self.cls, self.ttl, length = struct.unpack_from(">2HIH", message, at)
        at += 10
        self.end = at + length
        self.data = message[at:self.end]
        if self.kind == A:
            self.data = socket.inet_ntoa(self.data)
        elif self.kind == PTR:
            self.data = read_name(message, at)[0]
        elif self.kind == SRV:
            self.data = struct.unpack_from(">3H", message, at) + read_name(message, at + 6)[:1]

    def __repr__(self):
        return f"{self.name} {self.kind} {self.cls:#x} {self.ttl} {self.data!r}"


class Message:
    def __init__(self, message):
        (self.number, self.flags, questions, *counts) = struct.unpack_from(">6H", message)
        at = 12
        self.questions, self.sections = [], []
        for _ in range(questions):
            name, at = read_name(message, at)
            self.questions.append((name, *struct.unpack_from(">2H", message, at)))
            at += 4
        for count in counts:
            section = []
            for _ in range(count):
                section.append(Record(message, at))
                at = section[-1].end
            self.sections.append(section)
        self.answers, self.authority, self.additional = self.sections

    def find(self, name, kind):
        """The answer of that name and type, or None."""
        for answer in self.answers:
            if (answer.name.lower(), answer.kind) == (name.lower(), kind):
                return answer
        return None

    def __repr__(self):
        return f"{self.flags:#x} {self.questions} {self.sections}"


class Peer:
    """A program on this host that takes part, over the interface of an address."""

    def __init__(self, port, address="127.0.0.1"):
        self.group = (GROUP, port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("", port))
        here = socket.inet_aton(address)
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                               socket.inet_aton(GROUP) + here)
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, here)
        self.socket.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        self.source = self.ttl = None

    def send(self, message):
        self.socket.sendto(message, self.group)

    def wait(self, wanted, timeout=10):
        """The next message for which wanted(message) holds; None after the time."""
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            if not select.select([self.socket], [], [], max(left, 0))[0]:
                return None
            data, control, _, self.source = self.socket.recvmsg(9000, 64)
            self.ttl = struct.unpack("i", control[0][2])[0] if control else None
            message = Message(data)
            if wanted(message):
                return message

    def answer(self, name, kind, timeout=10):
        """The next answer of that name and type that the group gets, and its message."""
        message = self.wait(lambda m: m.flags == RESPONSE and m.find(name, kind), timeout)
        return (message.find(name, kind), message) if message else (None, None)

    def close(self):
        self.socket.close()
