#!/usr/bin/env python3
"""Checks the tables of commands and variables, as test/tools/tables prints them.

usage: test/lint/tables.py BUILD/test/tools/tables     (from the root)

- They agree with test/data/variables.csv, which was written from the record of the module
  and not from the tables.
- Each command and each variable, by name and by shortcut, stands in a transcript.
- As many variables wait for their effect as test/data/later.txt says.
- docs/commands.md and docs/variables.md are up to date.
"""

import ast
import csv
import pathlib
import re
import subprocess
import sys

RECORD = pathlib.Path("test/data/variables.csv")
LATER = pathlib.Path("test/data/later.txt")
TRANSCRIPTS = pathlib.Path("test/transcript")

COMMAND = ("kind", "profile", "name", "shortcut", "other", "usage", "hidden", "help")
VARIABLE = ("kind", "profile", "name", "shortcut", "type", "default", "access", "range",
            "persisted", "applies", "later", "index", "modifiers", "help")
NAME = ("kind", "profile", "name", "shortcut", "default")
FIELDS = {"command": COMMAND, "variable": VARIABLE, "name": NAME}

# What both sides say of a variable, and of a name that stands for another one.
COMPARED = ("type", "shortcut", "default", "access", "range", "persisted", "applies")


FAULTS = []


def fault(text):
    FAULTS.append(text)


def read_dump(text):
    """The lines of a dump as dictionaries."""
    rows = []
    for line in text.splitlines():
        words = line.split("\t")
        rows.append(dict(zip(FIELDS[words[0]], words, strict=True)))
    return rows


def compared(row):
    return tuple((field, row.get(field, "")) for field in COMPARED)


def of_tables(rows):
    """(profile, name) to what the tables say of it."""
    found = {}
    for row in rows:
        if row["kind"] != "command":
            kind = row if row["kind"] == "variable" else row | {"type": "name"}
            found[row["profile"], row["name"]] = compared(kind)
    return found


def of_record():
    """(profile, name) to what the record says of it."""
    found = {}
    with RECORD.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for profile in row["profiles"].split():
                if (profile, row["name"]) in found:
                    fault(f"{RECORD}: {row['name']} stands twice for {profile}")
                found[profile, row["name"]] = compared(row)
    return found


def check_record(rows):
    tables, record = of_tables(rows), of_record()
    for key in sorted(record.keys() | tables.keys()):
        where = f"{key[1]} ({key[0]})"
        if key not in tables:
            fault(f"{where}: in {RECORD}, but not in the tables")
        elif key not in record:
            fault(f"{where}: in the tables, but not in {RECORD}")
        else:
            for (field, wanted), (_, found) in zip(record[key], tables[key]):
                if wanted != found:
                    fault(f"{where}: {field} is {found!r} in the tables, "
                                f"{wanted!r} in {RECORD}")


def transcript_lines():
    """Profile and words of each command line in the transcripts."""
    for path in sorted(TRANSCRIPTS.glob("*.txt")):
        profile = "wl-1.0"
        for line in path.read_text(encoding="utf-8").splitlines():
            header = re.fullmatch(r"profile: *(\S+) *", line)
            if header:
                profile = header[1]
            elif line.startswith('>> "'):
                for raw in ast.literal_eval(line[3:]).splitlines():
                    yield profile, raw.split()
            elif line.startswith("> "):
                yield profile, line[2:].split()


def check_transcripts(rows):
    commands, variables = set(), set()
    for profile, words in transcript_lines():
        if not words:
            continue
        commands.add((profile, words[0]))
        if words[0] in ("get", "set"):
            for count in (1, 2, 3):
                variables.add((profile, " ".join(words[1:1 + count])))

    profiles = {}
    for row in rows:
        if row["kind"] == "command":
            spellings = [(commands, (row["name"], row["shortcut"], row["other"]))]
        else:
            spellings = [(variables, (row["name"],)), (variables, (row["shortcut"],))]
        for said, words in spellings:
            words = tuple(word for word in words if word)
            seen = any((row["profile"], word) in said for word in words)
            if words:
                key = row["kind"], words
                profiles[key] = profiles.get(key, False) or seen
    for (kind, words), seen in sorted(profiles.items()):
        if not seen:
            fault(f"{kind} {' = '.join(words)}: in no transcript of a profile "
                        "that has it")


def check_later(rows):
    later = {row["name"] for row in rows if row.get("later")}
    wanted = LATER.read_text(encoding="utf-8").split()
    print(f"{len(later)} variables wait for their effect")
    if wanted != [str(len(later))]:
        fault(f"{LATER} says {' '.join(wanted)}, the tables have {len(later)}")


def check_docs(dump):
    done = subprocess.run([sys.executable, "docs/generate.py", "--check", "-"], input=dump,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        fault((done.stdout + done.stderr).strip())


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    dump = subprocess.run([pathlib.Path(sys.argv[1]).resolve()], capture_output=True,
                          text=True, check=True).stdout
    rows = read_dump(dump)
    check_record(rows)
    check_transcripts(rows)
    check_later(rows)
    check_docs(dump)
    for text in FAULTS:
        print(f"tables: {text}", file=sys.stderr)
    sys.exit(1 if FAULTS else 0)


if __name__ == "__main__":
    main()
