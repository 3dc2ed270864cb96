"""STREAM mode for longer than the tests of each change can last."""

from lib.stream_mode import StreamModeCase


class StreamMode(StreamModeCase):
    def test_256_mib_both_ways_with_pauses(self):
        self.exchange(256 << 20)
