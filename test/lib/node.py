"""Packages of npm that tests use; they are kept under the build tree."""

import fcntl
import subprocess

from lib.daemon import build_directory

VERSIONS = {"multicast-dns": "7.2.5", "playwright-core": "1.65.1", "ws": "8.23.0"}


def node_module(name):
    """The folder of the package, installed on first use."""
    # Of its own: npm removes what else it finds.
    directory = build_directory() / "test" / "node" / name
    folder = directory / "node_modules" / name
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = directory / VERSIONS[name]
        if not done.exists():
            subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-save",
                            "--ignore-scripts", "--prefix", str(directory),
                            f"{name}@{VERSIONS[name]}"],
                           check=True, capture_output=True, timeout=150)
            done.touch()
    return folder
