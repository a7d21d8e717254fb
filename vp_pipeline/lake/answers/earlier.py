"""Which answers the days before a day have, read from their syncs, from silver, and from the list of doubts.

Here: reading. Not here: the decision what the day requests (`sources/<source>/`).
"""

from collections import defaultdict
from collections.abc import Iterator, Set
from contextlib import suppress
from datetime import date, timedelta

from vp_pipeline.failures import DamagedDataError
from vp_pipeline.lake import bronze, layout, silver
from vp_pipeline.lake.answers import doubts
from vp_pipeline.lake.manifests import SilverManifest, SyncRecord, read_document
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.earlier import Doubt, Earlier, EarlierAnswer
from vp_pipeline.sources.source import Stream

# What responses are of, by the digest of their sync: objects that have landed do not change.
Inspected = dict[str, Set[str]]


def earlier(lake: Lake, stream: Stream, day: date, days_back: int, inspected: Inspected | None = None) -> Earlier:
    """What the `days_back` days before `day` have of a stream with entities. `inspected`: what is known already, and is
    added to: in a run of many days each is inspected once.

    A day whose sync is decoded has the entities of silver's first table; one that is not decoded yet (it is of the same
    run) those that responses with data are of. Recordings are of other moments than their day, and a sync of an earlier
    version may not have recorded what it requested: neither counts. Nor does a day that is damaged: it fails by itself.

    Raises:
        DamagedDataError: the list of doubts cannot be read.
    """
    found = doubts.read(lake, stream)
    answers: defaultdict[str, list[EarlierAnswer]] = defaultdict(list)
    doubted: dict[str, Doubt] = {}
    for sync in _syncs_before(lake, stream, day, days_back):
        of_day = sync.run_date
        if sync.request is None or sync.recorded or (found and of_day in found.excluded_days):
            continue
        answered: Set[str] = set()
        with suppress(DamagedDataError):
            answered = _answered(lake, stream, sync, {} if inspected is None else inspected)
        for entity in sorted(answered):
            reason = found.excluded_answers.get(_key(entity), {}).get(of_day) if found else None
            if reason is None:
                answers[entity].append(EarlierAnswer(of_day, sync.request.recent.get(entity)))
            else:
                doubted.setdefault(entity, Doubt(of_day, f"its answer of {of_day} is excluded: {reason}"))
    for key, (newest, finding) in (found.incomplete if found else {}).items():
        entity = key.replace("-", ":", 1)
        if newest < day and (entity not in doubted or doubted[entity].day <= newest):
            doubted[entity] = Doubt(newest, finding)
    own = bronze.read_sync(lake, stream, day)
    request = own.request if own is not None and not own.recorded else None
    requested = {entity: request.recent.get(entity) for entity in request.entities} if request else {}
    return Earlier(dict(answers), doubted, requested)


def _syncs_before(lake: Lake, stream: Stream, day: date, days_back: int) -> Iterator[SyncRecord]:
    """The newest first."""
    places = layout.SYNC.objects(lake, source=stream.source, stream=stream.name)
    days = sorted({place.parts["day"] for place in places}, reverse=True)
    for earlier_day in days:
        if day - timedelta(days=days_back) <= earlier_day < day:
            with suppress(DamagedDataError):
                sync = bronze.read_sync(lake, stream, earlier_day)
                if sync is not None:
                    yield sync


def _answered(lake: Lake, stream: Stream, sync: SyncRecord, inspected: Inspected) -> Set[str]:
    """The entities that the day of a sync has an answer of, as requests name them."""
    assert stream.entity is not None
    landed = bronze.read_manifest(lake, stream, sync.run_date)
    table = stream.tables[0]
    decoded = read_document(lake, silver.manifest_path(table, sync.run_date), SilverManifest)
    if landed is not None and landed.sync == sync and decoded is not None and decoded.bronze == landed.digest:
        return {":".join(map(str, key)) for key in silver.distinct(lake, decoded, stream.entity.columns)}
    if sync.digest not in inspected:
        found = stream.inspect(bronze.lines_landed(lake, sync)).received
        with_data = (each for each in found if each.refusal is None and each.is_of_request)
        inspected[sync.digest] = {each.entity for each in with_data if each.entity}
    return inspected[sync.digest]


def _key(entity: str) -> str:
    """An entity of a request as the models name it."""
    return entity.replace(":", "-", 1)
