"""The project's own files: those that git tracks, and new ones that it does not ignore."""

import pathlib
import subprocess


def tracked(*suffixes):
    """Paths relative to the root, sorted; only those with one of the suffixes, if any."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
    ).stdout.decode("utf-8", "surrogateescape")
    paths = sorted({pathlib.PurePosixPath(name) for name in listed.split("\0") if name})
    return [
        path
        for path in paths
        if (not suffixes or path.suffix in suffixes) and pathlib.Path(path).is_file()
    ]
