"""`make soak`: many kills on one folder, then the comparison with an undisturbed one.

The moments follow from the seed and from the number of the kill, so a soak that was stopped continues where it was, and
can be done again with the same moments. Its state is in `soak.json` in the folder.
"""

import argparse
import json
import random
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline_tests.soak import kills


@dataclass
class Soak:
    """How far a soak is. `undisturbed`: seconds of a run that nobody kills, where it was done. `seconds`: of each kill,
    by kind."""

    seed: int
    undisturbed: float | None = None
    seconds: dict[str, list[float]] = field(default_factory=lambda: {"run": [], "deployment": []})


def main() -> int:
    """Continues the soak of a folder; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m vp_pipeline_tests.soak", description=__doc__)
    parser.add_argument("--folder", type=Path, default=PROJECT_ROOT / ".soak", help="where the soak is kept")
    parser.add_argument("--runs", type=int, default=100, help="kills of `vp run`")
    parser.add_argument("--deployments", type=int, default=30, help="kills of everything at once")
    parser.add_argument("--seed", type=int, default=None, help="default: drawn; a soak that is continued keeps its own")
    wanted = parser.parse_args()
    folder: Path = wanted.folder.resolve()
    state = folder / "soak.json"
    if state.exists():
        soak = Soak(**json.loads(state.read_text()))
        if wanted.seed not in (None, soak.seed):
            parser.error(f"the soak in {folder} has the seed {soak.seed}: remove the folder to begin another")
        print(f"Continued in {folder}: seed {soak.seed}, {done(soak)}.", flush=True)
    else:
        soak = Soak(random.randrange(10**6) if wanted.seed is None else wanted.seed)
        print(f"Begun in {folder}: seed {soak.seed}.", flush=True)

    environment = kills.environment_in(folder / "killed")
    undisturbed = kills.environment_in(folder / "undisturbed")
    if soak.undisturbed is None:
        soak.undisturbed = kills.run_to_the_end(undisturbed)
        save(state, soak)
    for kind, count in (("run", wanted.runs), ("deployment", wanted.deployments)):
        for number in range(len(soak.seconds[kind]), count):
            chance, began = random.Random(f"{soak.seed}:{kind}:{number}"), time.monotonic()
            if kind == "run":
                what = kills.kill_vp_run(environment, number, chance)
            else:
                what = kills.kill_deployment(environment, folder / "dagster_dev.log", chance)
            soak.seconds[kind].append(time.monotonic() - began)
            save(state, soak)
            print(f"{kind} {number + 1} of {count}: {soak.seconds[kind][-1]:.0f} s, {what}", flush=True)
    kills.finish(environment, folder / "dagster_dev.log")
    found = kills.differences(environment, undisturbed)
    print(f"Seed {soak.seed}: {done(soak)}. An undisturbed run took {soak.undisturbed:.0f} s.")
    for line in found or ["Every table is as in the undisturbed folder; no run is unfinished, no slot taken."]:
        print(line)
    return 1 if found else 0


def done(soak: Soak) -> str:
    """The kills so far, and how long they took."""
    runs, deployments = soak.seconds["run"], soak.seconds["deployment"]
    return (
        f"{len(runs)} kills of vp run in {sum(runs) / 60:.1f} min, "
        f"{len(deployments)} of everything in {sum(deployments) / 60:.1f} min"
    )


def save(state: Path, soak: Soak) -> None:
    """Writes how far the soak is, in one step."""
    written = state.with_suffix(".partial")
    written.write_text(json.dumps(asdict(soak)))
    written.replace(state)


if __name__ == "__main__":
    sys.exit(main())
