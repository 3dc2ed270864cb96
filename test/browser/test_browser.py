"""The web server as Chromium sees it: pages, twins, passwords, another origin."""

import gzip
import http.server
import json
import pathlib
import shutil
import subprocess
import threading
import unittest

from lib.case import Case
from lib.daemon import MAC, module
from lib.node import node_module

PAGE = b"""<!doctype html><title>a page</title>
<link rel=stylesheet href=style.css><script src=script.js></script>
<body>loading</body>"""
STYLE = b"body { color: rgb(1, 2, 3) }"
SCRIPT = b"""addEventListener("load", () => { document.body.innerText = "ready"; });"""
USER, PASSWORD = "user", "secret"

# A command by POST with JSON, which a browser asks about first when it goes to another
# origin. The address and the value of Authorization are filled in.
POST = """(async () => {
    try {
        const answer = await fetch("%s/command", { method: "POST",
            headers: { "Content-Type": "application/json", Authorization: "%s" },
            body: JSON.stringify({ flags: 0, command: "get wlan.mac" }) });
        return [answer.status, (await answer.json()).response];
    } catch (error) {
        return [0, String(error)];
    }
})()"""


class Origin(http.server.BaseHTTPRequestHandler):
    """Another site, with one empty page."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>other</title><link rel=icon href=data:,>")

    def log_message(self, *_):
        pass


class Browser(Case):
    def serve(self, **factory):
        factory = {name.replace("__", "."): value for name, value in factory.items()}
        daemon = self.daemon([module(factory=factory)])
        rest = self.rest(daemon, user=USER, password=PASSWORD)
        for name, data in (("webapp/index.html", PAGE), ("favicon.ico", b"x"),
                           ("style.css.gz", gzip.compress(STYLE)), ("script.js", SCRIPT)):
            reply = rest.send(f"file_create {name} {len(data)}", data, 7)
            self.assertEqual(reply.code, 0)
        entry = daemon.listener()
        return f"{entry['scheme']}://{entry['address']}:{entry['port']}"

    def browse(self, *steps):
        done = subprocess.run(
            ["node", pathlib.Path(__file__).with_name("page.mjs"),
             node_module("playwright-core"), shutil.which("chromium"),
             json.dumps(steps)],
            capture_output=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return json.loads(done.stdout)

    def check_page(self, page):
        self.assertEqual((page["status"], page["title"], page["text"], page["color"]),
                         (200, "a page", "ready", "rgb(1, 2, 3)"), page)
        self.assertEqual(page["errors"], [])

    def test_page(self):
        for tls in (0, 1):
            url = self.serve(http__server__tls_enabled=tls)
            page, again = self.browse({"url": url + "/", "script": POST % ("", "")},
                                      {"url": url + "/"})
            self.check_page(page)
            self.check_page(again)
            self.assertEqual(page["result"], [200, MAC + "\r\n"])

    def test_page_with_a_password(self):
        for tls in (0, 1):
            url = self.serve(http__server__tls_enabled=tls, http__server__username=USER,
                             http__server__password=PASSWORD)
            refused, page = self.browse(
                {"url": url + "/"},
                {"url": url + "/", "user": USER, "password": PASSWORD})
            self.assertEqual((refused["status"], refused["text"].strip()),
                             (401, "Unauthorized"))
            self.check_page(page)

    def test_another_origin(self):
        """A POST with a preflight, with and without a password; refused when the module
        names no origin or another one."""
        other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
        self.addCleanup(other.server_close)
        threading.Thread(target=other.serve_forever, daemon=True).start()
        self.addCleanup(other.shutdown)
        origin = f"http://127.0.0.1:{other.server_port}"
        token = "Basic dXNlcjpzZWNyZXQ="
        cases = [(setting, credentials) for setting in (
            origin, "*", f"http://x.example,{origin}", "", "http://x.example")
            for credentials in ({}, {"http__server__username": USER,
                                     "http__server__password": PASSWORD})]
        steps = [{"url": origin + "/", "script": POST % (
            self.serve(http__server__cors_origin=setting, **credentials), token)}
            for setting, credentials in cases]
        for (setting, _), page in zip(cases, self.browse(*steps)):
            with self.subTest(setting):
                if "x.example" in (setting, setting[7:]) or not setting:
                    self.assertEqual(page["result"][0], 0)
                    self.assertIn("CORS", " ".join(page["errors"]))
                else:
                    self.assertEqual(page["result"], [200, MAC + "\r\n"], page)


if __name__ == "__main__":
    unittest.main()
