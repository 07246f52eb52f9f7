"""The programs on other systems and over TLS, and the container image."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading

from .place import VERSION, Skipped, chroot, needs, package

QEMU_LIBRARIES = "/usr/aarch64-linux-gnu"


def unpacked(place, target):
    """Returns the directory of another target's unpacked archive."""
    path = package(f"xacct-{VERSION}-{target}.tar.xz")
    shutil.unpack_archive(path, place.path / target)
    return place.path / target / f"xacct-{VERSION}-{target}"


def test_arm64(place):
    qemu = needs("qemu-aarch64")
    programs = unpacked(place, "aarch64-unknown-linux-gnu") / "bin"
    if not os.path.isdir(QEMU_LIBRARIES):
        raise Skipped("needs libc6-arm64-cross")
    emulated = (qemu, "-L", QEMU_LIBRARIES)
    assert place.run(*emulated, programs / "xacct", "--version") == f"xacct {VERSION}\n"
    assert "Usage:" in place.run(*emulated, programs / "xacct-sandbox", "--help")


def test_arm64_musl(place):
    qemu = needs("qemu-aarch64")
    programs = unpacked(place, "aarch64-unknown-linux-musl") / "bin"
    assert place.run(qemu, programs / "xacct", "--version") == f"xacct {VERSION}\n"


def test_musl(place):
    """The programs need nothing of the system."""
    directory = unpacked(place, "x86_64-unknown-linux-musl")
    for program in ("xacct", "xacct-sandbox"):
        assert b"ld-musl" not in (directory / "bin" / program).read_bytes(), f"{program} is linked dynamically"
    assert place.run(directory / "bin/xacct", "--version") == f"xacct {VERSION}\n"
    place.tells_the_story(directory / "bin/xacct-sandbox")


def test_image(place):
    if os.geteuid() != 0:
        raise Skipped("needs root")
    buildah = needs("buildah")
    store = ("--root", place.path / "images", "--runroot", place.path / "run", "--storage-driver", "vfs")
    context = package("image-x86_64")
    version = ("--build-arg", f"VERSION={VERSION}")
    place.run(buildah, *store, "build", "--isolation", "chroot", *version, "--tag", "xacct", context)
    image = json.loads(place.run(buildah, *store, "inspect", "--type", "image", "xacct"))["OCIv1"]
    assert image["config"]["User"] == "65532:65532" and image["config"]["Entrypoint"] == ["/usr/bin/xacct"]
    assert image["config"]["Labels"]["org.opencontainers.image.version"] == VERSION
    container = place.run(buildah, *store, "from", "xacct").strip()
    root = place.run(buildah, *store, "mount", container).strip()
    try:
        inside = chroot(root, "--userspec=65532:65532")
        home = {"path": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/home/xacct", "TMPDIR": "/tmp"}
        assert place.run(*inside, "/usr/bin/xacct", "--version", **home) == f"xacct {VERSION}\n"
        assert "BEGIN CERTIFICATE" in open(f"{root}/etc/ssl/certs/ca-certificates.crt").read()
        place.tells_the_story("/usr/bin/xacct-sandbox", prefix=inside, **home)
    finally:
        place.run(buildah, *store, "umount", container)
    size = sum(path.stat().st_size for path in context.rglob("*") if path.is_file())
    place.remarks.append(f"image: {size / 1_000_000:.1f} MB")


def test_tls(place):
    """Requests over TLS work, and a certificate of an unknown authority is refused."""
    openssl = needs("openssl")
    (place.path / "extensions").write_text("subjectAltName=IP:127.0.0.1\n")
    new = ("-newkey", "rsa:2048", "-nodes")
    place.run(openssl, "req", "-x509", *new, "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem")
    place.run(openssl, "req", *new, "-subj", "/CN=127.0.0.1", "-keyout", "key.pem", "-out", "request.pem")
    authority = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extensions", "-days", "2")
    place.run(openssl, "x509", "-req", "-in", "request.pem", *authority, "-out", "certificate.pem")
    programs = place.unpacked() / "bin"
    environment = {"HOME": str(place.home), "PATH": "/usr/bin:/bin"}
    command = [programs / "xacct-sandbox", "serve"]
    serving = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        # Once it says this, it has printed all settings.
        assert "Paste these lines" in serving.stderr.readline()
        exports = os.read(serving.stdout.fileno(), 65536).decode()
        settings = dict(re.findall(r"^export (\w+)='?(.*?)'?$", exports, re.M))
        port = int(re.search(r"127\.0\.0\.1:(\d+)", settings["AWS_ENDPOINT_URL"])[1])
        with TlsProxy(place.path / "key.pem", place.path / "certificate.pem", port) as proxy:
            settings |= {"AWS_ENDPOINT_URL": f"https://127.0.0.1:{proxy}", "NO_PROXY": "127.0.0.1"}
            words = "bootstrap 222222222222 --user alice --profile security-admin --target-profile dev-admin --dry-run"
            output = place.run(programs / "xacct", *words.split(), AWS_CA_BUNDLE=place.path / "ca.pem", **settings)
            assert "create role xacct" in output, output
            output = place.run(programs / "xacct", *words.split(), code=None, **settings)
            assert "create role xacct" not in output and "certificate" in output.lower(), output
    finally:
        serving.terminate()
        serving.wait(10)


class TlsProxy:
    """Ends TLS, and passes bytes on to a port."""

    def __init__(self, key, certificate, port):
        self._settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._settings.load_cert_chain(certificate, key)
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self._listener.getsockname()[1]

    def __exit__(self, *_):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            with self._settings.wrap_socket(client, server_side=True) as outside:
                with socket.create_connection(("127.0.0.1", self._port)) as inside:
                    back = threading.Thread(target=self._pass, args=(inside, outside), daemon=True)
                    back.start()
                    self._pass(outside, inside)
                    back.join(5)
        except OSError:
            # The client did not accept the certificate.
            client.close()

    @staticmethod
    def _pass(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
