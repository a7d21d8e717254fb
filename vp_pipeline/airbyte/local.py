"""The embedded Airbyte of the local environment: no server, connectors run in this process.

Here: the reuse of a finished sync, and of what an unfinished one landed; the choice between the vendor and the sandbox.
Not here: how a connector is run and its records landed (`connector_runner.py`).
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from importlib import import_module
from pathlib import Path

import orjson

from vp_pipeline.airbyte.batches import Requested, UnfinishedSync, landed_responses, read_unfinished, unfinished_path
from vp_pipeline.airbyte.connector_runner import AirbyteConnection, Begun, ConnectorRunner, next_job_id
from vp_pipeline.airbyte.interface import NOT_BILLED, Log, Sync, sync_of_past_day
from vp_pipeline.failures import DamagedDataError, PermanentError
from vp_pipeline.lake import bronze, layout
from vp_pipeline.lake.answers.earlier import Inspected, earlier
from vp_pipeline.lake.manifests import SyncRecord
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import newest_finished_day
from vp_pipeline.settings import Settings, secret_variables
from vp_pipeline.sources.source import AirbyteSource, Batches, Origin, Stream, SyncRequest

# What the data of a source are, as its record `layout.ORIGIN` has it.
_KINDS = ("vendor", "stand-in")
_NAMED = 5


@dataclass(frozen=True)
class _Asked:
    """What a sync requests, and the configuration that does."""

    origin: Origin
    config: dict[str, object]
    request: SyncRequest | None


@dataclass(frozen=True)
class LocalAirbyte:
    """The local implementation of `Airbyte`: runs the connector manifests in this process."""

    settings: Settings
    lake: Lake
    _inspected: Inspected = field(default_factory=dict, repr=False, compare=False)

    def sync(
        self,
        source: AirbyteSource,
        stream: Stream,
        run_date: date,
        *,
        resync: bool = False,
        log: Log | None = None,
    ) -> Sync:
        """See `Airbyte.sync`."""
        existing = bronze.sync_before(self.lake, stream, run_date, resync=resync)
        with self.origin(source, run_date) as origin:
            config = source.connector_config(self.settings.of(source), origin)
            fingerprint = _fingerprint(source, origin, config)
            config |= source.of_day(run_date)
            self.refuse_mixing(source)
            if existing is not None and existing.fingerprint == fingerprint and not resync:
                return Sync(existing, reused=f"sync {existing.job_id} requested the same from {existing.origin}")
            if self._uses_vendor(source):
                past = sync_of_past_day(stream, run_date, newest_finished_day(), existing, resync=resync)
                if past is not None:
                    return past
            asked = self._asked(source, stream, run_date, origin, config)
            return self._run(source, stream, run_date, asked, fingerprint, log)

    def _asked(
        self, source: AirbyteSource, stream: Stream, run_date: date, origin: Origin, config: dict[str, object]
    ) -> _Asked:
        """What a day requests. Recordings are as they are, whatever is requested of them."""
        request = source.request_of(config)
        settings, asking = self.settings.of(source), source.asking
        days_back = asking.days_back(settings) if asking else 0
        if request and asking and days_back and not origin.recorded:
            request = asking.ask(
                settings, request, run_date, earlier(self.lake, stream, run_date, days_back, self._inspected)
            )
            config |= asking.config(request)
        return _Asked(origin, config, request)

    def estimate(self, source: AirbyteSource, stream: Stream, run_date: date, *, resync: bool = False) -> str:
        """See `Airbyte.estimate`."""
        existing = bronze.sync_before(self.lake, stream, run_date, resync=resync)
        with self.origin(source, run_date) as origin:
            config = source.connector_config(self.settings.of(source), origin)
            fingerprint = _fingerprint(source, origin, config)
        if existing is not None and existing.fingerprint == fingerprint and not resync:
            return f"nothing: sync {existing.job_id} requested the same"
        if self._uses_vendor(source):
            past = sync_of_past_day(stream, run_date, newest_finished_day(), existing, resync=resync)
            if past is not None:
                return f"nothing: {past.reused}"
        if source.batches is None:
            return NOT_BILLED
        requested = self._continued(source.batches, stream, run_date, config, fingerprint).requested
        return requested.estimate(balance(source, self.settings))

    def _run(
        self,
        source: AirbyteSource,
        stream: Stream,
        run_date: date,
        asked: _Asked,
        fingerprint: str,
        log: Log | None,
    ) -> Sync:
        origin, config, request = asked.origin, asked.config, asked.request
        connection = AirbyteConnection(
            source=source.name,
            stream=stream.name,
            manifest=source.manifest,
            config=config,
            secrets=self.settings.of(source).secrets,
            credentials=secret_variables(source),
            batches=source.batches,
        )
        begun = None
        if source.batches is not None and not origin.recorded:  # a new stand-in begins the recordings anew
            # It continues only what requested the same of each product.
            begun = self._begun(source.batches, stream, run_date, config, _fingerprint(source, origin, config))
        job = ConnectorRunner(self.lake, log=log).sync(connection, begun=begun)
        if job.refused and not job.records:
            # Not filed: a finished sync is used again, and the next run is to request everything once more.
            self._forget(stream, run_date)
            reasons = "; ".join(f"{entity}: {reason}" for entity, reason in list(job.refused.items())[:_NAMED])
            raise PermanentError(
                f"{source.name} refused everything that {source.name}/{stream.name} requested for {run_date} "
                f"({len(job.refused)}): {reasons} Correct what is requested."
            )
        record = SyncRecord(
            source=source.name,
            stream=stream.name,
            run_date=run_date,
            job_id=job.job_id,
            origin=origin.label,
            fingerprint=fingerprint,
            started_at=job.started_at,
            ended_at=job.ended_at,
            records=job.records,
            bytes=job.bytes,
            objects=job.objects,
            request=request and replace(request, left_out=origin.left_out),
            refused=job.refused,
            recorded=origin.recorded,
        )
        self.lake.write(_origin_path(source), self._kind(source).encode())
        self.lake.write(bronze.sync_path(stream, run_date), record.to_bytes())
        self._forget(stream, run_date)
        return Sync(record, reused=None, figures=job.figures)

    def _begun(
        self, batches: Batches, stream: Stream, run_date: date, config: Mapping[str, object], fingerprint: str
    ) -> Begun:
        """The sync that an earlier attempt of the day began, with what it landed; or a new one. It is on record."""
        begun = self._continued(batches, stream, run_date, config, fingerprint)
        requested = begun.requested

        def keep() -> None:
            document = UnfinishedSync(
                source=stream.source,
                stream=stream.name,
                run_date=run_date,
                job_id=begun.job_id,
                fingerprint=fingerprint,
                refused=requested.refused,
            )
            self.lake.write(unfinished_path(stream, run_date), document.to_bytes())

        requested.on_refused = keep
        keep()
        return begun

    def _continued(
        self, batches: Batches, stream: Stream, run_date: date, config: Mapping[str, object], fingerprint: str
    ) -> Begun:
        earlier = read_unfinished(self.lake, stream, run_date, fingerprint)
        requested = Requested(batches, config, earlier.refused if earlier else None)
        landed = []
        if earlier is not None:
            for path, record in landed_responses(self.lake, stream, earlier.job_id):
                requested.answer(record)
                landed.append(path)
        return Begun(earlier.job_id if earlier else next_job_id(), tuple(landed), requested)

    def _forget(self, stream: Stream, run_date: date) -> None:
        self.lake.delete(unfinished_path(stream, run_date))

    @contextmanager
    def origin(self, source: AirbyteSource, run_date: date) -> Iterator[Origin]:
        """Where the responses of a day come from; a stand-in is served for the block."""
        settings = self.settings.of(source)
        if settings.uses_vendor:
            yield Origin.of_vendor(settings)
            return
        from vp_pipeline.sandbox.api import build_api
        from vp_pipeline.sandbox.server import Sandbox

        seed = self.settings.sandbox_seed
        api = build_api(source.name, settings.recordings, seed)
        label = f"sandbox (seed {seed})"
        if settings.recordings:
            label = f"recordings in {settings.recordings.name} ({_folder_digest(settings.recordings)})"
        with Sandbox({source.name: api}) as sandbox:
            yield Origin(
                base_url=sandbox.base_url(source.name, run_date),
                label=label,
                entities=api.entities,
                recorded=settings.recordings is not None,
                left_out=api.left_out,
            )

    def _uses_vendor(self, source: AirbyteSource) -> bool:
        return self.settings.of(source).uses_vendor

    def _kind(self, source: AirbyteSource) -> str:
        return _KINDS[0] if self._uses_vendor(source) else _KINDS[1]

    def refuse_mixing(self, source: AirbyteSource) -> None:
        """Raises PermanentError: the data folder has data of the other kind, real or generated."""
        path = _origin_path(source)
        content = self.lake.find(path)
        there = None if content is None else content.decode(errors="replace")
        if there not in (None, *_KINDS):
            raise DamagedDataError(
                f"{self.lake.location(path)} records whether the data of {source.name} are real, and holds neither "
                f"{' nor '.join(_KINDS)}. Write into it which of them they are."
            )
        if there is not None and there != self._kind(source):
            raise PermanentError(
                f"{self.settings.data_dir} holds {source.name} data of the {there}, and this sync would read from the "
                f"{self._kind(source)}: real and generated products must not mix in one warehouse. Set VP_DATA_DIR to "
                "another folder."
            )


def _origin_path(source: AirbyteSource) -> str:
    return layout.ORIGIN.path(source=source.name)


def balance(source: AirbyteSource, settings: Settings) -> Mapping[str, object]:
    """What is left to pay the vendor with, as it responds; nothing of a stand-in."""
    own = settings.of(source)
    if source.account is None or not own.uses_vendor:
        return {}
    found: Mapping[str, object] = import_module(source.account).balance(own)
    return found


def _fingerprint(source: AirbyteSource, origin: Origin, config: dict[str, object]) -> str:
    """What is requested, from where, by which connector; without credentials, addresses that vary, and the day: the
    days of a source are compared with one another by it."""
    requested = {name: value for name, value in config.items() if name not in source.incidental}
    document = orjson.dumps([origin.label, requested], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(document + source.manifest.read_bytes()).hexdigest()


def _folder_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.json")):
        digest.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]
