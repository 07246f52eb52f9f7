"""Tests that take minutes, or the network: they run only by name."""

import os
import re
import shutil
import sys
from pathlib import Path

from .contents import packages, target_of
from .place import PACKAGES, ROOT, TOOLS, VERSION, Skipped, chroot, host, needs, package

PATH = f"{TOOLS}:{os.environ['PATH']}"


def test_reproducible(place):
    """Another build of the commit, in another directory, gives the same bytes, for every target."""
    assert not place.run("git", "-C", ROOT, "status", "--porcelain", HOME=Path.home()), "commit or stash the changes first"
    clone = place.path / "another directory"
    place.run("git", "clone", "--quiet", ROOT, clone)
    (clone / "target").mkdir()
    (clone / "target/third-party").symlink_to(TOOLS.parent.parent)
    long = {"HOME": Path.home(), "path": PATH, "cwd": clone, "seconds": 5400}
    others = {target_of(path) for path in packages()} - {host(), None}
    place.run(clone / ".packaging/build", host(), *sorted(others), **long)
    first, second = files(PACKAGES), files(clone / "target/packages")
    assert first.keys() == second.keys(), first.keys() ^ second.keys()
    different = [name for name in first if first[name] != second[name]]
    place.remarks += [f"the same: {name}" for name in first if name not in different and "/" not in name]
    assert len(first) >= 6 and not different, different


def files(directory):
    """Returns the content of all files in a directory, by path."""
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in paths}


def test_debian(place):
    """A fresh Debian: apt installs the deb with what it needs, the manual works, and nothing stays after its removal."""
    if os.geteuid() != 0:
        raise Skipped("needs root")
    deb, root = package(f"xacct_{VERSION}-1_amd64.deb"), place.path / "root"
    system = {"path": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "TMPDIR": "/tmp", "DEBIAN_FRONTEND": "noninteractive"}
    more = "--include=ca-certificates,man-db,bash-completion"
    place.run(needs("debootstrap"), "--variant=minbase", more, "bookworm", root, **system, seconds=1200)
    # The smallest Debian leaves manuals out.
    (root / "etc/dpkg/dpkg.cfg.d/docker").unlink(missing_ok=True)
    shutil.copy(deb, root / "tmp")
    inside = chroot(root)
    place.run(*inside, "dpkg", "--install", f"/tmp/{deb.name}", **system)
    assert place.run(*inside, "xacct", "--version", **system) == f"xacct {VERSION}\n"
    assert "Test that a link works" in place.run(*inside, "man", "xacct-verify", **system, MANPAGER="cat")
    place.tells_the_story("xacct-sandbox", prefix=inside, **system)
    completes = "complete -p xacct || { _comp_load xacct 2>/dev/null || __load_completion xacct; }; complete -p xacct"
    loads = f". /usr/share/bash-completion/bash_completion; {completes}"
    assert "_clap_complete_xacct" in place.run(*inside, "bash", "-c", loads, **system)
    place.run(*inside, "dpkg", "--purge", "xacct", **system)
    left = [path for path in (root / "usr").rglob("*xacct*")]
    assert not left, left


def test_crate(place):
    """The packaged crate, `cargo install --path` and the wheel: one TLS provider, one version, and all of them work."""
    built = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute()
    cargo = {"HOME": Path.home(), "path": PATH, "seconds": 5400, "CARGO_TARGET_DIR": built}
    place.run("cargo", "package", "--locked", "--no-verify", "--allow-dirty", "--package", "xacct", cwd=ROOT, **cargo)
    shutil.unpack_archive(built / f"package/xacct-{VERSION}.crate", place.path, "gztar")
    crate = place.path / f"xacct-{VERSION}"
    assert not (crate / ".cargo").exists() and not (crate / "tests").exists()
    # Without optimization: it is the same code, and takes a third of the time.
    install = ("cargo", "install", "--quiet", "--locked", "--debug", "--path")
    programs = {}
    for name, source in (("crate", crate), ("path", ROOT)):
        place.run(*install, source, "--root", place.path / name, cwd=place.path, **cargo)
        programs[name] = place.path / name / "bin/xacct"
    place.run(sys.executable, "-m", "venv", place.path / "wheel")
    pip = ("-m", "pip", "install", "--quiet", "--no-index", "--find-links", PACKAGES, "xacct-sandbox")
    place.run(place.path / "wheel/bin/python", *pip)
    programs["wheel"] = place.path / "wheel/bin/xacct"
    sandbox = place.path / "wheel/bin/xacct-sandbox"
    for name, program in programs.items():
        assert place.run(program, "--version") == f"xacct {VERSION}\n"
        beside = place.path / f"beside {name}"
        beside.mkdir()
        shutil.copy(sandbox, beside)
        shutil.copy(program, beside)
        place.tells_the_story(beside / "xacct-sandbox")
    for manifest in (crate, ROOT):
        normal = ("--edges", "normal", "--prefix", "none", "--target", "all", "--locked")
        tree = place.run("cargo", "tree", *normal, "--package", "xacct", cwd=manifest, **cargo)
        found = set(re.findall(r"^(ring|aws-lc-rs|aws-lc-sys|openssl-sys|native-tls) v", tree, re.M))
        assert found == {"ring"}, f"{manifest}: {found}"
