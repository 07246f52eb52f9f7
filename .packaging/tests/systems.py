"""The programs on other systems and over TLS, and the container image."""

import json
import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import threading
import zipfile

from .place import TOOLS, VERSION, Skipped, chroot, needs, package

QEMU_LIBRARIES = "/usr/aarch64-linux-gnu"

# What Rust programs need from Windows 10, and Wine 8 lacks.
PRNG = """
unsigned char __stdcall SystemFunction036(void *data, unsigned long size);
__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *data, unsigned long long size) {
  return SystemFunction036(data, (unsigned long)size);
}
int __stdcall DllMainCRTStartup(void *instance, unsigned long reason, void *reserved) { return 1; }
"""


def unpacked(place, target):
    """Returns the directory of another target's unpacked archive."""
    path = package(f"xacct-{VERSION}-{target}.*")
    shutil.unpack_archive(path, place.path / target)
    return place.path / target / f"xacct-{VERSION}-{target}"


def runs_emulated(place, target, *options):
    """Asserts that the programs of another processor run the demo."""
    qemu = (needs("qemu-aarch64"), *options)
    programs = unpacked(place, target) / "bin"
    assert place.run(*qemu, programs / "xacct", "--version") == f"xacct {VERSION}\n"
    assert "Usage:" in place.run(*qemu, programs / "xacct", "--help")
    # The kernel may not know what emulates the program that the sandbox starts: a script knows.
    program = (programs / "xacct").rename(programs / "emulated")
    (programs / "xacct").write_text(f'#!/bin/sh\nexec {shlex.join([*qemu, str(program)])} "$@"\n')
    (programs / "xacct").chmod(0o755)
    place.tells_the_story(programs / "xacct-sandbox", prefix=qemu)


def test_arm64(place):
    if not os.path.isdir(QEMU_LIBRARIES):
        raise Skipped("needs libc6-arm64-cross")
    runs_emulated(place, "aarch64-unknown-linux-gnu", "-L", QEMU_LIBRARIES)


def test_arm64_musl(place):
    runs_emulated(place, "aarch64-unknown-linux-musl")


def test_windows(place):
    """The programs run on Windows, which here is Wine."""
    wine, server = needs("wine"), needs("wineserver")
    programs = unpacked(place, "x86_64-pc-windows-gnu") / "bin"
    xacct, sandbox = programs / "xacct.exe", programs / "xacct-sandbox.exe"
    # The zip does not have the sandbox.
    with zipfile.ZipFile(package(f"xacct_sandbox-{VERSION}-*-win_amd64.whl")) as wheel:
        sandbox.write_bytes(wheel.read(f"xacct_sandbox-{VERSION}.data/scripts/{sandbox.name}"))
    settings = {"WINEPREFIX": place.path / "wine", "WINEDEBUG": "-all"}
    place.run(wine, "wineboot", "--init", seconds=300, **settings)
    try:
        if not list((place.path / "wine").rglob("system32/bcryptprimitives.dll")):
            (place.path / "prng.c").write_text(PRNG)
            library = ("-shared", "-nostdlib", "-o", programs / "bcryptprimitives.dll", "prng.c", "-ladvapi32")
            cache = {"ZIG_GLOBAL_CACHE_DIR": place.path / "zig"}
            place.run(TOOLS / "python", "-m", "ziglang", "cc", "-target", "x86_64-windows-gnu", *library, **cache)
        for program in (xacct, sandbox):
            assert "Usage:" in place.run(wine, program, "--help", **settings)
        assert f"xacct {VERSION}\n" in place.run(wine, xacct, "--version", **settings)
        place.tells_the_story(sandbox, prefix=(wine,), **settings)
        link = "bootstrap 222222222222 --name dev --user alice --profile security-admin --target-profile dev-admin --yes"
        place.run(wine, sandbox, *link.split(), "--user-profile", "alice", **settings)
        command = ("cmd.exe", "/c", "echo target=%XACCT_TARGET%& exit 7")
        assert "target=dev" in place.run(wine, sandbox, "exec", "dev", "--", *command, code=7, **settings)
    finally:
        # It would write to its directory after that is gone.
        place.run(server, "--kill", code=None, **settings)


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
