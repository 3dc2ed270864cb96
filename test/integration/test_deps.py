""".ci/install leaves no service behind; apt-get and systemctl are played, in a mount
namespace where /usr/sbin and /run belong to the test."""

import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from lib.daemon import ROOT, wait_until

POLICY_OF_THE_MACHINE = "#!/bin/sh\nexit 101\n"
ENTER = ('mount --bind "$0/sbin" /usr/sbin && mount -t tmpfs none /run && '
         'mkdir -p /run/systemd/system && exec "$@"')
SYSTEMCTL = """#!/bin/sh
case "$*" in
list-unit-files*) sed 's/$/ enabled enabled/' $ROOM/enabled ;;
"--quiet disable "*) grep -vx "$3" $ROOM/enabled >$ROOM/left; mv $ROOM/left $ROOM/enabled ;;
"--quiet is-active "*) [ "$3" = old.service ] ;;
*) exit 2 ;;
esac
"""
# As the scripts of a package do, it enables its service, and asks before it starts it.
APT_GET = """#!/bin/sh
echo "$*" >$ROOM/asked
echo new.service >>$ROOM/enabled
for unit in new.service old.service; do
	answer=0
	[ ! -x /usr/sbin/policy-rc.d ] || /usr/sbin/policy-rc.d $unit start || answer=$?
	echo "$unit $answer" >>$ROOM/answers
done
touch $ROOM/busy
[ ! -e $ROOM/waits ] || read -r _ <$ROOM/waits
"""


class Install(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="zentrid-deps-")
        self.addCleanup(directory.cleanup)
        self.room = pathlib.Path(directory.name)
        self.policy = self.room / "sbin" / "policy-rc.d"
        self.policy.parent.mkdir()
        (self.room / "bin").mkdir()
        for name, text in (("systemctl", SYSTEMCTL), ("apt-get", APT_GET)):
            path = self.room / "bin" / name
            path.write_text(text)
            path.chmod(0o755)
        (self.room / "enabled").write_text("old.service\n")

    def enter(self, *command):
        return subprocess.Popen(
            ["unshare", "--map-root-user", "--mount", "sh", "-c", ENTER, str(self.room),
             *map(str, command)], start_new_session=True, stderr=subprocess.PIPE,
            env=os.environ | {"PATH": f"{self.room}/bin:{os.environ['PATH']}",
                              "ROOM": str(self.room)})

    def start(self):
        return self.enter(ROOT / ".ci" / "install", "one", "two")

    def end(self, process, status=0):
        errors = process.communicate(timeout=20)[1].decode()
        self.assertEqual(process.returncode, status, errors)

    def text(self, name):
        return (self.room / name).read_text()

    def interrupt(self, number):
        """While apt-get is at work."""
        os.mkfifo(self.room / "waits")
        process = self.start()
        wait_until((self.room / "busy").exists, what="apt-get")
        os.killpg(process.pid, number)
        process.communicate(timeout=20)
        return process.returncode

    def check_undone(self):
        self.assertFalse(self.policy.exists())
        self.assertEqual(self.text("enabled"), "old.service\n")

    def test_installed(self):
        self.end(self.start())
        self.assertEqual(self.text("answers"), "new.service 101\nold.service 0\n")
        self.assertTrue(self.text("asked").endswith(" --no-remove one two\n"))
        self.check_undone()

    def test_interrupted(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                self.assertNotEqual(self.interrupt(number), 0)
                self.check_undone()
                for name in ("busy", "waits"):
                    (self.room / name).unlink()

    def test_killed(self):
        """What it leaves behind denies nothing, and the next one takes it away."""
        self.interrupt(signal.SIGKILL)
        self.assertTrue(self.policy.exists())
        self.end(self.enter("/usr/sbin/policy-rc.d", "new.service", "start"))
        (self.room / "waits").unlink()
        (self.room / "enabled").write_text("old.service\n")
        self.end(self.start())
        self.check_undone()

    def test_policy_of_the_machine(self):
        self.policy.write_text(POLICY_OF_THE_MACHINE)
        self.policy.chmod(0o755)
        self.end(self.start())
        self.assertEqual(self.policy.read_text(), POLICY_OF_THE_MACHINE)
        self.assertEqual(self.text("enabled"), "old.service\n")
