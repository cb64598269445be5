"""Run all benchmarks, each in a process of its own, and write results/<machine>.json, its picture, and RESULTS.md."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent
SCRIPTS = ["training_step", "prediction", "options", "scaling", "overheads", "time_to_accuracy"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="to measure each row for, default 20")
    parser.add_argument("--only", help=f"some of {','.join(SCRIPTS)}; the results of the others stay as they are")
    parser.add_argument("--peers", help="names, separated by commas; default: all that are installed")
    parser.add_argument("--threads", type=int, help="for every library; default: the cores this process may use")
    parser.add_argument("--quick", action="store_true", help="only to try it; results go to a temporary folder")
    given = parser.parse_args()
    if given.threads:
        os.environ["BENCH_THREADS"] = str(given.threads)
    scripts = given.only.split(",") if given.only else SCRIPTS
    unknown = set(scripts) - set(SCRIPTS)
    if unknown:
        parser.error(f"--only: got {', '.join(unknown)}; it takes some of {', '.join(SCRIPTS)}")

    import machine  # now that the number of threads is chosen
    import report

    description = machine.describe()
    target = Path(tempfile.mkdtemp()) if given.quick else FOLDER
    path = target / "results" / f"{machine.slug(description)}.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    results["machine"] = description
    common = ["--seconds", str(given.seconds), *(["--peers", given.peers] if given.peers else [])]
    common += ["--quick"] if given.quick else []
    failed = []
    for script in scripts:
        print(f"\n== {script}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "result.json"
            command = [sys.executable, str(FOLDER / f"{script}.py"), *common, "--json", str(output)]
            if subprocess.run(command).returncode:
                failed.append(script)
                continue
            results[script] = json.loads(output.read_text())
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(results, indent=1) + "\n")  # at once: what comes later may fail
    report.write(target)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
