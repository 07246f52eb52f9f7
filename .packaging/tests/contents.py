"""What the packages contain."""

import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
import zipfile
from pathlib import Path

from .place import PACKAGES, ROOT, VERSION, archive, needs, package

SHARE = [
    "bash-completion/completions/xacct",
    "doc/xacct/LICENSE-APACHE",
    "doc/xacct/LICENSE-MIT",
    "doc/xacct/LICENSES-DEPENDENCIES",
    "doc/xacct/CHANGELOG.md",
    f"doc/xacct/xacct-{VERSION}.cyclonedx.json",
    f"doc/xacct/xacct-sandbox-{VERSION}.cyclonedx.json",
    "elvish/lib/xacct.elv",
    "fish/vendor_completions.d/xacct.fish",
    "man/man1/xacct-print-profile.1",
    "man/man1/xacct-verify.1",
    "man/man1/xacct.1",
    "powershell/xacct.ps1",
    "zsh/site-functions/_xacct",
]


def archived(path):
    """Returns the files of an archive, a wheel or a deb, by name."""
    if path.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(path) as files:
            return {name: files.read(name) for name in files.namelist()}
    if path.suffix == ".deb":
        unpacked = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], check=True, capture_output=True).stdout
        files = tarfile.open(fileobj=io.BytesIO(unpacked))
    else:
        files = tarfile.open(path)
    with files:
        return {entry.name: files.extractfile(entry).read() for entry in files if entry.isfile()}


def packages():
    """Returns all packages."""
    found = sorted(path for pattern in ("*.tar.xz", "*.zip", "*.whl", "*.deb") for path in PACKAGES.glob(pattern))
    assert archive() in found
    return found


def target_of(path):
    """Returns the target of an archive; nothing for other packages."""
    found = re.fullmatch(rf"xacct-{re.escape(VERSION)}-(.*)\.(tar\.xz|zip)", path.name)
    return found and found[1]


def test_every_package_has_everything(_place):
    for path in packages():
        names = list(archived(path))
        # On PyPI, xacct-sandbox is a package of its own, which brings xacct along.
        programs = ("xacct",) if path.suffix in (".whl", ".zip") else ("xacct", "xacct-sandbox")
        if path.name.startswith("xacct_sandbox-"):
            programs = ("xacct-sandbox",)
        else:
            for wanted in SHARE:
                # Debian compresses manuals and changelogs.
                found = [name for name in names if name.endswith((f"share/{wanted}", f"share/{wanted}.gz"))]
                assert len(found) == 1, f"{path.name} has {found} for {wanted}"
        for program in programs:
            found = [name for name in names if re.search(rf"(bin|scripts)/{program}(\.exe)?$", name)]
            assert len(found) == 1, f"{path.name} has {found} for {program}"


def test_the_manual_has_every_page(place):
    place.run(place.unpacked() / "bin/xacct", "man", "--out", place.path / "man")
    expected = {path.name for path in (place.path / "man").iterdir()}
    assert len(expected) > 20
    for path in packages():
        if path.name.startswith("xacct_sandbox-"):
            continue
        names = {name.split("/")[-1].removesuffix(".gz") for name in archived(path) if "/man/man1/" in name}
        assert names == expected, f"{path.name}: {names ^ expected}"


def test_checksums(_place):
    lines = (PACKAGES / "SHA256SUMS").read_text().splitlines()
    sums = {name: sum for sum, name in (line.split("  ") for line in lines)}
    files = {path.name: path for path in PACKAGES.iterdir() if path.is_file() and path.name != "SHA256SUMS"}
    assert sums.keys() == files.keys(), sums.keys() ^ files.keys()
    for name, path in files.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sums[name], name


def test_versions(place):
    place.run(ROOT / ".packaging/versions", f"v{VERSION}", cwd=ROOT, path=os.environ["PATH"], HOME=Path.home())
    output = place.run(
        ROOT / ".packaging/versions", "v9.8.7", code=1, cwd=ROOT, path=os.environ["PATH"], HOME=Path.home()
    )
    assert f"the tag has version `9.8.7`, Cargo.toml has `{VERSION}`" in output, output


def test_no_path_of_the_build(_place):
    secret = {str(ROOT), str(Path.home() / ".cargo"), os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))}
    for path in packages():
        for name, content in archived(path).items():
            if name.endswith(".gz"):
                content = gzip.decompress(content)
            found = [word for word in secret if word.encode() in content]
            assert not found, f"{name} in {path.name} has {found}"


def test_one_tls_provider(_place):
    bill = json.loads(package(f"xacct-{VERSION}.cyclonedx.json").read_text())
    names = {component["name"] for component in bill["components"]}
    assert {"ring", "rustls", "aws-sdk-iam"} <= names
    assert not names & {"aws-lc-rs", "aws-lc-sys", "openssl-sys", "native-tls", "s2n-tls"}
    assert {component["version"] for component in [bill["metadata"]["component"]]} == {VERSION}


def test_licenses_of_dependencies(_place):
    """The text of every dependency's license comes along, as most of them ask for."""
    (text,) = (content.decode() for name, content in archived(archive()).items() if name.endswith("LICENSES-DEPENDENCIES"))
    for program in ("xacct", "xacct-sandbox"):
        bill = json.loads(package(f"{program}-{VERSION}.cyclonedx.json").read_text())
        for component in bill["components"]:
            if not component["name"].startswith("xacct"):
                assert re.search(rf"(^|, ){re.escape(component['name'])} {re.escape(component['version'])}(,|$)", text, re.M)
    assert "Permission is hereby granted" in text and "Apache License" in text


def test_old_versions_of_glibc(_place):
    """manylinux2014 and the deb promise glibc 2.17."""
    for path in packages():
        if "manylinux2014" not in path.name and "linux-gnu" not in path.name and path.suffix != ".deb":
            continue
        for name, content in archived(path).items():
            if re.search(r"(bin|scripts)/xacct(-sandbox)?$", name):
                needed = {tuple(map(int, found.split(b"."))) for found in re.findall(rb"GLIBC_([0-9.]+)\0", content)}
                assert needed and max(needed) <= (2, 17), f"{name} in {path.name}: {max(needed)}"


def test_binstall_finds_the_archives(_place):
    """cargo-binstall fills in these templates of Cargo.toml."""
    manifest = (ROOT / "Cargo.toml").read_text()
    url = re.search(r'^pkg-url = "(.*)"$', manifest, re.M)[1]
    inside = re.search(r'^bin-dir = "(.*)"$', manifest, re.M)[1]
    for path in packages():
        target = target_of(path)
        if not target:
            continue
        values = {
            "repo": "https://github.com/xacct/xacct", "version": VERSION, "name": "xacct", "bin": "xacct", "target": target,
            "archive-suffix": path.name.partition(target)[2], "binary-ext": ".exe" if "windows" in target else "",
        }
        filled = [re.sub(r"\{ (.*?) \}", lambda found: values[found[1]], text) for text in (url, inside)]
        assert filled[0].endswith(f"/v{VERSION}/{path.name}"), filled
        assert filled[1] in archived(path), filled


def test_deb_is_well_formed(place):
    deb = package(f"xacct_{VERSION}-1_amd64.deb")
    needs("lintian")
    # Debian's own packages have other rules for these: a bug of its own for the first upload, and a page for each program.
    allowed = ["initial-upload-closes-no-bugs", "no-manual-page", "embedded-library", "statically-linked-binary"]
    output = place.run("lintian", "--suppress-tags", ",".join(allowed), "--fail-on", "error", deb, code=None)
    assert "\nE: " not in f"\n{output}", output
    place.remarks += output.splitlines()
