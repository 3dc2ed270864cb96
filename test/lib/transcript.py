"""Transcripts: command lines and the exact replies, played over each front end.

    # comment; blank lines are skipped too
    profile: wl-1.5         header lines, before the first step: profile, mac,
    factory: name=value     factory (as often as needed), only (serial, terminal, rest)
    > line                  a command line
    + "bytes"               its payload, with C escapes
    < text                  a line of the reply
    <* expression           a line of the reply that the regular expression matches
    ~ text, ~* expression   a log line that the serial port shows at this place
    = n                     the result code, when it is not 0
    >> "bytes"              raw bytes to the serial port
    << "bytes"              raw bytes that come next from the serial port
    ! restart, ! term       kill -9, or SIGTERM, and a new start on the same state

On the serial port, what surrounds a reply follows the settings that the transcript itself
makes: Console keeps them. What reboot, factory_reset and network_restart print of
themselves behind their reply is expected without being listed."""

import ast
import dataclasses
import http.client
import re
import socket

from lib.daemon import Daemon, MAC, module, wait_until
from lib.rest import FLAG_COMMAND, FLAG_DATA, FLAG_RESPONSE, Rest
from lib.serial import Channel, Closed, Mismatch, Serial

FRONTS = ("serial", "terminal", "rest")
BOOTING = {"reboot", "factory_reset", "fac"}
RESTARTING = {"network_restart", "nre"}


class TranscriptError(Exception):
    """The transcript itself is wrong."""


@dataclasses.dataclass
class Line:
    """One expected line. kind: "<" of the reply, "~" of the log."""

    kind: str
    text: bytes
    is_pattern: bool

    def matches(self, line):
        if self.is_pattern:
            return re.fullmatch(self.text, line, re.DOTALL) is not None
        return line == self.text

    def __repr__(self):
        return ("a line like " if self.is_pattern else "") + repr(self.text)


@dataclasses.dataclass
class Command:
    number: int
    line: str
    payload: bytes = None
    lines: list = dataclasses.field(default_factory=list)
    code: int = 0

    def succeeds_as(self, names):
        """Whether it is one of these commands, and expected to succeed."""
        return self.code == 0 and (self.line.split() or [""])[0].lower() in names

    def reply(self):
        return [line for line in self.lines if line.kind == "<"]


@dataclasses.dataclass
class Raw:
    number: int
    is_sent: bool
    data: bytes


@dataclasses.dataclass
class Restart:
    number: int
    kill: bool


@dataclasses.dataclass
class Transcript:
    name: str
    profile: str = "wl-1.0"
    mac: str = MAC
    only: tuple = FRONTS
    factory: dict = dataclasses.field(default_factory=dict)
    steps: list = dataclasses.field(default_factory=list)

    def fronts(self):
        return [front for front in FRONTS if front in self.only]


# Reading

def parse_bytes(text):
    """A quoted text with C escapes."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        raise TranscriptError("bytes stand in double quotes")
    try:
        return ast.literal_eval("b" + text)
    except (SyntaxError, ValueError) as error:
        raise TranscriptError(f"bad bytes: {error}") from error


def parse_header(transcript, line):
    name, colon, value = line.partition(":")
    value = value.strip()
    if not colon or not value:
        raise TranscriptError(f"unknown directive: {line}")
    if name == "factory":
        variable, equals, setting = value.partition("=")
        if not equals:
            raise TranscriptError("factory takes name=value")
        transcript.factory[variable.strip()] = setting.strip()
    elif name == "only":
        transcript.only = tuple(value.split())
        if not set(transcript.only) <= set(FRONTS):
            raise TranscriptError(f"only takes some of {', '.join(FRONTS)}")
    elif name in ("profile", "mac"):
        setattr(transcript, name, value)
    else:
        raise TranscriptError(f"unknown header: {name}")


def parse_expected(sign, text):
    pattern = sign.endswith("*")
    if pattern:
        try:
            re.compile(text)
        except re.error as error:
            raise TranscriptError(f"bad expression: {error}") from error
    return Line(sign[0], text.encode(), pattern)


def parse_step(transcript, number, sign, text):
    steps = transcript.steps
    if sign == ">":
        steps.append(Command(number, text))
    elif sign in (">>", "<<"):
        steps.append(Raw(number, sign == ">>", parse_bytes(text)))
    elif sign == "!":
        if text not in ("restart", "term"):
            raise TranscriptError(f"unknown word: {text}")
        steps.append(Restart(number, text == "restart"))
    elif not steps or not isinstance(steps[-1], Command):
        raise TranscriptError(f"{sign} stands behind a command")
    elif sign == "+":
        steps[-1].payload = parse_bytes(text)
    elif sign == "=":
        if not re.fullmatch("[1-9]", text):
            raise TranscriptError("= takes a result code from 1 to 9")
        steps[-1].code = int(text)
    else:
        steps[-1].lines.append(parse_expected(sign, text))


def parse(name, text):
    """A Transcript; TranscriptError names the line that is wrong."""
    transcript = Transcript(name)
    for number, line in enumerate(text.splitlines(), 1):
        try:
            if not line.strip() or line.startswith("#"):
                continue
            match = re.fullmatch(r"(>>|>|<<|<\*|<|\+|~\*|~|=|!)(?: (.*))?", line)
            if match:
                parse_step(transcript, number, match[1], match[2] or "")
            elif transcript.steps:
                raise TranscriptError(f"unknown directive: {line}")
            else:
                parse_header(transcript, line)
        except TranscriptError as error:
            raise TranscriptError(f"{name}:{number}: {error}") from error
    if not transcript.steps:
        raise TranscriptError(f"{name}: no steps")
    if transcript.only != ("serial",):
        for step in transcript.steps:
            if isinstance(step, Raw):
                raise TranscriptError(
                    f"{name}:{step.number}: raw bytes need the header only: serial")
    return transcript


# What the transcript has set so far

SWITCHES = {
    "system.cmd.echo": "echo", "sy c e": "echo",
    "system.cmd.header_enabled": "header", "sy c h": "header",
    "system.cmd.prompt_enabled": "prompt", "sy c p": "prompt",
    "http.server.enabled": "http", "ht s e": "http",
    "wlan.auto_join.enabled": "joined", "wl o e": "joined",
}
STYLES = ("system.cmd.mode", "sy c m", "system.cmd.format", "sy c f")
LEVELS = ("system.print_level", "sy p")
CREDENTIALS = ("http.server.username", "http.server.password")
NAMES = (*SWITCHES, *STYLES, *LEVELS)


@dataclasses.dataclass
class Console:
    """The settings that shape what the serial port shows."""

    echo: bool = True
    header: bool = False
    prompt: bool = True
    level: int = 5
    http: bool = True
    joined: bool = True

    def set(self, name, value):
        value = value.strip('"').lower()
        if name in SWITCHES:
            setattr(self, SWITCHES[name], value in ("1", "on", "true"))
        elif name in LEVELS:
            self.level = 5 if value == "all" else int(value, 0)
        elif name in STYLES:
            human = value == "human"
            self.echo = self.prompt = human
            self.header = not human
            self.level = 5 if human else 0

    @classmethod
    def of_factory(cls, factory):
        console = cls()
        for name, value in factory.items():
            console.set(name, value)
        return console


class ConsoleStates:
    """The settings now, those that save kept, and the factory's."""

    def __init__(self, factory):
        self.factory = Console.of_factory(factory)
        self.saved = dataclasses.replace(self.factory)
        self.now = dataclasses.replace(self.factory)

    def follow(self, line):
        """Takes in a command that succeeded."""
        words = line.split()
        verb = words[0].lower() if words else ""
        if verb == "set":
            self._follow_set(words[1:])
        elif verb == "save":
            self.saved = dataclasses.replace(self.now)
        elif verb in ("factory_reset", "fac"):
            self.saved = dataclasses.replace(self.factory)
            self.boot()
        elif verb in ("reboot", "load"):
            self.boot()

    def boot(self):
        self.now = dataclasses.replace(self.saved)

    def _follow_set(self, words):
        for name in NAMES:
            parts = name.split()
            if [word.lower() for word in words[:-1]] == parts:
                self.now.set(name, words[-1])


# Comparing

def check_lines(expected, actual):
    """Mismatch unless each line matches and none is missing or left over."""
    for position, line in enumerate(expected):
        if position >= len(actual):
            raise Mismatch(f"expected {line!r}\n     got no more lines")
        if not line.matches(actual[position]):
            raise Mismatch(f"expected {line!r}\n     got {actual[position]!r}")
    if len(actual) > len(expected):
        raise Mismatch(f"expected no more lines\n     got {actual[len(expected)]!r}")


def check_code(expected, actual):
    if expected != actual:
        raise Mismatch(f"expected result code {expected}\n     got {actual}")


def split_body(body):
    """The lines of a body, each of which ends in CRLF."""
    if body and not body.endswith(b"\r\n"):
        raise Mismatch(f"expected CRLF at the end\n     got {body!r}")
    return body.split(b"\r\n")[:-1]


def check_reply(step, body, code):
    """The body and code of a reply against a Command."""
    check_lines(step.reply(), split_body(body))
    check_code(step.code, code)


class SerialFront:
    """Plays steps on a Channel. reopen gives the one after a restart."""

    def __init__(self, channel, states, reopen=None):
        self.channel = channel
        self.states = states
        self.reopen = reopen
        self.is_joined = False
        self.start()

    def start(self):
        self.boot_output()

    def services_restarted(self):
        self.channel.restart_output(**dataclasses.asdict(self.states.now))

    def close(self):
        rest = self.channel.pending()
        self.channel.close()
        if rest:
            raise Mismatch(f"expected nothing more\n     got {rest!r}")

    def boot_output(self):
        self.channel.boot_output(was_joined=self.is_joined,
                                 **dataclasses.asdict(self.states.now))
        self.is_joined = self.states.now.joined

    def log_line(self, expected):
        pattern = expected.text if expected.is_pattern else re.escape(expected.text)
        self.channel.log_line(pattern, self.states.now.header)

    def reply_line(self, expected):
        if expected.is_pattern:
            self.channel.match_line(expected.text)
        else:
            self.channel.expect(expected.text + b"\r\n")

    def command(self, step):
        line = step.line.encode()
        self.channel.send(line + b"\r\n" + (step.payload or b""))
        if self.states.now.echo:
            self.channel.expect(line + b"\r\n")
        booting = step.succeeds_as(BOOTING)
        if step.code == 0 and not booting:
            self.states.follow(step.line)
        if self.states.now.header:
            for expected in step.lines:
                if expected.kind == "~":
                    self.log_line(expected)
            kind, code, body = self.channel.frame()
            if kind != "R":
                raise Mismatch(f"expected an R frame\n     got {kind}{code} {body!r}")
            check_reply(step, body, code)
        else:
            for expected in step.lines:
                self.reply_line(expected)
        if booting:
            self.states.follow(step.line)
            self.boot_output()
        else:
            if self.states.now.prompt:
                self.channel.expect(b"> ")
            if step.succeeds_as(RESTARTING):
                self.services_restarted()

    def raw(self, step):
        if step.is_sent:
            self.channel.send(step.data)
        else:
            self.channel.expect(step.data)

    def restart(self, _step):
        self.channel.close()
        self.states.boot()
        self.is_joined = False
        self.channel = self.reopen()
        self.boot_output()


class TerminalFront(SerialFront):
    """The same over the remote terminal, whose connection ends with each boot."""

    def start(self):
        self.welcome()

    def welcome(self):
        console = self.states.now
        if console.level >= 1:
            self.channel.log_line(rb"\[.*Ready\]", console.header)
        if console.prompt:
            self.channel.expect(b"> ")

    def boot_output(self):
        """The connection ends, and a new one is greeted."""
        try:
            while True:
                if not self.channel.fill(self.channel.timeout):
                    raise Mismatch("expected the end of the connection")
        except Closed:
            if self.channel.buffer:
                raise
        self.channel.close()
        self.channel = self.reopen()
        self.welcome()

    services_restarted = boot_output

    def restart(self, _step):
        self.channel.close()
        self.states.boot()
        self.channel = self.reopen()
        self.welcome()


class RestFront:
    """Plays steps as HTTP requests, with the name and password that are set."""

    def __init__(self, daemon, factory):
        self.daemon = daemon
        self.credentials = {name: factory.get(name, "") for name in CREDENTIALS}
        self.saved = dict(self.credentials)
        self.rest = self.connect()

    def connect(self, **settings):
        user, password = self.credentials.values()
        return Rest(self.daemon, user=user, password=password, **settings)

    def close(self):
        self.rest.close()

    def follow(self, line):
        """Takes in a command that succeeded; the module asks for both at once."""
        verb, name, value = (line.split(None, 2) + ["", "", ""])[:3]
        if verb.lower() == "save":
            self.saved = dict(self.credentials)
        elif verb.lower() == "set" and name in self.credentials:
            self.credentials[name] = value.strip('"')
            self.rest.close()
            self.rest = self.connect()

    def command(self, step):
        if step.payload is None:
            reply = self.rest.command(step.line)
        else:
            reply = self.rest.send(step.line, step.payload,
                                   FLAG_COMMAND | FLAG_RESPONSE | FLAG_DATA)
        check_reply(step, reply.body, reply.code)
        if step.code == 0:
            self.follow(step.line)
        if step.succeeds_as(BOOTING):
            self.credentials = dict(self.saved)
            # A new boot numbers its replies from 1 again.
            self.wait_answer(lambda new: new.id <= reply.id)
        elif step.succeeds_as(RESTARTING):
            self.wait_answer(lambda new: True)

    def wait_answer(self, is_new):
        """Waits until the web server, which has just gone, answers again."""
        def answered():
            try:
                self.rest.close()
                self.rest = self.connect(timeout=2)
                return is_new(self.rest.command("version"))
            except (OSError, AssertionError, ValueError, http.client.HTTPException):
                return False
        wait_until(answered, 20, "the web server")

    def restart(self, _step):
        self.credentials = dict(self.saved)
        self.rest.close()
        self.rest = self.connect()


# Playing

def play_steps(transcript, front, restart):
    """Each step in turn; a Mismatch says which one."""
    for step in transcript.steps:
        try:
            if isinstance(step, Command):
                front.command(step)
            elif isinstance(step, Raw):
                front.raw(step)
            else:
                restart(step)
                front.restart(step)
        except AssertionError as error:
            shown = f"> {step.line}" if isinstance(step, Command) else step
            raise Mismatch(
                f"{transcript.name}:{step.number}: {shown}\n{error}") from error


def terminal(daemon):
    """A Channel to the remote terminal, which may be about to start."""
    def connected():
        entry = daemon.listener("remote_terminal")
        try:
            return socket.create_connection((entry["address"], entry["port"]), 5)
        except (OSError, TypeError):
            return None
    return Channel(wait_until(connected, what="the remote terminal").detach())


def play(transcript, front_name):
    """Plays a transcript on a daemon of its own."""
    factory = dict(transcript.factory)
    if front_name == "terminal":
        factory["remote_terminal.enabled"] = "1"
    daemon = Daemon([module(profile=transcript.profile, mac=transcript.mac,
                            factory=factory)])
    try:
        if front_name == "terminal":
            front = TerminalFront(terminal(daemon), ConsoleStates(transcript.factory),
                                  lambda: terminal(daemon))
        elif front_name == "serial":
            front = SerialFront(Serial(daemon.serial_path()),
                                ConsoleStates(transcript.factory),
                                lambda: Serial(daemon.serial_path()))
        else:
            front = RestFront(daemon, transcript.factory)
        play_steps(transcript, front, lambda step: daemon.restart(step.kill))
        front.close()
    except AssertionError as error:
        log = daemon.stderr()
        raise Mismatch(f"{error}\nlog of the daemon:\n{log}") from error
    finally:
        daemon.close()
