#!/usr/bin/env python3
"""Checks that include lines go downward only, and that each header stands alone.

usage: test/lint/layers.py COMPILER [FLAG ...]     (from the root)
The layers, lowest first, are RANKS. A file may include headers of its own layer and of
lower ranks; layers of one rank never include each other. Tests may include all.
"""

import pathlib
import re
import subprocess
import sys

from tracked import tracked

RANKS = (
    ("base",),
    ("store", "device"),
    ("link", "stream"),
    ("core",),
    ("cmd", "var", "service", "front"),
    ("daemon",),
)
RANK_OF = {layer: rank for rank, layers in enumerate(RANKS) for layer in layers}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]*)"|<([^>\n]*)>)', re.M)


def layer_of(path):
    """The layer of a path such as src/front/web/rest.c; None outside src and include."""
    parts = path.parts
    return parts[1] if len(parts) > 2 and parts[0] in ("src", "include") else None


def include_fault(layer, name, quoted):
    """What is wrong with an include line in a file of that layer (None: a test), or None."""
    first = name.split("/")[0]
    if not quoted:
        if first in RANK_OF and pathlib.Path("include", name).is_file():
            return f'<{name}> is the project\'s own; write "{name}"'
        return None
    if first not in RANK_OF or not pathlib.Path("include", name).is_file():
        if layer is None:
            return None  # a test's own header
        return f'"{name}" is no header under include/<layer>/'
    if layer in (None, first) or RANK_OF[first] < RANK_OF[layer]:
        return None
    if RANK_OF[first] == RANK_OF[layer]:
        return f'"{name}": {layer} and {first} never include each other'
    return f'"{name}": {layer} is below {first}; news travels upward through callbacks'


def include_faults(path, text):
    layer = layer_of(path)
    if path.parts[0] in ("src", "include") and layer not in RANK_OF:
        yield f"{path}: not in a folder of a known layer"
        return
    for match in INCLUDE.finditer(text):
        quoted = match.group(1) is not None
        fault = include_fault(layer, match.group(1) or match.group(2), quoted)
        if fault is not None:
            yield f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {fault}"


def guard_faults(path, text):
    guard = re.sub(r"[^A-Z0-9]", "_", "/".join(path.parts[1:]).upper())
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.S).strip()
    wanted = rf"#ifndef {guard}\n#define {guard}\n.*\n#endif"
    if re.fullmatch(wanted, code, flags=re.S) is None:
        yield f"{path}: the whole header belongs between #ifndef {guard} and its #endif"


def compile_faults(path, compiler):
    """A header with two includes of itself is a whole program text."""
    name = "/".join(path.parts[1:])
    result = subprocess.run(
        [*compiler, "-Werror", "-fsyntax-only", "-x", "c", "-"],
        input=f'#include "{name}"\n#include "{name}"\n'.encode(),
        capture_output=True,
        check=False,
    )
    if result.returncode != 0:
        yield f"{path}: does not compile alone:\n{result.stderr.decode(errors='replace')}"


def main():
    compiler = sys.argv[1:]
    if not compiler:
        sys.exit(__doc__)
    faults = []
    count = 0
    for path in tracked(".c", ".h"):
        count += 1
        text = pathlib.Path(path).read_text(encoding="utf-8")
        faults += include_faults(path, text)
        if path.parts[0] == "include":
            faults += guard_faults(path, text)
            faults += compile_faults(path, compiler)
    for fault in faults:
        print(f"layers: {fault}")
    print(f"layers: {count} files, {len(faults)} faults")
    sys.exit(1 if faults or count == 0 else 0)


if __name__ == "__main__":
    main()
