"""Airflow's command line in a process that collects garbage rarely.

Run as `python -m lumbung.local.airflow_command COMMAND` instead of `python -m airflow COMMAND`. The
processes that Airflow forks, such as those of tasks, inherit it.
"""

from __future__ import annotations

import gc
import sys

from lumbung.memory import RARELY


def main() -> None:
    """Run the command of Airflow that the arguments name."""
    gc.set_threshold(*RARELY)
    from airflow.__main__ import main as airflow

    sys.argv[0] = "airflow"
    airflow()


if __name__ == "__main__":
    main()
