"""The programs that people use: curl, openssl, screen, tmux, systemd-analyze, make."""

import json
import os
import shlex
import subprocess
import tempfile

from lib.case import Case
from lib.daemon import MAC, ROOT, build_directory, wait_until


def run(*command, check=True, timeout=60, **settings):
    done = subprocess.run([str(word) for word in command], capture_output=True,
                          text=True, timeout=timeout, check=False, **settings)
    if check and done.returncode != 0:
        raise AssertionError(f"{shlex.join(map(str, command))}: status "
                             f"{done.returncode}\n{done.stdout}{done.stderr}")
    return done


class Curl(Case):
    def url(self, daemon):
        entry = daemon.listener()
        return f"{entry['scheme']}://{entry['address']}:{entry['port']}"

    def curl(self, *arguments):
        return run("curl", "-sS", "--noproxy", "*", "--max-time", "20", *arguments).stdout

    def test_get(self):
        url = self.url(self.daemon())
        answer = json.loads(self.curl(f"{url}/command/get%20wlan.mac"))
        self.assertEqual(answer, {"id": 1, "code": 0, "flags": 0,
                                  "response": MAC + "\r\n"})

    def test_post_with_flags_7(self):
        url = self.url(self.daemon())
        body = '{"flags":7,"command":"Z2V0IHdsYW4ubWFj","data":""}'
        answer = json.loads(self.curl("-d", body, f"{url}/command"))
        self.assertEqual(answer["response"], "NEM6NTU6Q0M6MTA6MDk6NDINCg==")

    def test_https(self):
        url = self.url(self.with_factory(http__server__tls_enabled=1))
        self.assertTrue(url.startswith("https:"))
        answer = json.loads(self.curl("-k", f"{url}/command/get%20wlan.mac"))
        self.assertEqual(answer["response"], MAC + "\r\n")
        refused = run("curl", "-sS", "--noproxy", "*", f"{url}/command/ver", check=False)
        self.assertEqual(refused.returncode, 60)  # a certificate of its own making

    def test_authorization(self):
        url = self.url(self.with_factory(http__server__username="user",
                                         http__server__password="secret"))
        status = ("-o", "/dev/null", "-w", "%{http_code}", f"{url}/command/ver")
        self.assertEqual(self.curl(*status), "401")
        self.assertEqual(self.curl("-u", "user:secret", *status), "200")

    def test_log_and_keep_alive(self):
        url = self.url(self.daemon())
        out = self.curl("-w", " %{num_connects}\n", f"{url}/log", f"{url}/log")
        first, second = out.splitlines()
        self.assertTrue(first.startswith('{"logs":["[Ready]",'), first)
        self.assertEqual(second, '{"logs":[]} 0')

    def test_large_upload_with_expect(self):
        url = self.url(self.daemon())
        body = json.dumps({"command": "get wlan.mac", "data": "x" * 30000})
        answer = run("curl", "-sS", "--noproxy", "*", "-d", "@-", f"{url}/command",
                     input=body).stdout
        self.assertEqual(json.loads(answer)["response"], MAC + "\r\n")


class Openssl(Case):
    def test_s_client(self):
        daemon = self.with_factory(http__server__tls_enabled=1)
        entry = daemon.listener()
        request = "GET /command/get%20wlan.mac HTTP/1.0\r\n\r\n"
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version):
                done = run("openssl", "s_client", "-quiet", version, "-connect",
                           f"{entry['address']}:{entry['port']}", input=request)
                self.assertIn(MAC, done.stdout)

    def fingerprint(self, daemon):
        entry = daemon.listener()
        shown = run("openssl", "s_client", "-connect",
                    f"{entry['address']}:{entry['port']}", input="").stdout
        return run("openssl", "x509", "-noout", "-fingerprint", "-sha256", "-subject",
                   "-dates", input=shown).stdout

    def test_certificate_after_restart(self):
        daemon = self.with_factory(http__server__tls_enabled=1)
        first = self.fingerprint(daemon)
        self.assertIn("Fingerprint=", first)
        daemon.restart(kill=True)
        self.assertEqual(self.fingerprint(daemon), first)


class Terminal(Case):
    """A person at a terminal program: screen, which runs in tmux to have a terminal."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="zentrid-")
        self.addCleanup(run, "rm", "-rf", self.directory)
        self.socket = os.path.join(self.directory, "tmux")
        self.environment = os.environ | {"SCREENDIR": self.directory, "TERM": "xterm",
                                         "LC_ALL": "C.UTF-8"}
        os.chmod(self.directory, 0o700)

    def tmux(self, *arguments, check=True):
        return run("tmux", "-S", self.socket, "-f", "/dev/null", *arguments,
                   check=check, env=self.environment).stdout

    def shows(self, text):
        screen = []

        def shown():
            screen[:] = [self.tmux("capture-pane", "-p", check=False)]
            return text in screen[0]
        try:
            wait_until(shown, 20, repr(text))
        except AssertionError as error:
            raise AssertionError(f"{error}\n{screen[0]}") from error

    def test_screen_in_tmux(self):
        daemon = self.daemon()
        self.tmux("new-session", "-d", "-x", "120", "-y", "30",
                  f"screen {shlex.quote(daemon.serial_path())} 115200")
        self.addCleanup(self.tmux, "kill-server", check=False)
        self.tmux("send-keys", "ver", "Enter")  # screen drops what came before it
        self.shows("Board:N/A\n>")
        self.tmux("send-keys", "get wlan.max", "BSpace", "c", "Enter")
        self.shows(f"get wlan.mac\n{MAC}\n>")
        self.tmux("send-keys", "Up", "Enter")
        self.shows(f"{MAC}\n> get wlan.mac\n{MAC}\n>")
        self.tmux("send-keys", 'set network.tls.client_key "my net"', "Home", "Delete", "s", "Enter")
        self.shows("Set OK")
        self.tmux("kill-server")
        self.assertEqual(self.rest(daemon).command("get network.tls.client_key").body, b"my net\r\n")


class Install(Case):
    def setUp(self):
        directory = tempfile.mkdtemp(prefix="zentrid-")
        self.addCleanup(run, "rm", "-rf", directory)
        self.directory = directory

    def make_install(self, *settings):
        """From the tree under test, which is up to date, so nothing is compiled."""
        build = build_directory()
        sanitized = ["SAN=1"] if build.name == "san" else []
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
        run("make", "-C", ROOT, *sanitized, f"O={os.path.relpath(build, ROOT)}",
            "install", *settings, env=environment, timeout=120)

    def files(self):
        return sorted(os.path.relpath(os.path.join(at, name), self.directory)
                      for at, _, names in os.walk(self.directory) for name in names)

    def test_destdir(self):
        self.make_install(f"DESTDIR={self.directory}")
        self.assertEqual(self.files(), [
            "etc/zentrid.conf",
            "usr/local/lib/systemd/system/zentrid.service",
            "usr/local/sbin/zentrid",
            "usr/local/share/man/man5/zentrid.conf.5",
            "usr/local/share/man/man8/zentrid.8",
            "usr/local/share/zentrid/zentrid-interfaces.conf",
            "usr/local/share/zentrid/zentrid-wifi.conf"])
        unit = f"{self.directory}/usr/local/lib/systemd/system/zentrid.service"
        with open(unit, encoding="utf-8") as text:
            content = text.read()
        self.assertNotIn("@", content.replace("@system-service", ""))
        self.assertIn("ExecStart=/usr/local/sbin/zentrid ", content)

    def test_unit_file(self):
        """Installed where it says it is, systemd has nothing to say against it."""
        self.make_install(f"PREFIX={self.directory}/usr",
                          f"SYSCONFDIR={self.directory}/etc")
        done = run("systemd-analyze", "verify", "--man=no",
                   f"{self.directory}/usr/lib/systemd/system/zentrid.service")
        self.assertEqual(done.stdout + done.stderr, "")
        done = run(f"{self.directory}/usr/sbin/zentrid", "-t", "-c",
                   f"{self.directory}/etc/zentrid.conf")
        self.assertEqual(done.stderr, "")
