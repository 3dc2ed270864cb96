"""Real Wi-Fi between radios that the kernel simulates (mac80211_hwsim), with the programs
that look after Wi-Fi elsewhere: hostapd, wpa_supplicant, dnsmasq, udhcpc.

Each radio lives in a network namespace of its own, so that nothing goes over the loopback
interface. For the virtual machine: it takes a kernel with these radios, and root."""

import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

from lib.daemon import wait_until

RADIOS = 4


def run(*command, **settings):
    """Runs a program to its end; its output."""
    result = subprocess.run(list(map(str, command)), capture_output=True, check=False,
                            timeout=60, **settings)
    if result.returncode != 0:
        raise AssertionError(f"{command}: status {result.returncode}: "
                             + (result.stdout + result.stderr).decode())
    return result.stdout.decode()


def load():
    """Fresh radios, wlan0 and so on, each free."""
    run("modprobe", "-r", "mac80211_hwsim")
    run("modprobe", "mac80211_hwsim", f"radios={RADIOS}")
    wait_until(lambda: pathlib.Path(f"/sys/class/net/wlan{RADIOS - 1}").exists(),
               what="the radios")


class Place:
    """A network namespace with one radio and what runs there."""

    def __init__(self, case, radio):
        self.name, self.interface = f"place{radio}", f"wlan{radio}"
        self.case, self.directory = case, pathlib.Path(tempfile.mkdtemp(prefix="wifi-"))
        self.prefix = ["ip", "netns", "exec", self.name]
        run("ip", "netns", "add", self.name)
        case.addCleanup(self.close)
        index = pathlib.Path(f"/sys/class/net/{self.interface}/phy80211/index").read_text()
        run("iw", "phy", f"phy{index.strip()}", "set", "netns", "name", self.name)
        self.run("ip", "link", "set", "lo", "up")
        self.mac = self.run("cat", f"/sys/class/net/{self.interface}/address").strip()

    def add_interface(self, name):
        """Another interface of the same radio, for an access point beside the station."""
        self.run("iw", "dev", self.interface, "interface", "add", name, "type", "__ap")

    def close(self):
        index = self.run("cat", f"/sys/class/net/{self.interface}/phy80211/index").strip()
        self.run("iw", "phy", f"phy{index}", "set", "netns", "1")
        run("ip", "netns", "delete", self.name)
        shutil.rmtree(self.directory)

    def run(self, *command, **settings):
        return run(*self.prefix, *command, **settings)

    def start(self, *command, log):
        """A program that ends with the test; log: the name of its output."""
        output = open(self.directory / f"{log}.log", "ab")
        process = subprocess.Popen([*self.prefix, "stdbuf", "-oL", *map(str, command)],
                                   stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT)
        output.close()
        self.case.addCleanup(self.end, process)
        return process

    def end(self, process, number=signal.SIGTERM):
        if process.poll() is None:
            process.send_signal(number)
        process.wait()

    def log(self, name):
        return (self.directory / f"{name}.log").read_text(errors="backslashreplace")

    def wait_log(self, name, text, timeout=30):
        try:
            wait_until(lambda: text in self.log(name), timeout, repr(text))
        except AssertionError as error:
            raise AssertionError(f"{error} in {name}:\n{self.log(name)}") from None

    def address(self):
        """The IPv4 address of the interface, or None."""
        words = self.run("ip", "-4", "-o", "address", "show", self.interface).split()
        return words[words.index("inet") + 1] if "inet" in words else None

    # hostapd

    def hostapd(self, *lines, interface=None):
        """An access point with these lines of hostapd.conf."""
        path = self.directory / "hostapd.conf"
        path.write_text("\n".join([f"interface={interface or self.interface}",
                                   "driver=nl80211",
                                   f"ctrl_interface={self.directory / 'hostapd'}",
                                   "hw_mode=g", *lines]) + "\n")
        self.ap = self.start("hostapd", path, log="hostapd")
        self.wait_log("hostapd", "AP-ENABLED")
        return self.ap

    def access_point(self, ssid, passphrase=None, channel=6, security=(), more=(),
                     address="192.168.50.1"):
        """An access point and its server of addresses."""
        lines = [f"ssid2={ssid.hex() if isinstance(ssid, bytes) else ssid.encode().hex()}",
                 f"channel={channel}"]
        if passphrase is not None:
            lines += [f"wpa_passphrase={passphrase}"]
            lines += security or ["wpa=2", "wpa_key_mgmt=WPA-PSK", "rsn_pairwise=CCMP"]
        process = self.hostapd(*lines, *more)
        if self.address() is None:
            self.run("ip", "address", "add", f"{address}/24", "dev", self.interface)
            net = address.rpartition(".")[0]
            self.start("dnsmasq", "--no-daemon", "--conf-file=/dev/null",
                       "--bind-interfaces", f"--interface={self.interface}", "--no-resolv",
                       "--no-hosts", "--dhcp-authoritative",
                       f"--dhcp-leasefile={self.directory}/leases",
                       f"--dhcp-range={net}.20,{net}.29,255.255.255.0,1h", log="dnsmasq")
            self.wait_log("dnsmasq", "started")
        return process

    def ask_hostapd(self, *words):
        return self.run("hostapd_cli", "-p", self.directory / "hostapd", "-i",
                        self.interface, *words)

    # wpa_supplicant

    def supplicant(self, text=""):
        """wpa_supplicant, which has no network in its configuration unless the text says
        so; the directory of its sockets."""
        sockets = self.directory / "wpa"
        path = self.directory / "wpa_supplicant.conf"
        path.write_text(f"ctrl_interface={sockets}\n{text}")
        socket = pathlib.Path(sockets, self.interface)
        socket.unlink(missing_ok=True)  # of one that was killed
        self.wpa = self.start("wpa_supplicant", "-Dnl80211", f"-i{self.interface}",
                              f"-c{path}", log="wpa_supplicant")
        wait_until(socket.exists, 30, "wpa_supplicant")
        return sockets

    def ask_supplicant(self, *words):
        return self.run("wpa_cli", "-p", self.directory / "wpa", "-i", self.interface,
                        *words)

    def join(self, ssid, passphrase=None, timeout=60):
        """A client, such as a phone: joins and gets an address, which is returned."""
        key = f'psk="{passphrase}"' if passphrase else "key_mgmt=NONE"
        self.supplicant(f'network={{\nssid="{ssid}"\nscan_ssid=1\n{key}\n}}\n')
        wait_until(lambda: "wpa_state=COMPLETED" in self.ask_supplicant("status"), timeout,
                   f"{ssid} to be joined")
        script = self.directory / "udhcpc.sh"
        script.write_text('#!/bin/sh\n[ "$1" = bound ] && '
                          'ip address add "$ip/$mask" dev "$interface"\nexit 0\n')
        script.chmod(0o755)
        self.start("udhcpc", "-f", "-i", self.interface, "-s", script, log="udhcpc")
        return wait_until(self.address, timeout, "an address").partition("/")[0]


def field(text, pattern):
    """The first group of the first match, or None."""
    found = re.search(pattern, text, re.MULTILINE)
    return found and found[1]
