"""What a green build has found of the answers of each stream, for the syncs that come after it.

Here: from the ledger and the comparison with the vendor's figures to the list in the lake. Not here: the list
(`lake/answers/doubts.py`), and what is requested because of it.
"""

from collections.abc import Iterable
from datetime import date

from vp_pipeline.lake.answers import doubts
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.registry import SOURCES
from vp_pipeline.sources.source import Oracle, Stream, airbyte_sources
from vp_pipeline.warehouse import ledger
from vp_pipeline.warehouse.connection import Connection
from vp_pipeline.warehouse.excluded_answers import excluded_answers, newest_days

_ASKING = {source.name: source for source in airbyte_sources(SOURCES) if source.asking is not None}


def record_doubts(connection: Connection, lake: Lake, streams: Iterable[Stream]) -> None:
    """Writes the list of each stream whose requests depend on what earlier days have."""
    for stream in streams:
        source = _ASKING.get(stream.source)
        if source is None:
            continue
        days = {each.day: why for each, why in ledger.excluded(connection).items() if each.unit == stream.unit}
        answers: dict[str, dict[date, str]] = {}
        for answer, why in excluded_answers(connection).items():
            if (answer.source, answer.stream) == stream.unit:
                answers.setdefault(answer.entity, {})[answer.day] = why
        findings = _incomplete(connection, source.oracle) if source.oracle else {}
        newest = newest_days(connection, stream, findings.keys())
        found = {entity: (newest[entity], why) for entity, why in sorted(findings.items()) if entity in newest}
        doubts.write(
            lake,
            stream,
            doubts.Doubts(
                source=stream.source,
                stream=stream.name,
                excluded_days=days,
                excluded_answers=answers,
                incomplete=found,
            ),
        )


def _incomplete(connection: Connection, oracle: Oracle) -> dict[str, str]:
    """The entities with a figure that only their whole history may have, with the finding (the first, by name)."""
    if not oracle.needs_whole:
        return {}
    found = connection.execute(
        f"select {oracle.key}, min(finding) from monitoring.{oracle.model} "
        f"where finding in ({', '.join(['?'] * len(oracle.needs_whole))}) group by {oracle.key} order by 1",
        [*oracle.needs_whole],
    ).fetchall()
    return dict(found)
