"""What the tests of networks share: modules on soft APs, and the air around them."""

from lib.case import Case
from lib.control import Control
from lib.daemon import module

# Every port any free one, those that the tests serve on too.
PORTS = {"address": "127.0.0.1", "name_server": "127.0.0.1:9",
         "ports": [{"module": port, "host": 0}
                   for port in (53, 67, 80, 443, 2000, 3000, 3001)]}


class NetworkCase(Case):
    def start(self, *modules, air=None, **factory):
        """A daemon with these modules, or one; "__" stands for a dot."""
        factory = {name.replace("__", "."): value for name, value in factory.items()}
        daemon = self.daemon(list(modules) or [module(factory=factory)], network=PORTS,
                             air=air)
        self.control = Control(daemon)
        self.addCleanup(self.control.close)
        return daemon

    def air(self, words):
        answer = self.control.command("air " + words)
        self.assertNotIn("error", answer)
        return answer

    def get(self, serial, name):
        return serial.command("get " + name).decode().rstrip("\r\n")

    def joined(self, daemon, name=None, state="up", interface="wlan"):
        """Waits for the state of an interface."""
        daemon.wait_status(lambda s: s["interfaces"][interface] == state, name)
