"""The install script, with releases on a local server."""

import functools
import hashlib
import http.server
import shutil
import threading
from contextlib import contextmanager, suppress

from .place import PACKAGES, ROOT, VERSION, archive, host, needs

SCRIPT = ROOT / ".packaging/install.sh"
TOOLS = ["sh", "uname", "sed", "tar", "xz", "mktemp", "mkdir", "rm", "cp", "cat", "curl", "sha256sum"]


class Handler(http.server.SimpleHTTPRequestHandler):
    """Says nothing, also of clients that leave once they have what they want."""

    def log_message(self, *_):
        pass

    def handle(self):
        with suppress(ConnectionError):
            super().handle()


@contextmanager
def releases(place, change=lambda directory: None):
    """Serves the packages, changed, as a release on GitHub; yields the settings of the script."""
    directory = place.path / "server/releases/download" / f"v{VERSION}"
    directory.mkdir(parents=True)
    for name in (archive().name, "SHA256SUMS"):
        shutil.copy(PACKAGES / name, directory)
    change(directory)
    handler = functools.partial(Handler, directory=place.path / "server")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield {"XACCT_BASE_URL": f"http://127.0.0.1:{server.server_port}/releases/download"}
    finally:
        server.shutdown()
        server.server_close()


def path_with(place, tools):
    """Returns a PATH with only these programs."""
    directory = place.path / "bin"
    directory.mkdir(exist_ok=True)
    for tool in tools:
        found = shutil.which(tool)
        if found:
            (directory / tool).symlink_to(found)
    return directory


def refuses(place, says, tools=None, change=lambda directory: None, **settings):
    """Asserts that the script stops with this message and installs nothing."""
    with releases(place, change) as server:
        path = path_with(place, tools) if tools else "/usr/bin:/bin"
        output = place.run("/bin/sh", SCRIPT, code=1, path=path, **(server | settings))
    assert says in output and "fix: " in output, output
    assert not (place.home / ".local/bin/xacct").exists(), output


def test_script_installs(place):
    with releases(place) as server:
        output = place.run("/bin/sh", SCRIPT, **server)
        assert f"Installed xacct {VERSION} in {place.home}/.local/bin\nAdd it to PATH" in output, output
        # Again, over what is there, and elsewhere.
        path = f"{place.home}/.local/bin:/usr/bin:/bin"
        assert "Add it" not in place.run("/bin/sh", SCRIPT, path=path, **server)
        elsewhere = {"XACCT_PREFIX": place.path / "with a blank", "XACCT_VERSION": VERSION}
        place.run("/bin/sh", SCRIPT, **server, **elsewhere)
    for prefix in (place.home / ".local", place.path / "with a blank"):
        assert place.run(prefix / "bin/xacct", "--version") == f"xacct {VERSION}\n"
        assert (prefix / "share/man/man1/xacct.1").is_file()
    place.tells_the_story(place.home / ".local/bin/xacct-sandbox")
    assert not list(place.path.glob("tmp.*")), "the script leaves no temporary files"


def test_script_with_wget(place):
    needs("wget")
    with releases(place) as server:
        path = path_with(place, [tool for tool in TOOLS if tool != "curl"] + ["wget"])
        place.run("/bin/sh", SCRIPT, path=path, **server)
    assert (place.home / ".local/bin/xacct").exists()


def test_script_refuses_a_changed_archive(place):
    def change(directory):
        with (directory / archive().name).open("r+b") as file:
            file.seek(1000)
            file.write(b"changed")

    refuses(place, "is not the file of the release: its SHA-256 is", change=change)


def test_script_refuses_an_archive_without_checksum(place):
    refuses(place, "SHA256SUMS has no line for", change=lambda it: (it / "SHA256SUMS").write_text(""))


def test_script_refuses_a_checksum_of_another_file(place):
    def change(directory):
        sums = (directory / "SHA256SUMS").read_text().replace(archive().name, f"other-{archive().name}")
        (directory / "SHA256SUMS").write_text(sums)

    refuses(place, "SHA256SUMS has no line for", change=change)


def test_script_names_a_missing_file(place):
    refuses(place, "cannot download http://127.0.0.1:", change=lambda it: (it / archive().name).unlink())


def test_script_names_missing_tools(place):
    for missing, says in (
        ({"curl"}, "there is neither curl nor wget"),
        ({"sha256sum"}, "there is neither sha256sum nor shasum"),
        ({"tar"}, "there is no tar"),
        ({"xz"}, "there is no xz"),
    ):
        refuses(place, says, tools=[tool for tool in TOOLS if tool not in missing])
        shutil.rmtree(place.path / "bin")
        shutil.rmtree(place.path / "server")


def test_script_names_wrong_settings(place):
    for settings, says in (
        ({"XACCT_VERSION": "latest"}, "XACCT_VERSION `latest` is not a version"),
        ({"XACCT_PREFIX": "relative"}, "XACCT_PREFIX `relative` is not an absolute path"),
        ({"XACCT_PREFIX": "/proc/xacct"}, "cannot write to /proc/xacct/bin"),
    ):
        refuses(place, says, **settings)
        shutil.rmtree(place.path / "server")


def test_script_names_an_unknown_machine(place):
    path = path_with(place, [tool for tool in TOOLS if tool != "uname"])
    for system, machine, says in (
        ("FreeBSD", "x86_64", "there is no package for FreeBSD"),
        ("Linux", "riscv64", "there is no package for riscv64"),
    ):
        uname = path / "uname"
        uname.write_text(f'#!/bin/sh\ncase $1 in -s) echo {system} ;; -m) echo {machine} ;; esac\n')
        uname.chmod(0o755)
        with releases(place) as server:
            output = place.run("/bin/sh", SCRIPT, code=1, path=path, **server)
        assert says in output and "fix: " in output, output
        shutil.rmtree(place.path / "server")


def test_script_cut_short_does_nothing(place):
    text = SCRIPT.read_text()
    with releases(place) as server:
        for part in range(1, 20):
            place.run("/bin/sh", code=None, stdin=text[: len(text) * part // 20], **server)
            assert not (place.home / ".local").exists(), f"{part} of 20 parts"


def test_script_checks_the_provenance(place):
    gh, path = place.path / "gh/gh", f"{place.path}/gh:/usr/bin:/bin"
    gh.parent.mkdir()
    gh.write_text('#!/bin/sh\necho "$@" >"$HOME/asked"\nexit "$(cat "$HOME/code")"\n')
    gh.chmod(0o755)
    with releases(place) as server:
        (place.home / "code").write_text("1")
        output = place.run("/bin/sh", SCRIPT, code=1, path=path, XACCT_ATTEST=1, **server)
        assert "has no provenance of xacct's release workflow" in output, output
        assert not (place.home / ".local").exists()
        (place.home / "code").write_text("0")
        place.run("/bin/sh", SCRIPT, path=path, XACCT_ATTEST=1, **server)
        asked = (place.home / "asked").read_text()
        assert asked.startswith("attestation verify ") and f"{archive().name} --repo xacct/xacct" in asked, asked
        assert (place.home / ".local/bin/xacct").exists()


def test_script_names_this_machine(place):
    """The archive that the script chooses is the one for this machine."""
    with releases(place) as server:
        output = place.run("/bin/sh", "-x", SCRIPT, **server)
    assert f"xacct-{VERSION}-{host()}" in output
    assert hashlib.sha256(archive().read_bytes()).hexdigest() in output
