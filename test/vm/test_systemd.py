"""The shipped unit under a systemd that is the first process."""

import grp
import os
import pathlib
import pwd
import signal
import socket
import stat
import subprocess

from integration.test_streams_dns import answer
from lib.background import HOST, DatagramServer
from lib.daemon import MAC, module, wait_until
from lib.namespaces import Namespace
from lib.serial import Serial
from lib.unit import (CONFIGURATION, RUNTIME, STATE, Failed, ServiceCase, as_user,
                      run)

# What a host does that has the group of the serial ports and nothing else.
ASK = """
import os, select, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
os.write(fd, b"ver\\r\\n")
text = b""
while b"ZENTRI-AMW007" not in text.split(b"ver\\r\\n")[-1]:
    assert select.select([fd], [], [], 10)[0]
    text += os.read(fd, 4096)
"""
MAC_REPLY = MAC.encode() + b"\r\n"


def status_of(pid):
    """/proc/PID/status: its fields by their names."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in
            (line.partition(":") for line in lines)}


class Start(ServiceCase):
    def test_as_shipped(self):
        """Started means ready, for a module that has booted and has its pty."""
        service = self.start()
        self.assertEqual(service.show("ActiveState"), "active")
        self.assertTrue(stat.S_ISCHR(os.stat(RUNTIME / "zentri/serial").st_mode))
        service.wait_up()
        self.assertEqual(self.rest(service).command("get wlan.ssid").body,
                         b"zentri-lab\r\n")

    def test_a_wrong_configuration(self):
        CONFIGURATION.write_text("modules = ( { } );\n")
        with self.assertRaises(Failed) as caught:
            self.start()
        self.assertIn("zentrid.conf:1: modules", str(caught.exception))

    def test_user(self):
        """A user of its own with no privileges, and what belongs to it."""
        service = self.start()
        status = status_of(service.pid)
        user = pwd.getpwnam("zentrid").pw_uid
        self.assertEqual(status["Uid"].split(), [str(user)] * 4)
        self.assertNotEqual(user, 0)
        self.assertIn(str(grp.getgrnam("dialout").gr_gid), status["Groups"].split())
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(status[name], 16), 0, name)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        for path, mode in ((STATE, 0o700), (RUNTIME, 0o755)):
            entry = path.stat()
            self.assertEqual((entry.st_uid, stat.S_IMODE(entry.st_mode)), (user, mode))

    def test_who_may_open_the_pty(self):
        """The group dialout, and nobody else."""
        service = self.start()
        path = service.serial_path()
        entry = os.stat(path)
        self.assertEqual((stat.S_IMODE(entry.st_mode), grp.getgrgid(entry.st_gid).gr_name),
                         (0o660, "dialout"))
        link = str(RUNTIME / "zentri/serial")
        as_user("nobody", ["dialout"], "python3", "-c", ASK, link)
        with self.assertRaises(Failed) as caught:
            as_user("nobody", [], "python3", "-c", ASK, link)
        self.assertIn("PermissionError", str(caught.exception))
        as_user("nobody", [], "cat", RUNTIME / "zentri/status.json")

    def test_journal(self):
        """Each line has its own priority, and no header beside it."""
        self.configure()
        service = self.start().wait_up()
        text = CONFIGURATION.read_text()
        CONFIGURATION.write_text(text.replace(MAC, MAC[:-2] + "00"))
        service.control("reload")
        wait_until(lambda: (4, "zentri: mac needs a restart to change")
                   in service.journal(), what="the warning")
        lines = service.journal()
        self.assertEqual([priority for priority, text in lines
                          if text.startswith("configuration: reread;")], [5])
        self.assertEqual([text for _, text in lines if text.startswith(("<", "zentrid:"))],
                         [])


class Life(ServiceCase):
    def save(self, service, text):
        rest = self.rest(service)
        self.assertEqual(rest.command(f"set wlan.ssid {text}").code, 0)
        self.assertEqual(rest.command("save").code, 0)

    def ssid(self, service):
        with Serial(service.serial_path()) as serial:
            serial.send(b"\r\nget wlan.ssid\r\n")
            serial.read_until(b"get wlan.ssid\r\n")
            return serial.read_line()

    def test_reload(self):
        self.configure()
        service = self.start().wait_up()
        pid = service.pid
        text = CONFIGURATION.read_text()
        CONFIGURATION.write_text(text.replace("zentri-lab", "elsewhere"))
        service.control("reload")
        self.assertIn("air needs a restart to change",
                      "".join(text for _, text in service.journal()))
        CONFIGURATION.write_text("nonsense")
        service.control("reload")
        self.assertEqual((service.pid, service.show("ActiveState")), (pid, "active"))
        self.assertEqual(self.rest(service).command("get wlan.mac").body, MAC_REPLY)

    def test_stop_and_restart(self):
        """What was saved comes back, and the end is an orderly one."""
        service = self.start().wait_up()
        self.save(service, "kept")
        service.control("stop")
        self.assertEqual((service.show("ActiveState"), service.show("Result"),
                          service.show("ExecMainStatus")), ("inactive", "success", "0"))
        self.assertFalse(RUNTIME.exists())
        service.control("start")
        self.assertEqual(self.ssid(service), b"kept")
        service.control("restart")
        self.assertEqual(self.ssid(service), b"kept")

    def test_crash(self):
        """Killed, it is started again by itself, with what was saved."""
        service = self.start().wait_up()
        self.save(service, "kept")
        pid = service.pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: service.show("NRestarts") == "1"
                   and service.show("ActiveState") == "active", 20, "the restart")
        self.assertNotIn(service.pid, (0, pid))
        self.assertEqual(self.ssid(service), b"kept")


class Sandbox(ServiceCase):
    """What the restrictions of the unit must not take away."""

    def test_serial_port(self):
        """A UART of this host, which belongs to the group dialout as udev has it."""
        near, far = "/dev/ttyS2", "/dev/ttyS3"
        os.chown(near, 0, grp.getgrnam("dialout").gr_gid)
        os.chmod(near, 0o660)
        self.configure([module(serial={"device": near})])
        host = Serial(far)
        self.addCleanup(host.close)
        service = self.start()
        host.boot_output()
        self.assertEqual(host.command("get wlan.mac"), MAC_REPLY)
        self.assertEqual(service.serial_path(), near)

    def test_files(self):
        self.configure()
        service = self.start().wait_up()
        rest = self.rest(service)
        self.assertEqual(rest.send("file_create page.html 5", b"hello", 7).code, 0)
        service.control("restart")
        service.wait_up()
        self.assertEqual(self.rest(service).get("/page.html").body, b"hello")
        self.assertEqual(self.rest(service).command("file_delete page.html").code, 0)

    def test_tls(self):
        self.configure([module(factory={"http.server.tls_enabled": "1"})])
        service = self.start().wait_up()
        self.assertEqual(service.listener()["scheme"], "https")
        self.assertEqual(self.rest(service).command("get wlan.mac").body, MAC_REPLY)

    def test_names_and_sockets(self):
        """A name server, a TCP connection, and an echo, where the kernel lets groups send
        those, as systemd's own settings have it."""
        server = DatagramServer(self, lambda _, question: [answer(question, HOST)])
        listener = socket.create_server((HOST, 0))
        self.addCleanup(listener.close)
        self.configure(network={"address": HOST, "name_server": server.address,
                                "ports": [{"module": 80, "host": 0}]})
        service = self.start().wait_up()
        reply = self.rest(service).command(
            f"tcp_client peer.test {listener.getsockname()[1]}")
        self.assertEqual(reply.code, 0, reply)
        listener.accept()[0].close()
        pathlib.Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 2147483647")
        self.assertRegex(self.rest(service).command("ping 127.0.0.1").body,
                         rb"Ping reply in \d+ms")


class Interfaces(ServiceCase):
    """The drop-in for real interfaces."""

    def test_cable(self):
        """A lease, and the module's own ports, over a pair of virtual cables."""
        far = Namespace()
        self.addCleanup(far.close)
        run("ip", "link", "add", "wlan0", "type", "veth", "peer", "name", "cable0",
            "netns", far.pid)
        self.addCleanup(run, "ip", "link", "delete", "wlan0")
        run("ip", "link", "set", "wlan0", "up")
        far.ip("link", "set", "cable0", "up")
        far.ip("address", "add", "192.168.60.1/24", "dev", "cable0")
        server = far.start("dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0",
                           "--bind-interfaces", "--interface=cable0", "--leasefile-ro",
                           "--dhcp-range=192.168.60.10,192.168.60.10,255.255.255.0,1h",
                           "--dhcp-authoritative", "--user=root", stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        self.configure([module(joined=False, factory={
            "wlan.auto_join.enabled": "1", "remote_terminal.enabled": "1"})],
            {"backend": "interface", "wlan": "wlan0"})
        shipped = pathlib.Path("/usr/local/share/zentrid/zentrid-interfaces.conf")
        self.drop_in("interfaces.conf", shipped.read_text())
        service = self.start()
        wait_until(lambda: service.status()["interfaces"]["wlan"] == "up", 30,
                   "the lease\n" + service.journal_text())
        address = run("ip", "-4", "-o", "address", "show", "dev", "wlan0")
        self.assertIn("192.168.60.10/24", address)
        wait_until(lambda: service.listener() is not None, 10, "the web server")
        self.assertIn("200 OK", far.run(
            "curl", "--silent", "--include", "http://192.168.60.10/command/ver"))
        with Serial(service.serial_path()) as serial:
            serial.read_until(b"[Associated]\r\n")
            self.assertRegex(serial.command("ping 192.168.60.1"),
                             rb"\APing reply in \d+ms")
        user = status_of(service.pid)
        self.assertNotEqual(user["Uid"].split()[0], "0")
        service.control("stop")
        self.assertEqual(run("ip", "-4", "-o", "address", "show", "dev", "wlan0"), "")
