#!/usr/bin/env python3
"""Writes docs/commands.md and docs/variables.md from the tables of the program.

usage: docs/generate.py [--check] DUMP

DUMP is what test/tools/tables prints, or - for standard input. With --check nothing is
written; the exit status is 1 when a file is not what would be written.
"""

import pathlib
import sys

DOCS = pathlib.Path(__file__).resolve().parent

COMMAND = ("profile", "name", "shortcut", "other", "usage", "hidden", "help")
VARIABLE = ("profile", "name", "shortcut", "type", "default", "access", "range", "saved",
            "applies", "later", "index", "modifiers", "help")
NAME = ("profile", "name", "shortcut", "variable")
FIELDS = {"command": COMMAND, "variable": VARIABLE, "name": NAME}

GENERATED = "<!-- Written by docs/generate.py; do not edit. -->"

COMMANDS_INTRO = f"""{GENERATED}

# Commands

A command is typed by its name or by its shortcut. `<x>` stands for a value, `[ ]` for what
may be left out, `+ data` for bytes that follow the line. How a variable is read and set is in
[variables.md](variables.md).
"""

VARIABLES_INTRO = f"""{GENERATED}

# Variables

`get NAME` prints a variable and `set NAME VALUE` changes it, with the name in full or as
shortcut. `get` also takes a group (`get wlan`, `get http.server`, `get ud`) or `all`. A change
is kept over a reboot once `save` has run.

- Words for a switch: `0`, `off`, `false` and `1`, `on`, `true`. Numbers are decimal, or
  hexadecimal behind `0x`. A text with blanks stands in double quotes; `""` is the empty text.
- An index stands between name and value: `get uart.baud 0`, `set uart.baud 0 9600`; in the
  tables below it stands behind the name. `get NAME all` prints all of them.
- *acts*: when a change acts, if not at once: at the next `network_restart`, after `save` and
  `reboot`, at `uart_update`, when `setup` starts again.
- *later* marks a variable that can be set and saved, but on which nothing acts yet.
- Where a profile is named, only that one has the variable or the value.
"""

ACTS = {"now": "", "network_restart": "`network_restart`", "reboot": "`reboot`",
        "uart_update": "`uart_update`", "setup": "`setup`"}


def read(text):
    """The lines of the dump, by kind, as dictionaries; and the profiles in their order."""
    rows = {kind: [] for kind in FIELDS}
    for line in text.splitlines():
        kind, *words = line.split("\t")
        rows[kind].append(dict(zip(FIELDS[kind], words, strict=True)))
    profiles = list(dict.fromkeys(row["profile"] for row in rows["command"]))
    return rows, profiles


def cell(text):
    return text.replace("|", "\\|")


def code(text):
    return f"`{cell(text)}`" if text else ""


def table(head, lines):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for line in lines:
        yield "| " + " | ".join(line) + " |"


def by_name(rows):
    """name to its rows, one for each profile that has it; sorted."""
    found = {}
    for row in rows:
        found.setdefault(row["name"], []).append(row)
    return dict(sorted(found.items()))


def where(rows, profiles):
    """The profiles of rows, when they are not all."""
    named = [row["profile"] for row in rows]
    return "" if named == profiles else ", ".join(named)


def with_note(text, note):
    return f"{text} ({note})" if note else text


def commands(rows, profiles):
    lines = []
    for name, same in by_name(rows["command"]).items():
        row = same[0]
        if row["hidden"]:
            continue
        shortcut = code(row["shortcut"] or name)
        if row["other"]:
            shortcut += f", also {code(row['other'])}"
        lines.append((code(row["usage"]), shortcut,
                      with_note(cell(row["help"]), where(same, profiles))))
    yield COMMANDS_INTRO
    yield from table(("command", "shortcut", "what it does"), lines)


def default(rows, profiles):
    """The factory value, and with it the profiles if there are several."""
    values = {}
    for row in rows:
        values.setdefault(row["default"], []).append(row)
    if len(values) == 1:
        return code(rows[0]["default"])
    return ", ".join(f"{code(value)} ({where(same, profiles)})"
                     for value, same in values.items())


def values(row):
    """What a variable may be set to."""
    if row["access"] == "get":
        text = "read only"
    elif row["type"] in ("bool", "choice"):
        text = ", ".join(code(word) for word in row["range"].split("|"))
    elif row["type"] == "ipv4":
        text = "IPv4 address"
    elif row["type"] == "mac":
        text = "MAC address"
    else:
        text = row["range"].replace("..", " to ")
    if row["access"] == "set":
        text += "; write only"
    if row["access"] == "get/set" and row["saved"] == "no":
        text += "; not saved"
    if row["modifiers"]:
        text += "; get takes " + ", ".join(
            code(word) for word in row["modifiers"].split("|"))
    return text


def variable(name, same, profiles):
    row = same[0]
    index = row["index"].replace("|", ", ")
    shown = code(name) + (f" {index}" if index else "")
    notes = [where(same, profiles), "*later*" if row["later"] else ""]
    return (shown, code(row["shortcut"]), default(same, profiles), values(row),
            ACTS[row["applies"]],
            with_note(cell(row["help"]), ", ".join(note for note in notes if note)))


def variables(rows, profiles):
    head = ("variable", "shortcut", "default", "values", "acts", "meaning")
    roots = {}
    for name, same in by_name(rows["variable"]).items():
        roots.setdefault(name.partition(".")[0], []).append(
            variable(name, same, profiles))
    yield VARIABLES_INTRO
    for root, lines in roots.items():
        yield f"## {root}\n"
        yield from table(head, lines)
        yield ""
    yield "## Names of other firmware\n"
    yield "They mean the variable behind them; no listing shows them.\n"
    lines = []
    for name, same in by_name(rows["name"]).items():
        row = same[0]
        lines.append((code(name), code(row["shortcut"]),
                      with_note(code(row["variable"]), where(same, profiles))))
    yield from table(("name", "shortcut", "variable"), lines)


def main():
    words = sys.argv[1:]
    check = "--check" in words
    if check:
        words.remove("--check")
    if len(words) != 1:
        sys.exit(__doc__)
    dump = sys.stdin.read() if words[0] == "-" else pathlib.Path(words[0]).read_text("utf-8")
    rows, profiles = read(dump)
    stale = []
    for name, writer in (("commands.md", commands), ("variables.md", variables)):
        text = "\n".join(writer(rows, profiles)).rstrip("\n") + "\n"
        path = DOCS / name
        if check:
            if not path.is_file() or path.read_text("utf-8") != text:
                stale.append(f"docs/{name}")
        else:
            path.write_text(text, "utf-8")
    if stale:
        sys.exit(f"{', '.join(stale)}: not up to date; run docs/generate.py")


if __name__ == "__main__":
    main()
