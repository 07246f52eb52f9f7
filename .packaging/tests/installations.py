"""Installing for Python, with cargo-binstall, and from the deb."""

import os
import shutil
import sys

from .contents import packages, target_of
from .place import PACKAGES, ROOT, TOOLS, VERSION, Skipped, host, needs, package
from .script import releases


def test_pip(place):
    venv = place.path / "venv"
    place.run(sys.executable, "-m", "venv", venv)
    place.run(venv / "bin/python", "-m", "pip", "install", "--no-index", "--find-links", PACKAGES, "xacct-sandbox")
    assert place.run(venv / "bin/xacct", "--version") == f"xacct {VERSION}\n"
    assert "Root-Is-Purelib" not in place.run(venv / "bin/python", "-m", "pip", "show", "--files", "xacct")
    assert (venv / "share/man/man1/xacct.1").is_file()
    place.tells_the_story(venv / "bin/xacct-sandbox")
    place.run(venv / "bin/python", "-m", "pip", "uninstall", "--yes", "xacct", "xacct-sandbox")
    assert not (venv / "bin/xacct").exists() and not (venv / "share/man/man1/xacct.1").exists()


def test_uvx(place):
    uvx = (TOOLS / "uvx", "--no-index", "--find-links", PACKAGES)
    # uv reports on stderr what it installs.
    assert place.run(*uvx, "xacct", "--version", UV_PYTHON=sys.executable).startswith(f"xacct {VERSION}\n")
    place.tells_the_story("xacct-sandbox", prefix=uvx, UV_PYTHON=sys.executable)


def test_uv_tool(place):
    with_sandbox = ("--with-executables-from", "xacct-sandbox", "xacct")
    install = (TOOLS / "uv", "tool", "install", "--no-index", "--find-links", PACKAGES)
    place.run(*install, *with_sandbox, UV_PYTHON=sys.executable)
    assert place.run(place.home / ".local/bin/xacct", "--version") == f"xacct {VERSION}\n"
    place.tells_the_story(place.home / ".local/bin/xacct-sandbox")


def test_pipx(place):
    options = f"--no-index --find-links={PACKAGES}"
    # With its other backend, pipx would first fetch the newest pip.
    pipx = (TOOLS / "pipx", "install", "--pip-args", options, "--backend", "uv", "--include-deps", "xacct-sandbox")
    place.run(*pipx, path=f"{TOOLS}:/usr/bin:/bin")
    assert place.run(place.home / ".local/bin/xacct", "--version") == f"xacct {VERSION}\n"
    # pipx links what a wheel has in share/man.
    assert (place.home / ".local/share/man/man1/xacct.1").is_file()
    place.tells_the_story(place.home / ".local/bin/xacct-sandbox")


def test_binstall(place):
    """cargo-binstall follows Cargo.toml to the archive of each target, on a server in place of GitHub."""
    binstall = needs("cargo-binstall")
    if "--allow-insecure-http" not in place.run(binstall, "--help"):
        raise Skipped("needs cargo-binstall 1.24 or later")
    archives = {target_of(path): path for path in packages() if target_of(path)}
    source = place.path / "source"
    source.mkdir()
    for name in ("src", "benches", "tests"):
        (source / name).symlink_to(ROOT / name)
    with releases(place, lambda directory: [shutil.copy(path, directory) for path in archives.values()]) as server:
        here = server["XACCT_BASE_URL"].removesuffix("/releases/download")
        manifest = (ROOT / "Cargo.toml").read_text()
        assert manifest.count("https://github.com/xacct/xacct") == 1
        (source / "Cargo.toml").write_text(manifest.replace("https://github.com/xacct/xacct", here))
        install = (binstall, "--no-confirm", "--allow-insecure-http", "--disable-telemetry", "--strategies", "crate-meta-data")
        for target, path in archives.items():
            root, program = place.path / target, f"xacct{'.exe' if 'windows' in target else ''}"
            chosen = () if target == host() else ("--targets", target)
            place.run(*install, *chosen, "--manifest-path", source, "--root", root, "xacct", path=os.environ["PATH"])
            shutil.unpack_archive(path, root / "archive")
            inside = root / "archive" / f"xacct-{VERSION}-{target}" / "bin" / program
            assert (root / "bin" / program).read_bytes() == inside.read_bytes(), target
    assert place.run(place.path / host() / "bin/xacct", "--version") == f"xacct {VERSION}\n"


def test_archive(place):
    unpacked = place.unpacked()
    assert place.run(unpacked / "bin/xacct", "--version") == f"xacct {VERSION}\n"
    place.tells_the_story(unpacked / "bin/xacct-sandbox")
    assert [path.name for path in place.home.iterdir()] == [], "the demo leaves nothing behind"


def test_sandbox_without_xacct(place):
    sandbox = place.unpacked() / "bin/xacct-sandbox"
    (sandbox.parent / "xacct").unlink()
    output = place.run(sandbox, code=2)
    assert f"error: there is no `{sandbox.parent}/xacct`: install xacct and xacct-sandbox together" in output, output


def test_sandbox_keeps_accounts(place):
    sandbox = place.unpacked() / "bin/xacct-sandbox"
    link = "bootstrap 222222222222 --name dev --user alice --profile security-admin --target-profile dev-admin --yes"
    place.run(sandbox, *link.split(), "--user-profile", "alice")
    assert "alice assumes the role" in place.run(sandbox, "verify")
    assert (place.home / ".local/state/xacct/sandbox/xacct.toml").is_file()
    place.run(sandbox, "reset")
    assert not (place.home / ".local/state/xacct/sandbox").exists()


def test_deb(place):
    deb, root = package(f"xacct_{VERSION}-1_amd64.deb"), place.path / "root"
    needs("dpkg-deb")
    place.run("dpkg-deb", "--extract", deb, root)
    fields = place.run("dpkg-deb", "--field", deb)
    assert "Depends: libc6 (>= 2.17)" in fields and "Recommends: ca-certificates" in fields, fields
    assert place.run(root / "usr/bin/xacct", "--version") == f"xacct {VERSION}\n"
    place.tells_the_story(root / "usr/bin/xacct-sandbox")
    assert "MIT" in (root / "usr/share/doc/xacct/LICENSE-MIT").read_text()


def test_manual(place):
    man = needs("man")
    page = place.run(man, "-M", place.unpacked() / "share/man", "xacct-verify", MANPAGER="cat", MANWIDTH="80")
    assert "NAME" in page and "Test that a link works" in page, page
