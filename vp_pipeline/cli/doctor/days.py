"""The lake, the warehouse, the publication and Dagster's records against each other; the code against the data.

Here: days and models by name, with the command that makes what is missing. Not here: what is known of each day
(`automation/day_overview.py`), and what a change of code restates (`planning/`).
"""

from collections.abc import Iterator, Sequence
from datetime import date

import dagster as dg

from vp_pipeline.automation.day_overview import DayOverview
from vp_pipeline.cli.doctor.finding import Finding, off, ok, wrong
from vp_pipeline.failures import remedies
from vp_pipeline.lake import bronze
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import consecutive, parse_days, span
from vp_pipeline.planning.report import Plan
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.sources.source import Stream


def layers(overviews: Sequence[DayOverview]) -> Iterator[Finding]:
    """Days that are in one layer and not in the next."""
    if not overviews:
        yield off("days", "there is none yet: `vp run` lands one")
        return
    kinds = (
        ("not in silver", [d for d in overviews if d.bronze and not d.silver]),
        ("not in RAW", [d for d in overviews if d.silver and not d.raw]),
        ("not in the marts", [d for d in overviews if d.raw and not d.in_marts and d.excluded_because is None]),
        ("not published", [d for d in overviews if d.in_marts and not d.published]),
    )
    found = False
    for text, affected in kinds:
        for part in consecutive([each.day for each in affected]):
            found = True
            yield wrong("days", f"{span(part)}: {text}, though the layer before has it", _run(part))
    lost = [each.day for each in overviews if not each.bronze and not each.silver]
    for part in consecutive(lost):
        found = True
        yield wrong("days", f"{span(part)}: in the warehouse or published, and not on the lake", _run(part))
    excluded = [each for each in overviews if each.excluded_because]
    if excluded:
        named = ", ".join(f"{each.day}" for each in excluded[:5])
        yield off("excluded days", f"{named}: `vp days` gives the reason of each of {len(excluded)}")
    if not found:
        yield ok("days", f"{span([each.day for each in overviews])}: lake, warehouse and publication agree")


def landed_objects(lake: Lake, streams: Sequence[Stream], day: date) -> Iterator[Finding]:
    """Whether the objects of a day are there as its manifests list them, by name and size."""
    sizes = {}
    for stream in streams:
        manifest = bronze.read_manifest(lake, stream, day)
        for item in manifest.objects if manifest else ():
            sizes[item.path] = item.size
    damaged = [path for path, size in sizes.items() if not lake.exists(path) or lake.size(path) != size]
    if damaged:
        yield wrong("bronze", f"{', '.join(damaged[:3])}: not as it landed on {day}", remedies.resync(day).strip("`"))
    elif sizes:
        yield ok("bronze", f"{len(sizes)} objects of {day} are there as they landed")


def records(instance: dg.DagsterInstance, lake: Lake, streams: Sequence[Stream]) -> Iterator[Finding]:
    """Days of the lake that Dagster has no record of: the UI would list them as missing."""
    found = False
    for stream in streams:
        there = set(parse_days(instance.get_materialized_partitions(dg.AssetKey(["bronze", *stream.unit]))))
        unrecorded = [day for day in bronze.days(lake, stream) if day not in there]
        for part in consecutive(unrecorded):
            found = True
            text = f"{'/'.join(stream.unit)} of {span(part)} is on the lake, and Dagster has no record of it"
            yield wrong("Dagster against the lake", text, _run(part))
    if not found:
        yield ok("Dagster against the lake", "each day of the lake has its record")


def published(marts: PublishedMarts) -> Iterator[Finding]:
    """What consumers read."""
    current = marts.current()
    if current is None:
        yield off("publication", f"there is none yet ({marts.address}): `vp run` publishes")
        return
    yield ok(
        "publication",
        f"build {current.build_id}: {len(current.days)} days, {sum(current.rows.values()):,} rows in "
        f"{len(current.rows)} tables, {current.published_at:%Y-%m-%d %H:%M} UTC",
    )


def code(plan: Plan) -> Iterator[Finding]:
    """Whether the code that is there made what is built."""
    if plan.is_empty:
        yield ok("code against data", "all that is built was made by the code that is there")
    else:
        yield wrong("code against data", f"it differs: {plan.what}; {plan.cost}", "vp plan --apply")


def _run(days: Sequence[date]) -> str:
    return remedies.run(days[0], *days[1:]).strip("`")
