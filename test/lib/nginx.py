"""nginx, as a web server that the module is a client of."""

import pathlib
import shutil
import socket
import subprocess
import tempfile

from lib.certificates import authority
from lib.daemon import wait_until

HOST = "127.0.0.1"

CONFIG = """
daemon off;
master_process off;
pid {directory}/pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
	access_log off;
	log_format posted escape=none '$request_method $content_type $request_body';
	default_type application/octet-stream;
	client_body_temp_path {directory}/body;
	proxy_temp_path {directory}/proxy;
	fastcgi_temp_path {directory}/fastcgi;
	uwsgi_temp_path {directory}/uwsgi;
	scgi_temp_path {directory}/scgi;
	gzip on;
	gzip_types *;
	gzip_min_length 1;
	root {directory}/pages;
{servers}
}}
"""

SERVER = """
	server {{
		listen {host}:{port}{ssl};
		{tls}
		location = /fields {{
			return 200 "$request_method|$http_accept_encoding|$http_authorization";
		}}
		location = /moved {{ return 301 /small; }}
		location = /loop {{ return 302 /loop; }}
		location = /none {{ return 204; }}
		{posted}
	}}
"""

# A body is known only when it is given on.
POSTED = """
		location = /posted {{
			proxy_pass http://{host}:{port}/none;
			access_log {directory}/posted posted;
		}}
"""

TLS = """
		ssl_certificate {certificate};
		ssl_certificate_key {key};
		ssl_client_certificate {authority};
		ssl_verify_client {clients};
"""


def free_port():
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return sock.getsockname()[1]


class Nginx:
    """One server on a port of this host, with files of its own. tls: the certificate's
    name; clients: on, when they have to show one of theirs."""

    def __init__(self, case, tls=None, clients="off"):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="zentrid-nginx-"))
        case.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.pages = self.directory / "pages"
        self.pages.mkdir()
        self.scheme = "https" if tls else "http"
        self.tls = "" if tls is None else TLS.format(
            certificate=authority().path(f"{tls}.crt"),
            key=authority().path(f"{tls}.key"),
            authority=authority().path("ca.crt"), clients=clients)
        for _ in range(10):
            if self.start(case):
                return
        raise AssertionError("nginx does not start")

    def start(self, case):
        self.port = free_port()
        posted = "" if self.tls else POSTED.format(
            host=HOST, port=self.port, directory=self.directory)
        server = SERVER.format(host=HOST, port=self.port, tls=self.tls, posted=posted,
                               ssl=" ssl" if self.tls else "", directory=self.directory)
        config = self.directory / "nginx.conf"
        config.write_text(CONFIG.format(directory=self.directory, servers=server))
        with open(self.directory / "log", "wb") as log:
            process = subprocess.Popen(
                ["/usr/sbin/nginx", "-p", str(self.directory), "-c", str(config),
                 "-e", "stderr"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        case.addCleanup(self.end, process)

        def reached():
            if process.poll() is not None:
                return "ended"
            try:
                socket.create_connection((HOST, self.port), 5).close()
                return "up"
            except OSError:
                return None
        return wait_until(reached, what="nginx") == "up"

    @staticmethod
    def end(process):
        process.terminate()
        process.wait()

    def put(self, name, data):
        path = self.pages / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return data

    def posted(self):
        """What was posted to /posted so far: method, type and body, each with a line end."""
        path = self.directory / "posted"
        return path.read_bytes() if path.exists() else b""

    def url(self, path="", host=HOST):
        return f"{self.scheme}://{host}:{self.port}/{path}"
