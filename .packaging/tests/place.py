"""Where a test runs: an empty home, the packages, and programs that it runs."""

import os
import platform
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "target/packages"
VERSION = re.search(r'^version = "(.*)"$', (ROOT / "Cargo.toml").read_text(), re.M)[1]
TOOLS = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute() / "third-party/packaging/bin"


class Skipped(Exception):
    """The machine lacks what the test needs."""


def host():
    """Returns the target of this machine."""
    machine = {"arm64": "aarch64"}.get(platform.machine(), platform.machine())
    return f"{machine}-{'apple-darwin' if platform.system() == 'Darwin' else 'unknown-linux-gnu'}"


def package(pattern):
    """Returns the one package of this name."""
    found = sorted(PACKAGES.glob(pattern))
    if not found:
        raise Skipped(f"no {pattern} was built")
    assert len(found) == 1, found
    return found[0]


def archive():
    """Returns the archive for this machine, without which nothing was built."""
    path = PACKAGES / f"xacct-{VERSION}-{host()}.tar.xz"
    assert path.is_file(), f"there is no {path}: run .packaging/build"
    return path


def needs(program):
    """Returns the path of a program, or skips the test."""
    path = shutil.which(program, path=f"{TOOLS}:{os.environ['PATH']}")
    if not path:
        raise Skipped(f"needs {program}")
    return path


def chroot(root, *options):
    """Returns the words that run a program in another root, with a /proc that is gone afterwards."""
    (Path(root) / "proc").mkdir(exist_ok=True)
    return ("unshare", "--mount", "--pid", "--fork", f"--mount-proc={root}/proc", "chroot", *options, root)


class Place:
    """A temporary directory with an empty home."""

    def __enter__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="xacct-packages-")
        self.path = Path(self._directory.name).resolve()
        self.home = self.path / "home"
        self.home.mkdir()
        self.remarks = []
        return self

    def __exit__(self, *_):
        self._directory.cleanup()

    def run(self, *command, code=0, path="/usr/bin:/bin", cwd=None, stdin="", seconds=120, **environment):
        """Runs a program with an empty environment; returns its stdout and stderr. Fails for another exit code."""
        settings = {"HOME": str(self.home), "PATH": path, "TMPDIR": str(self.path), "LANG": "C.UTF-8"}
        # Another test may hold a lock of the user's programs, and a user's settings may point to other packages.
        settings |= {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        settings |= {name: str(value) for name, value in environment.items()}
        words = [str(word) for word in command]
        done = subprocess.run(
            words, env=settings, cwd=cwd or self.path, input=stdin, text=True, capture_output=True, timeout=seconds
        )
        output = done.stdout + done.stderr
        if code is not None:
            assert done.returncode == code, f"{' '.join(words)}: exit code {done.returncode}\n{output}"
        return output

    def unpacked(self):
        """Returns the directory of the unpacked archive for this machine."""
        self.run("tar", "-xJf", archive(), "-C", self.path)
        return self.path / archive().name.removesuffix(".tar.xz")

    def tells_the_story(self, sandbox, prefix=(), **environment):
        """Asserts that an installed sandbox runs the demo with the xacct beside it."""
        start = time.monotonic()
        output = self.run(*prefix, sandbox, **environment)
        assert "can now work in account 222222222222" in output, output
        assert "xacct-sandbox serve" in output and "cargo" not in output, output
        self.remarks.append(f"demo: {time.monotonic() - start:.1f} s")
