"""Every benchmark, one after the other, and each goal with its verdict: `make bench`.

Under an hour on two idle cores. A measure is a line `name=value` of the benchmark's output, which
is shown while it runs. Volumes are smaller than a benchmark's own defaults where these take longer.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time

from benchmarks.goals import GOALS, verdicts

ARGUMENTS = {
    "intake": ("--rows", "300000", "--full", "1000000"),
    "desk": ("--seconds", "60", "--weeks", "2"),
    "warehouse": ("--rows", "1000000"),
}
MEASURE = re.compile(r"(\w+)=(-?\d+(?:\.\d+)?(?:e-?\d+)?)\n")


def main() -> None:
    """Run all; the exit status is 1 when a benchmark failed, whatever it measured."""
    lines: list[str] = []
    began = time.monotonic()
    failed = False
    for bench in GOALS:
        print(f"--- {bench}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{bench}", *ARGUMENTS.get(bench, ())]
        found: dict[str, float] = {}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                print(line, end="", flush=True)
                if measure := MEASURE.fullmatch(line):
                    found[measure[1]] = float(measure[2])
        failed = failed or process.returncode != 0
        lines += verdicts(bench, found)
    print("--- goals")
    print(*lines, sep="\n")
    reached = sum(line.endswith(": reached") for line in lines)
    minutes = (time.monotonic() - began) / 60
    print(f"{reached} of {len(lines)} goals reached, in {minutes:.0f} minutes")
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
