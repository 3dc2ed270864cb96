"""Work beside a test, in threads whose failures the test gets to know."""

import socket
import threading

HOST = "127.0.0.1"


class Background:
    """A function in a thread; result() waits and gives its value or raises."""

    def __init__(self, function):
        self.value = self.error = None
        self.thread = threading.Thread(target=self._run, args=(function,), daemon=True)
        self.thread.start()

    def _run(self, function):
        try:
            self.value = function()
        except BaseException as error:  # given on by result()
            self.error = error

    def result(self, timeout=20):
        self.thread.join(timeout)
        if self.thread.is_alive():
            raise AssertionError(f"not done after {timeout} s")
        if self.error is not None:
            raise self.error
        return self.value


class DatagramServer:
    """A UDP server in a thread: reply(number, question) gives its datagrams."""

    def __init__(self, case, reply):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((HOST, 0))
        self.port = self.sock.getsockname()[1]
        self.address = f"{HOST}:{self.port}"
        self.reply = reply
        self.questions = []
        self.thread = Background(self.serve)
        case.addCleanup(self.end)

    def serve(self):
        while True:
            question, sender = self.sock.recvfrom(4096)
            if not question:
                return
            self.questions.append(question)
            for datagram in self.reply(len(self.questions), question):
                self.sock.sendto(datagram, sender)

    def end(self):
        self.sock.sendto(b"", self.sock.getsockname())
        self.thread.result()
        self.sock.close()
