#!/usr/bin/env python3
"""Checks the words in the project's files, and the calls in its C sources.

usage: test/lint/texts.py     (from the root)
The patterns are written so that they do not match themselves.
"""

import pathlib
import re
import sys

from tracked import tracked

# What no file may hold. Paths count where they start, not as part of a URL or a longer path.
TEXTS = (
    (r"(?<![\w./)-])/(?:work|home|root)\b", "path of one machine"),
    (
        r"(?i)\b(?:pypi|pythonhosted|npmjs|rubygems|maven|crates|packagist|nuget|golang"
        r"|anaconda|docker|ghcr|quay|debian|ubuntu|metacpan|gcr)\.(?:org|com|io|net)\b",
        "host of a package registry",
    ),
    (r"\b(?:[T]ODO|[F]IXME|[X]XX)\b", "unfinished by its own words"),
)
BLANKS = (r"[ \t]+\r?$", "blanks at the end of a line")

# Calls that src and include may not make: unbounded, blocking, or silent about errors.
CALLS = re.compile(
    r"(?<![\w.>])(?:atoi|atol|atoll|atof|strcpy|strcat|sprintf|vsprintf|strtok|gets"
    r"|getaddrinfo|gethostbyname|sleep|usleep|system|popen)\s*\("
)

# A suppression of a lint carries its reason behind the name of the check.
SUPPRESSION = re.compile(
    r"[c]ppcheck-suppress(?:-\w+)?(?P<c>.*)|[N]OLINT\w*(?P<t>\([^)]*\))?(?P<why>.*)"
)
NAMED_WITH_REASON = re.compile(r"\s*[\w\[\], .]+;\s*\w.*")

# Bytes for the fuzzers, not text; and exact bytes of a module, blanks among them.
BYTES = "test/corpus"
EXACT_LINES = "test/transcript"

COMMENT_OR_STRING = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S
)


def without_comments(text):
    """C code with comments and literals blanked, its lines where they were."""
    return COMMENT_OR_STRING.sub(lambda m: "\n" * m.group().count("\n") + " ", text)


def suppression_fault(line):
    match = SUPPRESSION.search(line)
    if match is None:
        return None
    if match["c"] is not None:
        right = NAMED_WITH_REASON.fullmatch(match["c"]) is not None
    else:
        right = match["t"] is not None and re.search(r":\s*\w", match["why"]) is not None
    return None if right else "suppression without the name of its check and a reason"


def text_faults(path, text):
    patterns = TEXTS if path.is_relative_to(EXACT_LINES) else (*TEXTS, BLANKS)
    for number, line in enumerate(text.split("\n"), 1):
        for pattern, name in patterns:
            match = re.search(pattern, line)
            if match is not None:
                yield f"{path}:{number}: {name}: {match.group()!r}"
        if path.suffix in (".c", ".h"):
            fault = suppression_fault(line)
            if fault is not None:
                yield f"{path}:{number}: {fault}"


def call_faults(path, text):
    for number, line in enumerate(without_comments(text).split("\n"), 1):
        match = CALLS.search(line)
        if match is not None:
            yield f"{path}:{number}: banned call: {match.group()!r}"


def main():
    faults = []
    count = 0
    for path in tracked():
        data = pathlib.Path(path).read_bytes()
        if path.is_relative_to(BYTES) or b"\0" in data:
            continue
        count += 1
        text = data.decode("utf-8", "surrogateescape")
        faults += text_faults(path, text)
        if path.parts[0] in ("src", "include") and path.suffix in (".c", ".h"):
            faults += call_faults(path, text)
    for fault in faults:
        print(f"texts: {fault}".encode("utf-8", "replace").decode())
    print(f"texts: {count} files, {len(faults)} faults")
    sys.exit(1 if faults or count == 0 else 0)


if __name__ == "__main__":
    main()
