"""The tests of the packages."""

import time
import traceback

from . import bars, by_name, completions, contents, forge, installations, script, systems
from .place import Place, Skipped

MODULES = (bars, contents, installations, completions, script, systems, forge)


def run(names):
    """Runs the tests with these names, or all; returns the exit code."""
    usual = [name for module in MODULES for name in vars(module) if name.startswith("test_")]
    tests = {name: test for module in (*MODULES, by_name) for name, test in vars(module).items()}
    chosen = [f"test_{name}" for name in names] or usual
    unknown = [name[5:] for name in chosen if name not in tests]
    if unknown:
        known = ", ".join(name[5:] for name in tests if name.startswith("test_"))
        raise SystemExit(f"there is no test {unknown}; the tests are: {known}")
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for name in chosen:
        start, outcome, details = time.monotonic(), "passed", ""
        with Place() as place:
            try:
                tests[name](place)
            except Skipped as reason:
                outcome, details = "skipped", f": {reason}"
            except Exception:
                outcome, details = "failed", f"\n{traceback.format_exc()}"
        counts[outcome] += 1
        remarks = "".join(f"\n        {remark}" for remark in place.remarks)
        print(f"{outcome:8}{name[5:]} ({time.monotonic() - start:.1f} s){details}{remarks}", flush=True)
    print("packages: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    return min(counts["failed"], 1)
