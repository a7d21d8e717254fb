"""How long the code location takes to load, beside its floor: importing Dagster and dagster-dbt and nothing else.

    python benchmarks/load.py

Fresh processes, interleaved; medians. Target: the code location loads in under 3 s.
"""

import statistics
import subprocess
import sys

RUNS = 7
CANDIDATES = {
    "import dagster": "import dagster",
    "import dagster, dagster_dbt": "import dagster, dagster_dbt",
    "the code location": "import vp_pipeline.definitions",
}
_TIMED = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"


def main() -> None:
    """Prints a line for each candidate."""
    seconds: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    for _ in range(RUNS):
        for name, statement in CANDIDATES.items():
            run = subprocess.run(
                [sys.executable, "-c", _TIMED.format(statement)], capture_output=True, text=True, check=True
            )
            seconds[name].append(float(run.stdout.split()[-1]))
    for name, found in seconds.items():
        print(f"{name:30} {statistics.median(found):5.2f} s  (best {min(found):.2f} s, {RUNS} runs)")


if __name__ == "__main__":
    main()
