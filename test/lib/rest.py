"""A client of the module's HTTP and REST server."""

import base64
import http.client
import json
import ssl
import urllib.parse

RESPONSE_KEYS = ["id", "code", "flags", "response"]
FLAG_COMMAND, FLAG_RESPONSE, FLAG_DATA, FLAG_QUIET = 1, 2, 4, 8


class Answer:
    """One HTTP answer, read to its end."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"HTTP {self.status}, body {self.body!r}"


class Reply:
    """The JSON object that answers a command; its form is checked."""

    def __init__(self, answer):
        if answer.status != 200:
            raise AssertionError(f"expected HTTP 200, got {answer!r}")
        pairs = json.loads(answer.body, object_pairs_hook=list)
        keys = [key for key, _ in pairs]
        if keys != RESPONSE_KEYS:
            raise AssertionError(f"expected keys {RESPONSE_KEYS}, got {keys}")
        self.id, self.code, self.flags, text = (value for _, value in pairs)
        if self.flags & FLAG_RESPONSE:
            self.body = base64.b64decode(text, validate=True)
        else:
            self.body = text.encode()
        self.text = text

    def __repr__(self):
        return f"id {self.id}, code {self.code}, flags {self.flags}, {self.body!r}"


def trusting_context():
    """TLS without a look at the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def quote(line):
    """A command as part of a URL."""
    return urllib.parse.quote(line, safe="")


class NoListener(AssertionError):
    """status.json names no web server."""


class Rest:
    """One connection, kept alive, to the listener that status.json names."""

    def __init__(self, daemon, name=None, user=None, password="", timeout=10):
        entry = daemon.listener("http", name)
        if entry is None:
            raise NoListener(daemon.stderr())
        address = entry["address"], entry["port"]
        if entry["scheme"] == "https":
            self.connection = http.client.HTTPSConnection(
                *address, timeout=timeout, context=trusting_context())
        else:
            self.connection = http.client.HTTPConnection(*address, timeout=timeout)
        self.headers = {}
        if user is not None:
            token = base64.b64encode(f"{user}:{password}".encode()).decode()
            self.headers["Authorization"] = "Basic " + token

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def request(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body, self.headers | (headers or {}))
        return Answer(self.connection.getresponse())

    def get(self, path, headers=None):
        return self.request("GET", path, None, headers)

    def post(self, path, body, content_type="application/json"):
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        headers = {} if content_type is None else {"Content-Type": content_type}
        return self.request("POST", path, body, headers)

    def command(self, line):
        """GET /command/LINE."""
        return Reply(self.get("/command/" + quote(line)))

    def send(self, line, data=None, flags=0):
        """POST /command, each part in base64 where flags asks for it."""
        if data is not None:
            data = base64.b64encode(data).decode() if flags & FLAG_DATA \
                else data.decode()
        if flags & FLAG_COMMAND:
            line = base64.b64encode(line.encode()).decode()
        body = {"flags": flags, "command": line}
        if data is not None:
            body["data"] = data
        return Reply(self.post("/command", body))

    def logs(self):
        """GET /log: the lines since the last time."""
        answer = self.get("/log")
        if answer.status != 200:
            raise AssertionError(f"expected HTTP 200, got {answer!r}")
        return answer.json()["logs"]
