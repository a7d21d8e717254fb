"""A step of one source in a run that has several: what goes wrong there stays there.

Stock Dagster skips everything below a step that fails, which is the marts of every source. So such a step records what
failed of each day and ends; the assets below it are refused by the gate, those of other sources are built, and the last
step of the run turns it red. Here: which steps those are, and their failures as reports. Not here: the order of things
(`flow.py`).
"""

from collections.abc import Iterable, Sequence, Set

import dagster as dg

from vp_pipeline.assets.days.admission import Admitted
from vp_pipeline.assets.days.report import Reports, not_made
from vp_pipeline.assets.retries import MAX_RETRIES
from vp_pipeline.failures import PermanentError, TransientError, file_failure
from vp_pipeline.sources.source import Stream

SOURCE_TAG = "source"


def sources_of_step(context: dg.AssetExecutionContext) -> Set[str]:
    """The sources that the step's assets are of; none where they are of several together, as models are."""
    return {spec.tags[SOURCE_TAG] for spec in context.assets_def.specs if SOURCE_TAG in spec.tags}


def sources_of_run(context: dg.AssetExecutionContext) -> Set[str]:
    """The sources that the run ingests: a step of theirs is in it."""
    layer = context.job_def.asset_layer
    tags = (layer.asset_graph.get(key).tags for key in layer.executable_asset_keys)
    return {each[SOURCE_TAG] for each in tags if SOURCE_TAG in each}


def streams_of_run(context: dg.AssetExecutionContext, streams: Iterable[Stream]) -> Sequence[Stream]:
    """Those of `streams` that the run answers for: of the sources that it ingests, or all where it ingests none. Of
    the other sources there may be nothing yet."""
    asked = sources_of_run(context)
    return [stream for stream in streams if not asked or stream.source in asked]


def is_shared(context: dg.AssetExecutionContext) -> bool:
    """Whether the step is of one source, and the run of others too."""
    own = sources_of_step(context)
    return len(own) == 1 and bool(sources_of_run(context) - own)


def recording_failures(context: dg.AssetExecutionContext, admitted: Admitted, reports: Reports) -> Reports:
    """`reports`, and where making them fails, the failure as the report of every day that is left. A `TransientError`
    is raised until the step was tried as often as it may be. A bug is logged with its stack."""
    left = {day: set(keys) for day, keys in admitted.items()}
    try:
        for key, day, report in reports:
            yield key, day, report
            left.get(day, set()).discard(key)
    except TransientError as error:
        if context.retry_number < MAX_RETRIES:
            raise
        yield from _failed(context, left, str(error))
    except PermanentError as error:
        yield from _failed(context, left, str(error))
    except Exception as error:
        foreseen = file_failure(error) if isinstance(error, OSError) else None
        if foreseen is None:
            context.log.exception("A bug: please report it with these lines.")
        where = "" if foreseen else " (a bug: the log of this step has where)"
        yield from _failed(context, left, f"{foreseen or f'{type(error).__name__}: {error}'}{where}")


def _failed(context: dg.AssetExecutionContext, left: Admitted, reason: str) -> Reports:
    for day, keys in left.items():
        if keys:
            for key, report in not_made(context, keys, reason).items():
                yield key, day, report
