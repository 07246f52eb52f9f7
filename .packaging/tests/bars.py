"""What the packages may weigh, and how long an installation may take."""

import sys
import time

from .contents import archived
from .place import PACKAGES, TOOLS, VERSION, needs

MEGABYTE = 1_000_000
PACKAGE_BAR = 7.5 * MEGABYTE
PROGRAM_BAR = 14 * 1024 * 1024
SECONDS = 3.0


def test_sizes(place):
    packages = [path for suffix in ("tar.xz", "zip", "whl", "deb") for path in PACKAGES.glob(f"*.{suffix}")]
    assert packages, "nothing was built"
    for path in sorted(packages):
        size = path.stat().st_size
        place.remarks.append(f"{size / MEGABYTE:.2f} MB {path.name}")
        assert size < PACKAGE_BAR, f"{path.name} has {size} bytes, the bar is {PACKAGE_BAR:.0f}"
        for name, content in archived(path).items():
            if name.split("/")[-1] in ("xacct", "xacct.exe") and content[:2] in (b"\x7fE", b"MZ", b"\xcf\xfa"):
                place.remarks[-1] += f", program {len(content) / MEGABYTE:.2f} MB"
                assert len(content) <= PROGRAM_BAR, f"{name} in {path.name}: {len(content)} bytes"


def test_first_help_with_uvx(place):
    needs("uvx")
    start = time.monotonic()
    output = place.run(TOOLS / "uvx", "--no-index", "--find-links", PACKAGES, "xacct", "--help", UV_OFFLINE=1, UV_PYTHON=sys.executable)
    _is_quick(place, start, output)


def test_first_help_with_pip(place):
    place.run(sys.executable, "-m", "venv", place.path / "venv")
    start = time.monotonic()
    pip = ("-m", "pip", "install", "--quiet", "--no-index", "--find-links", PACKAGES, f"xacct=={VERSION}")
    place.run(place.path / "venv/bin/python", *pip)
    _is_quick(place, start, place.run(place.path / "venv/bin/xacct", "--help"))


def _is_quick(place, start, output):
    seconds = time.monotonic() - start
    assert "xacct bootstrap" in output, output
    place.remarks.append(f"installation to first --help: {seconds:.2f} s")
    assert seconds <= SECONDS, f"{seconds:.2f} s, the bar is {SECONDS}"
