"""system.powersave.mode: what is done again and again is done for all modules at once."""

import select

from lib.control import Control
from lib.daemon import module
from lib.network import NetworkCase

NAMES = {"a": "4C:55:CC:10:09:42", "b": "4C:55:CC:10:09:43"}
LAMP = 4  # of the network: it blinks while that is up
HALF_US = 500000  # of its blink
APART_US = 50000
BLINKS = 3
TRIES = 2


class PowersaveTest(NetworkCase):
    def distance_us(self, mode):
        """Between the moments at which the lamps of two modules change, the one of which
        joins its network between two changes of the other's."""
        daemon = self.start(*(module(name, profile="wz-3", mac=mac, factory={
            "http.server.enabled": "0", "system.powersave.mode": mode,
            "wlan.auto_join.enabled": str(int(name == "a"))})
            for name, mac in NAMES.items()))
        watches = {}
        for name in NAMES:
            watches[name] = Control(daemon)
            self.addCleanup(watches[name].close)
            watches[name].watch(name)
        serial = self.serial(daemon, "b", joined=False)
        watches["a"].change(LAMP)
        self.assertEqual(select.select([watches["a"].socket], [], [], HALF_US / 2e6)[0],
                         [])
        serial.send(b"network_up\r\n")
        self.joined(daemon, "b")
        moments = [self.blinks_us(watches[name]) for name in NAMES]
        daemon.stop()
        return min(min(apart, HALF_US - apart) for apart in (
            abs(first - second) % HALF_US for first in moments[0] for second in moments[1]))

    @staticmethod
    def blinks_us(watch):
        """The moments of some changes, but for the first after a state of the lamp, which
        follow each other quickly. Of several, one comes in time on a busy machine too."""
        before = watch.change(LAMP)["us"]
        while (now := watch.change(LAMP)["us"]) - before < HALF_US / 2:
            before = now
        return [watch.change(LAMP)["us"] for _ in range(BLINKS)]

    def test_on(self):
        self.assertLess(self.distance_us("on"), APART_US)

    def test_off(self):
        """When the join of the second takes half a blink, they are the same by chance."""
        self.assertGreater(max(self.distance_us("off") for _ in range(TRIES)), APART_US)
