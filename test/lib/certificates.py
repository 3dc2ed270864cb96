"""Certificates for the tests of TLS, made by the openssl program and kept in the build
tree."""

import functools
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

from lib.daemon import build_directory

CONFIG = """
[ca]
default_ca = tests
[tests]
database = index
default_md = sha256
policy = names
unique_subject = no
rand_serial = yes
[names]
commonName = supplied
"""


class Authority:
    """Makes keys and certificates in a directory."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)

    def openssl(self, *arguments):
        return subprocess.run(["openssl", *arguments], cwd=self.directory, check=True,
                              capture_output=True).stdout

    def path(self, name):
        return str(self.directory / name)

    def bytes(self, name):
        return (self.directory / name).read_bytes()

    def make(self, name, issuer=None, alternatives=None, usage=None, is_ca=False,
             end="20491231235959Z"):
        """NAME.key and NAME.crt. issuer None: self-signed."""
        self.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout",
                     "-out", f"{name}.key")
        self.openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}",
                     "-out", f"{name}.csr")
        extensions = [f"basicConstraints=critical,CA:{'TRUE' if is_ca else 'FALSE'}",
                      "subjectKeyIdentifier=hash"]
        if alternatives is not None:
            extensions.append(f"subjectAltName={alternatives}")
        if usage is not None:
            extensions.append(f"extendedKeyUsage={usage}")
        (self.directory / f"{name}.ext").write_text("\n".join(extensions))
        signer = ["-selfsign"] if issuer is None else ["-cert", f"{issuer}.crt"]
        self.openssl("ca", "-config", "config", "-batch", "-notext",
                     "-outdir", ".", "-extfile", f"{name}.ext", "-in", f"{name}.csr",
                     "-startdate", "20200101000000Z", "-enddate", end,
                     "-keyfile", f"{issuer or name}.key", "-out", f"{name}.crt", *signer)
        return self

    def der(self, *names):
        """The certificates as DER, one behind the other."""
        return b"".join(self.openssl("x509", "-in", f"{name}.crt", "-outform", "DER")
                        for name in names)

    def key_der(self, name):
        return self.openssl("pkey", "-in", f"{name}.key", "-outform", "DER")


def make_all(made):
    """ca signs server, name_only, elsewhere, expired, client and middle; middle signs
    below_middle; other_ca and stranger are of another house."""
    here = "DNS:localhost,IP:127.0.0.1"
    (made.directory / "config").write_text(CONFIG)
    (made.directory / "index").touch()
    made.make("ca", is_ca=True)
    made.make("other_ca", is_ca=True)
    made.make("server", "ca", here, "serverAuth")
    made.make("name_only", "ca", "DNS:localhost", "serverAuth")
    made.make("elsewhere", "ca", "DNS:elsewhere.test,IP:10.9.8.7", "serverAuth")
    made.make("expired", "ca", here, "serverAuth", end="20200102000000Z")
    made.make("client", "ca", usage="clientAuth")
    made.make("stranger", "other_ca", usage="clientAuth")
    made.make("middle", "ca", is_ca=True)
    made.make("below_middle", "middle", here, "serverAuth")
    made.openssl("pkey", "-in", "server.key", "-aes256", "-passout", "pass:secret",
                 "-out", "locked.key")


@functools.lru_cache(maxsize=1)
def authority():
    """The certificates that all tests share; whoever is first makes them."""
    recipe = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()[:16]
    directory = build_directory() / "test" / f"certificates-{recipe}"
    if not directory.exists():
        draft = Authority(tempfile.mkdtemp(dir=directory.parent))
        make_all(draft)
        try:
            os.rename(draft.directory, directory)
        except OSError:  # another process was faster
            shutil.rmtree(draft.directory)
    return Authority(directory)
