"""Networks of their own for a test: namespaces of the kernel, joined by virtual cables.

A user namespace is made too, so no privileges are needed where the kernel lets users make
one (Debian does; a container may forbid it with its seccomp filter, and then the tests that
need a network of their own fail and say so)."""

import subprocess


class Namespace:
    """One network namespace; it lasts until close()."""

    def __init__(self, beside=None):
        make = ["unshare", "--net"] if beside else ["unshare", "--map-root-user", "--net"]
        self.holder = subprocess.Popen(
            (beside.prefix if beside else []) + make + ["sh", "-c", "echo made; exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.holder.stdout.readline() != b"made\n":
            words = self.holder.stderr.read().decode()
            self.close()
            raise AssertionError("no network namespace can be made here: " + words)
        # With --fork or without, what holds the namespace is this process.
        self.pid = self.holder.pid
        self.prefix = ["nsenter", "--user", "--net", "--preserve-credentials",
                       f"--target={self.pid}"]
        self.ip("link", "set", "lo", "up")

    def run(self, *command, **settings):
        """Runs a program to its end in the namespace; its output."""
        result = subprocess.run([*self.prefix, *map(str, command)], capture_output=True,
                                check=False, timeout=60, **settings)
        if result.returncode != 0:
            raise AssertionError(f"{command}: status {result.returncode}: "
                                 + (result.stdout + result.stderr).decode())
        return result.stdout.decode()

    def start(self, *command, **settings):
        return subprocess.Popen([*self.prefix, *map(str, command)], **settings)

    def ip(self, *arguments):
        return self.run("ip", *arguments)

    def addresses(self, interface):
        """The IPv4 addresses of an interface, with their prefix lengths."""
        words = self.ip("-4", "-o", "address", "show", "dev", interface).split()
        return [words[i + 1] for i, word in enumerate(words) if word == "inet"]

    def close(self):
        self.holder.stdin.close()
        self.holder.stdout.close()
        self.holder.wait()
        self.holder.stderr.close()


def cable(case, interface="cable0", near=None):
    """Two namespaces, the first perhaps given, with a cable between them that is up,
    without addresses."""
    if near is None:
        near = Namespace()
        case.addCleanup(near.close)
    far = Namespace(beside=near)
    case.addCleanup(far.close)
    near.ip("link", "add", interface, "type", "veth", "peer", "name", interface,
            "netns", str(far.pid))
    for end in (near, far):
        end.ip("link", "set", interface, "up")
    return near, far


def uplink(case, near):
    """Gives a namespace another cable, where its default route leads; the other end."""
    _, far = cable(case, "uplink0", near)
    near.ip("address", "add", "192.168.77.2/24", "dev", "uplink0")
    near.ip("route", "add", "default", "via", "192.168.77.1")
    far.ip("address", "add", "192.168.77.1/24", "dev", "uplink0")
    return far
