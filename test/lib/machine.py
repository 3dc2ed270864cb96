"""A virtual machine that has the files of this host, and runs one command in them."""

import pathlib
import select
import shlex
import subprocess
import sys
import tempfile
import time

MEMORY_MIB = 1024
PROCESSORS = 2
EXIT_PORT = 0x501  # a byte written there ends QEMU, with twice its value and one
CONSOLE_LINES = 30  # of the kernel's last words, when the machine does not end well


# The command prints on ttyS1. Its status, and one so that it differs from the 1 of a QEMU
# that fails, is below 128.
START = f"""
stty -F /dev/ttyS1 raw clocal
/bin/sh {{directory}}/command >/dev/ttyS1 2>&1
status=$?
[ $status -lt 127 ] || status=126
printf "\\\\$(printf %o $((status + 1)))" |
	dd of=/dev/port bs=1 seek={EXIT_PORT} conv=notrunc 2>/dev/null
"""


class MachineError(Exception):
    """The machine gave no result; the text says what it said last."""


class Machine:
    """What test/vm/image made boots; the files of this host are only read there, what is
    written stays in memory, and there is no network but the loopback interface.

    The processor is emulated: slower by an order of magnitude, but with no need of a host
    that lends its own, which a host that is a virtual machine itself seldom does."""

    def __init__(self, image):
        self.image = pathlib.Path(image).resolve()

    def command_line(self, directory):
        append = ("console=ttyS0 quiet panic=-1 systemd.unit=vm.target "
                  "systemd.show_status=0 "
                  f"zentrid.image={self.image} zentrid.run={directory}")
        arguments = [
            "-accel", "tcg", "-cpu", "max", "-smp", PROCESSORS, "-m", MEMORY_MIB,
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-kernel", self.image / "vmlinuz", "-initrd", self.image / "initramfs.gz",
            "-append", append, "-serial", f"file:{directory}/console",
            "-serial", "stdio",  # what the command prints
            # ttyS2 and ttyS3 are for the tests: the two ends of a cable.
            "-chardev", f"socket,id=near,path={directory}/cable,server=on,wait=off",
            "-chardev", f"socket,id=far,path={directory}/cable",
            "-serial", "chardev:near", "-serial", "chardev:far",
            "-virtfs", "local,path=/,mount_tag=root,security_model=none,readonly=on,"
                       "multidevs=remap",
            "-device", "virtio-rng-pci",
            "-device", f"isa-debug-exit,iobase={EXIT_PORT},iosize=1"]
        return ["qemu-system-x86_64", *map(str, arguments)]

    def run(self, command, limit_s, output=sys.stdout.buffer):
        """Runs a command (its words) to its end and returns its exit status; what it
        prints goes to output as it comes."""
        with tempfile.TemporaryDirectory(prefix="zentrid-vm-") as directory:
            directory = pathlib.Path(directory)
            (directory / "start").write_text(START.format(directory=directory))
            (directory / "command").write_text(shlex.join(map(str, command)) + "\n")
            with subprocess.Popen(self.command_line(directory),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT) as machine:
                try:
                    self.pass_on(machine, output, time.monotonic() + limit_s)
                except BaseException as error:
                    machine.kill()
                    if not isinstance(error, TimeoutError):
                        raise
                    raise MachineError(f"not done after {limit_s} s\n"
                                       + self.last_words(directory)) from None
            if machine.returncode < 3:
                raise MachineError("ended without a result\n"
                                   + self.last_words(directory))
            return (machine.returncode - 3) // 2

    @staticmethod
    def pass_on(machine, output, deadline):
        while True:
            left = max(deadline - time.monotonic(), 0)
            if not select.select([machine.stdout], [], [], left)[0]:
                raise TimeoutError
            data = machine.stdout.read1()
            if not data:
                return
            output.write(data)
            output.flush()

    @staticmethod
    def last_words(directory):
        try:
            text = (directory / "console").read_text(errors="backslashreplace")
        except FileNotFoundError:
            return "and without a word"
        return "\n".join(text.splitlines()[-CONSOLE_LINES:])
