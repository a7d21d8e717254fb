"""A build of all models over the days of a run, in which bad days are found and excluded.

dbt's tests look at whole tables, so one bad day would turn every later build red. When a test fails and its rows name
products, the answers of those are excluded from staging (`answers.py`). What names none is bisected: the days of the
run are excluded from staging and the tables restated, which must be green; then the days are included again by halves
until the bad ones are isolated. Those stay excluded, and everything below is as if they had not been loaded; the others
are built.

What is included or excluded is a day of one stream, and only the streams are searched that the tests which failed are
derived from: streams do not hold each other back.

Here: that search on real builds, and its records in the ledger and the lake (what the next syncs have to know). Not
here: the search as such (`quality/bisection.py`), the ledger (`warehouse/ledger.py`), one dbt command (`attempts.py`).
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date

import dagster as dg

from vp_pipeline.assets.days.admission import Admitted
from vp_pipeline.assets.days.flow import leave_out
from vp_pipeline.assets.days.report import Reports, refused, waivers_of_run
from vp_pipeline.assets.dbt.answers import Blame, Blames, blamed_answers
from vp_pipeline.assets.dbt.attempts import Attempt, DbtStep
from vp_pipeline.assets.dbt.day_reports import Built, green_reports, red_reports, without_a_stream
from vp_pipeline.assets.dbt.downstream import Downstream
from vp_pipeline.assets.dbt.upstream import RawChecks, Units, Upstream, units_of_models, upstream_of_models
from vp_pipeline.lake.objects import Lake
from vp_pipeline.quality.bisection import Bisection, bisect
from vp_pipeline.quality.gate import current_failures
from vp_pipeline.quality.responses.doubts import record_doubts
from vp_pipeline.sources.source import Stream
from vp_pipeline.sources.stream_days import StreamDay
from vp_pipeline.warehouse import ledger
from vp_pipeline.warehouse.connection import Connection
from vp_pipeline.warehouse.excluded_answers import Answer

_NOT_CAUSED_BY_A_DAY = "It fails without the days of this run too: look at the model, or at rows of earlier days."
_EXCLUDED = "The day's rows are excluded from STG onwards; the tables are as they would be without them."


@dataclass(frozen=True)
class Origins:
    """Where models come from. `streams`: those that the ledger keeps days of. `raw_checks`: of each, the blocking
    checks up to RAW. `upstream`, `units`: of each model, everything above it and the streams of that. `downstream`: the
    tests of each model, and what they read."""

    streams: Sequence[Stream]
    raw_checks: RawChecks
    upstream: Upstream
    units: Units
    downstream: Downstream

    def sources_of(self, attempt: Attempt) -> Set[str]:
        """The sources that what has failed in an attempt is derived from."""
        by_name = {key.path[-1]: units for key, units in self.units.items()}
        tests = self.downstream.tests
        models = {name for result in attempt.failed for name in tests.get(result.name, (result.name,))}
        return {source for name in models for source, _ in by_name.get(name, ())}


def origins_of(models: dg.AssetsDefinition, streams: Sequence[Stream], raw_checks: RawChecks) -> Origins:
    """The origins of all models of the project."""
    upstream = upstream_of_models(models)
    return Origins(streams, raw_checks, upstream, units_of_models(upstream, streams), Downstream.of(models, upstream))


@dataclass
class WholeBuild:
    """The build of all models in one run."""

    step: DbtStep
    origins: Origins
    lake: Lake
    _attempts: dict[frozenset[StreamDay], Attempt] = field(default_factory=dict)
    _excluded: dict[frozenset[StreamDay], Blames] = field(default_factory=dict)

    def run(self, admitted: Admitted, absent: Set[StreamDay]) -> Reports:
        """Builds the admitted days, and with them those that are pending validation: loaded alone, or left by a run
        that was killed. `absent`: what the run's days have no rows of.

        Raises:
            PermanentError: dbt could not run, or a model is wrong whatever the data.
            TransientError: another process holds the warehouse.
        """
        context, run_id = self.step.context, self.step.context.run_id
        with self.step.warehouse.connect() as connection:
            pending = set(ledger.pending(connection))
        own = {StreamDay(day, *stream.unit) for day in admitted for stream in self.origins.streams} - absent
        known = {stream.unit for stream in self.origins.streams}
        wanted = own | {each for each in pending if each.unit in known}
        failed_checks = {each: reason for each in sorted(wanted) if (reason := self._blocked(each, each in own))}
        # Where RAW still has the rows that the marts have, they stay; what was loaded since is left out.
        blocked = {each: reason for each, reason in failed_checks.items() if each in pending}
        days = sorted(wanted - failed_checks.keys())
        if not days and not blocked:  # what the run's days have is of streams whose checks have failed
            for day, keys in admitted.items():
                reasons = [why for each, why in failed_checks.items() if each.day == day]
                yield from ((key, day, refused(f"not built, because {reasons[0]}")) for key in sorted(keys))
            return
        build_id = ledger.new_build_id(run_id)
        with self.step.warehouse.connect() as connection:
            self.step.restating.admit(connection)
            ledger.begin(connection, build_id, run_id)
        found = self._search(days, blocked)
        if found.not_caused_by_any_day:
            with self.step.warehouse.connect() as connection:
                ledger.finish(connection, build_id, "red", self.origins.streams)
            yield from red_reports(context, admitted, self._attempts[frozenset()], _NOT_CAUSED_BY_A_DAY)
            return
        failed = {each: self._smallest_red(each) for each in found.bad}
        excluded = {**{each: attempt.failures for each, attempt in failed.items()}, **blocked}
        good = frozenset(found.good)
        with self.step.warehouse.connect() as connection:
            self._set_days(connection, found.good, excluded, self._excluded[good], is_validated=True)
            ledger.finish(connection, build_id, "green", self.origins.streams)
            record_doubts(connection, self.lake, self.origins.streams)
        built = self._built(admitted, found.good)
        leave_out(context, without_a_stream(built, self.origins.units, failed))
        for day in sorted({each.day for each in failed}):
            of_day = {each: attempt for each, attempt in failed.items() if each.day == day}
            for attempt in {id(attempt): attempt for attempt in of_day.values()}.values():
                units = {each.unit for each, its in of_day.items() if its is attempt}
                keys = {key for key, of in self.origins.units.items() if of & units} - built.get(day, set())
                if keys:
                    yield from red_reports(context, {day: keys}, attempt, _EXCLUDED)
        yield from green_reports(
            context, built, self._attempts[good], self.origins.upstream, self._excluded[good], failed
        )

    def _search(self, days: Sequence[StreamDay], blocked: Mapping[StreamDay, str]) -> Bisection[StreamDay]:
        """Divides the days. Those of a source are searched once something that is derived from it has failed: first
        what the build of all of them shows, and more where that was not all."""
        sources: set[str] = set()
        while True:
            others = [each for each in days if each.source not in sources]
            suspects = [each for each in days if each.source in sources]
            found = bisect(suspects, lambda some, rest=others: self._attempt(days, [*rest, *some], blocked))  # type: ignore[misc]
            if not found.not_caused_by_any_day:
                return Bisection(tuple(sorted([*others, *found.good])), found.bad)
            red = [attempt for attempt in self._attempts.values() if not attempt.is_green]
            more = set().union(*(self.origins.sources_of(attempt) for attempt in red)) - sources
            more &= {each.source for each in days}
            if not more and not others:
                if frozenset() not in self._attempts:
                    self._attempt(days, [], blocked)
                return found
            sources |= more or {each.source for each in others}

    def _attempt(
        self, days: Sequence[StreamDay], included: Sequence[StreamDay], blocked: Mapping[StreamDay, str]
    ) -> bool:
        """Restates the window of all days with those in `included`, without the answers that make a test fail; returns
        whether every test passed in the end. What was red is not tried again."""
        included = sorted(included)
        before = self._attempts.get(frozenset(included))
        if before is not None and not before.is_green:
            return False
        excluded = {**{each: "being validated" for each in days if each not in included}, **blocked}
        answers: dict[Answer, Blame] = {}
        window = sorted({each.day for each in [*days, *blocked]})
        while True:
            with self.step.warehouse.connect() as connection:
                self._set_days(connection, included, excluded, answers, is_validated=False)
            attempt = self.step.attempt(window, self._built({}, included))
            if attempt.is_green:
                break
            with self.step.warehouse.connect(read_only=True) as connection:
                more = blamed_answers(
                    connection, attempt, self.origins.upstream, self.origins.streams, included, answers
                )
            if not more:
                break
            answers |= more
            for answer, blame in sorted(more.items(), key=lambda item: item[0]):
                self.step.context.log.warning("%s is excluded from %s: %s", answer.entity, answer.day, blame.reason)
        self._attempts[frozenset(included)] = attempt
        self._excluded[frozenset(included)] = answers
        return attempt.is_green

    def _set_days(
        self,
        connection: Connection,
        included: Iterable[StreamDay],
        excluded: Mapping[StreamDay, str],
        answers: Blames,
        *,
        is_validated: bool,
    ) -> None:
        ledger.set_days(
            connection,
            included,
            excluded,
            is_validated=is_validated,
            run_id=self.step.context.run_id,
            answers={answer: blame.reason for answer, blame in answers.items()},
        )

    def _built(self, admitted: Admitted, good: Iterable[StreamDay]) -> Built:
        """The models that are built, by day: those of which a stream is. Of a day of the run, of those that are
        admitted."""
        built: dict[date, set[dg.AssetKey]] = {}
        for each in good:
            keys = {key for key, of in self.origins.units.items() if each.unit in of}
            built.setdefault(each.day, set()).update(keys & admitted[each.day] if each.day in admitted else keys)
        return built

    def _blocked(self, each: StreamDay, is_own: bool) -> str | None:
        """Why a day may not be built: a failed check of it, unless it is a day of the run, which waives that."""
        failures = current_failures(
            self.step.context.instance, self.origins.raw_checks[each.unit], each.day.isoformat()
        )
        waivers = waivers_of_run(self.step.context)
        return next((reason for check, reason in failures.items() if not (is_own and waivers.covers(check))), None)

    def _smallest_red(self, day: StreamDay) -> Attempt:
        """The red attempt with the fewest days that includes this one."""
        red = [days for days, attempt in self._attempts.items() if day in days and not attempt.is_green]
        return self._attempts[min(red, key=len)]
