"""What pytest skipped, from the files that its --junitxml writes.

    python tools/ci/skips.py files first.xml    # the files that have tests which something was missing for
    python tools/ci/skips.py check first.xml .. # fail if no run has run a test that this machine could

A test that was skipped in one run and ran in another has run. What is left needs a reason that is listed here: that of
the last run that skipped it, in the order given.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

# Nothing belongs here that another package, another folder or another run of the tests could mend, unless it says why.
ALLOWED = [
    r"root may write anywhere",  # it takes a user who is not root
    r"the baseline does not fuse multiply-adds",  # it takes a processor with AVX2 or NEON
    r"this processor and build have one instruction set with fused multiply-adds",  # there is none to compare with
    r"such arguments have no answer worth comparing",  # one of a product of parameters that means nothing
    r"always 1$",  # likewise
    r"labels at once, of which each is 0 or 1",  # likewise
    r"torch's exporter refuses Keras's LayerNormalization",  # and on JAX
    r"This requires the jax2onnx module",  # from_onnx does not read what that writes
    r"scikit-learn's checks take more memory than a thread does",  # nor are they foxnn's
    r"no control group for processes can be made here",  # it takes root, and a machine that lets it
    r"^needs (arm-none-eabi-gcc|qemu-system-arm|avr-gcc|a libgomp of one's own)",  # .ci/run installs them where it can
    r"^needs tsc",  # likewise
    r"unable to import module .*(torch|keras)_mod",  # to look for examples; the tests that run there import it
    r"all tests skipped by \+SKIP option",  # an example that needs PyTorch or Keras, in a docstring
]
if not os.environ.get("FOXNN_DATA_DIR"):
    ALLOWED.append(r"FOXNN_DATA_DIR")  # the full MNIST is not part of the repository


class Case(NamedTuple):
    module: str  # dotted; a module that skips as a whole has no name
    name: str
    skipped: str | None  # why


def cases(report: Path) -> Iterator[Case]:
    for case in ElementTree.parse(report).iter("testcase"):
        skip = case.find("skipped")
        why = None
        if skip is not None and skip.get("type") != "pytest.xfail":
            # "path:line: reason", or, of a module, a tuple of the three in the text
            said = skip.get("message") or ""
            if said == "collection skipped":
                said = (skip.text or "").rsplit("Skipped: ", 1)[-1].rstrip("')\n")
            why = said
        module, name = case.get("classname") or "", case.get("name") or ""
        yield Case(module, name, why) if module else Case(name, "", why)


def allowed(reason: str) -> bool:
    return any(re.search(pattern, reason) for pattern in ALLOWED)


def files(reports: list[Path]) -> int:
    found = set()
    for report in reports:
        for case in cases(report):
            path = Path(*case.module.split(".")).with_suffix(".py")
            if case.skipped is not None and not allowed(case.skipped) and path.exists():
                found.add(path.as_posix())
    print(*sorted(found), sep="\n")
    return 0


def check(reports: list[Path]) -> int:
    skipped: dict[tuple[str, str], str] = {}
    run, modules_run = set(), set()
    for report in reports:
        for case in cases(report):
            if case.skipped is None:
                run.add((case.module, case.name))
                modules_run.add(case.module)
            else:
                skipped[case.module, case.name] = case.skipped
    left = {
        (module, name): reason
        for (module, name), reason in skipped.items()
        if (module, name) not in run and not (name == "" and module in modules_run)
    }
    print(f"{len(run)} tests have run, {len(left)} have been skipped in every run")
    wrong = False
    for reason, count in Counter(left.values()).most_common():
        if allowed(reason):
            print(f"  {count:4}  {reason}")
        else:
            wrong = True
            which = [f"{module}::{name}" for (module, name), why in left.items() if why == reason]
            print(f"  {count:4}  {reason}  <- not a reason that {Path(__file__).name} allows: {', '.join(which[:3])}")
    return 1 if wrong else 0


def main(arguments: list[str]) -> int:
    commands = {"files": files, "check": check}
    if len(arguments) < 2 or arguments[0] not in commands:
        print(__doc__, file=sys.stderr)
        return 2
    return commands[arguments[0]]([Path(argument) for argument in arguments[1:]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
