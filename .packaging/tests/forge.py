"""Files for GitHub, GitLab, Homebrew and registries."""

import hashlib
import os
import re
import shutil

from .place import PACKAGES, ROOT, TOOLS, VERSION, archive, needs
from .script import releases


def test_schemas(place):
    check = needs("check-jsonschema")
    place.run(check, "--builtin-schema", "vendor.github-actions", ROOT / ".github/actions/verify/action.yml")
    place.run(check, "--builtin-schema", "vendor.gitlab-ci", ROOT / ".gitlab/verify.yml")
    workflows = sorted((ROOT / ".github/workflows").glob("*.yml"))
    place.run(check, "--builtin-schema", "vendor.github-workflows", *workflows)


def test_actionlint(place):
    place.run(needs("actionlint"), *sorted((ROOT / ".github/workflows").glob("*.yml")), path=os.environ["PATH"], cwd=ROOT)


def test_shellcheck(place):
    shell = [path for path in (ROOT / ".packaging").iterdir() if path.is_file() and path.read_bytes()[:2] == b"#!"]
    shell = [path for path in shell if b"sh\n" in path.read_bytes().split(b"\n")[0] + b"\n"]
    place.run(needs("shellcheck"), "--external-sources", *shell, ROOT / ".packaging/environment", cwd=ROOT)


def test_actions_are_pinned(_place):
    files = [*(ROOT / ".github/workflows").glob("*.yml"), ROOT / ".github/actions/verify/action.yml"]
    used = [word for path in files for word in re.findall(r"uses: (.*)", path.read_text())]
    ours = f"xacct/xacct/.github/actions/verify@v{VERSION}"
    loose = [word for word in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", word) and word != ours]
    assert len(used) > 10 and not loose, loose


def test_formula(place):
    """`finish` writes the formula once all its archives are there, and not before."""
    targets = [f"{machine}-{system}" for machine in ("aarch64", "x86_64") for system in ("apple-darwin", "unknown-linux-gnu")]
    clone = place.path / "clone"
    (clone / "target/packages").mkdir(parents=True)
    shutil.copytree(ROOT / ".packaging", clone / ".packaging")
    shutil.copy(ROOT / "Cargo.toml", clone)
    place.run("git", "init", "--quiet", clone)
    author = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    place.run("git", "-C", clone, *author, "commit", "--quiet", "--allow-empty", "--message", "x")
    finish = (clone / ".packaging/finish",)
    for target in targets[1:]:
        (clone / f"target/packages/xacct-{VERSION}-{target}.tar.xz").write_text(target)
    output = place.run(*finish, path=os.environ["PATH"])
    assert f"xacct.rb is not written: there is no xacct-{VERSION}-{targets[0]}.tar.xz" in output, output
    (clone / f"target/packages/xacct-{VERSION}-{targets[0]}.tar.xz").write_text(targets[0])
    place.run(*finish, path=os.environ["PATH"])
    formula = (clone / "target/packages/xacct.rb").read_text()
    for target in targets:
        sum = hashlib.sha256(target.encode()).hexdigest()
        pair = rf"releases/download/v{VERSION}/xacct-{VERSION}-{target}.tar.xz\"\n +sha256 \"{sum}\""
        assert re.search(pair, formula), formula
    assert "SHA256:" not in formula and "VERSION" not in formula
    if ruby := shutil.which("ruby"):
        place.run(ruby, "-c", clone / "target/packages/xacct.rb")


def test_registries(_place):
    """What aqua and mise derive from the entries is what the archives are called."""
    entry = (ROOT / ".packaging/aqua/registry.yaml").read_text()
    words = dict(re.findall(r"^      (amd64|arm64|darwin|linux|windows): (.*)$", entry, re.M))
    asset = re.search(r"^    asset: (.*)$", entry, re.M)[1]
    names = []
    for system, machine, suffix in (("linux", "amd64", "tar.xz"), ("windows", "amd64", "zip"), ("darwin", "arm64", "tar.xz")):
        values = {"trimV .Version": VERSION, ".Arch": words[machine], ".OS": words[system], ".Format": suffix}
        names.append(re.sub(r"\{\{(.*?)\}\}", lambda found: values[found[1]], asset))
    assert names == [
        f"xacct-{VERSION}-x86_64-unknown-linux-musl.tar.xz",
        f"xacct-{VERSION}-x86_64-pc-windows-gnu.zip",
        f"xacct-{VERSION}-aarch64-apple-darwin.tar.xz",
    ]
    build = (ROOT / ".github/workflows/release.yml").read_text()
    for name in names:
        target = name.removeprefix(f"xacct-{VERSION}-").removesuffix(".tar.xz").removesuffix(".zip")
        assert target in build, f"the release builds nothing for {target}"


def scripts(file):
    """Returns the shell scripts in a workflow or action, by the names of their steps."""
    steps = re.split(r"^ *- (?=name: |uses: |run: )", file.read_text(), flags=re.M)[1:]
    found = {}
    for step in steps:
        name = re.match(r"name: (.*)", step)
        script = re.search(r"^( *)run: \|\n((?:\1  .*\n|\n)+)", step, re.M)
        if name and script:
            found[name[1]] = re.sub(rf"^{script[1]}  ", "", script[2], flags=re.M)
    return found


def test_action(place):
    """The composite action's scripts, as GitHub runs them: with bash, and files for the PATH and the summary."""
    steps = scripts(ROOT / ".github/actions/verify/action.yml")
    files = {name: place.path / name for name in ("GITHUB_PATH", "GITHUB_STEP_SUMMARY")}
    runner = files | {"RUNNER_TEMP": place.path / "runner"}
    runner["RUNNER_TEMP"].mkdir()
    gh = place.path / "gh/gh"
    gh.parent.mkdir()
    gh.write_text("#!/bin/sh\n")
    gh.chmod(0o755)
    prefix = runner["RUNNER_TEMP"] / "xacct"
    with releases(place) as server:
        settings = server | runner | {"XACCT_PREFIX": prefix, "XACCT_VERSION": VERSION, "XACCT_ATTEST": 1}
        settings["SCRIPT"] = ROOT / ".github/actions/verify/../../../.packaging/install.sh"
        bash = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
        place.run(*bash, steps["Install xacct"], path=f"{gh.parent}:/usr/bin:/bin", **settings)
    path = f"{files['GITHUB_PATH'].read_text().strip()}:/usr/bin:/bin"
    assert path.startswith(f"{prefix}/bin:")

    sandbox = prefix / "bin/xacct-sandbox"
    link = "bootstrap 222222222222 --name dev --user alice --profile security-admin --target-profile dev-admin --yes"
    place.run(sandbox, *link.split(), "--user-profile", "alice")
    # The sandbox runs xacct: here, it runs the action's script instead.
    inner = place.path / "inner"
    inner.mkdir()
    shutil.copy(sandbox, inner)
    (inner / "xacct").write_text('#!/bin/bash\nexec bash --noprofile --norc -eo pipefail -c "$SCRIPT"\n')
    (inner / "xacct").chmod(0o755)
    settings = runner | {"SCRIPT": steps["Test the links"], "ARGUMENTS": "--user-profile alice", "JUNIT": "junit.xml"}
    verify = dict(path=path, **settings)
    place.run(inner / "xacct-sandbox", "verify", TARGETS="dev", **verify)
    assert "<testsuites" in (place.home / ".local/state/xacct/sandbox/junit.xml").read_text()
    assert "dev" in files["GITHUB_STEP_SUMMARY"].read_text()
    output = place.run(inner / "xacct-sandbox", "verify", code=2, TARGETS="nobody", **verify)
    assert "nobody" in output
