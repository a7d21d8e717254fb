"""A build of all models over the days of a run, in which bad days are found and excluded.

dbt's tests look at whole tables, so one bad day would turn every later build red. When a test fails and its rows name
products, the answers of those are excluded from staging (`answers.py`). What names none is bisected: the days of the
run are excluded from staging and the tables restated, which must be green; then the days are included again by halves
until the bad ones are isolated. Those stay excluded, and everything below is as if they had not been loaded; the others
are built.

Here: that search on real builds, and its records in the ledger. Not here: the search as such (`quality/bisection.py`),
the ledger (`warehouse/ledger.py`), one dbt command (`attempts.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import dagster as dg

from vp_pipeline.assets.days.admission import Admitted
from vp_pipeline.assets.days.report import Reports
from vp_pipeline.assets.dbt.answers import Blame, Blames, blamed_answers
from vp_pipeline.assets.dbt.attempts import Attempt, DbtStep
from vp_pipeline.assets.dbt.day_reports import green_reports, red_reports
from vp_pipeline.assets.dbt.upstream import Upstream
from vp_pipeline.quality.bisection import bisect
from vp_pipeline.quality.gate import current_failures
from vp_pipeline.warehouse import ledger
from vp_pipeline.warehouse.connection import Connection
from vp_pipeline.warehouse.excluded_answers import Answer
from vp_pipeline.warehouse.ledger import Unit

_NOT_CAUSED_BY_A_DAY = "It fails without the days of this run too: look at the model, or at rows of earlier days."
_EXCLUDED = "The day's rows are excluded from STG onwards; the tables are as they would be without them."


@dataclass
class WholeBuild:
    """The build of all models in one run. `units`: the sources and streams that the ledger keeps days of. `raw_checks`:
    the blocking checks up to RAW. `upstream`: of each model."""

    step: DbtStep
    units: Sequence[Unit]
    raw_checks: Sequence[dg.AssetCheckKey]
    upstream: Upstream
    _attempts: dict[frozenset[date], Attempt] = field(default_factory=dict)
    _excluded: dict[frozenset[date], Blames] = field(default_factory=dict)

    def run(self, admitted: Admitted) -> Reports:
        """Builds the admitted days, and with them those that are pending validation: loaded alone, or left by a run
        that was killed.

        Raises:
            PermanentError: dbt could not run, or a model is wrong whatever the data.
            TransientError: another process holds the warehouse.
        """
        context, run_id = self.step.context, self.step.context.run_id
        build_id = ledger.new_build_id(run_id)
        with self.step.warehouse.connect() as connection:
            self.step.restating.admit(connection)
            ledger.begin(connection, build_id, run_id)
            pending = [day for day in ledger.pending_days(connection) if day not in admitted]
        blocked = {day: reason for day in pending if (reason := self._blocked(day))}
        days = sorted({*admitted, *pending} - blocked.keys())
        bisection = bisect(days, lambda included: self._attempt(days, included, blocked))
        if bisection.not_caused_by_any_day:
            with self.step.warehouse.connect() as connection:
                ledger.finish(connection, build_id, "red")
            yield from red_reports(context, admitted, self._attempts[frozenset()], _NOT_CAUSED_BY_A_DAY)
            return
        failed = {day: self._smallest_red(day) for day in bisection.bad}
        excluded = {**{day: attempt.failures for day, attempt in failed.items()}, **blocked}
        good = frozenset(bisection.good)
        with self.step.warehouse.connect() as connection:
            self._set_days(connection, bisection.good, excluded, self._excluded[good], is_validated=True)
            ledger.finish(connection, build_id, "green")
        for day, attempt in failed.items():
            yield from red_reports(context, [day], attempt, _EXCLUDED)
        yield from green_reports(context, bisection.good, self._attempts[good], self.upstream, self._excluded[good])

    def _attempt(self, days: Sequence[date], included: Sequence[date], blocked: Mapping[date, str]) -> bool:
        """Restates the window of all days with those in `included`, without the answers that make a test fail; returns
        whether every test passed in the end."""
        excluded = {**{day: "being validated" for day in days if day not in included}, **blocked}
        answers: dict[Answer, Blame] = {}
        while True:
            with self.step.warehouse.connect() as connection:
                self._set_days(connection, included, excluded, answers, is_validated=False)
            attempt = self.step.attempt([*days, *blocked], included)
            if attempt.is_green:
                break
            with self.step.warehouse.connect(read_only=True) as connection:
                more = blamed_answers(
                    connection, attempt, self.upstream, self.step.dbt.settings.streams, included, answers
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
        included: Sequence[date],
        excluded: Mapping[date, str],
        answers: Blames,
        *,
        is_validated: bool,
    ) -> None:
        ledger.set_days(
            connection,
            self.units,
            included,
            excluded,
            is_validated=is_validated,
            run_id=self.step.context.run_id,
            answers={answer: blame.reason for answer, blame in answers.items()},
        )

    def _blocked(self, day: date) -> str | None:
        """Why a day that is not of this run may not be built: a failed check of it."""
        failures = current_failures(self.step.context.instance, self.raw_checks, day.isoformat())
        return next(iter(failures.values()), None)

    def _smallest_red(self, day: date) -> Attempt:
        """The red attempt with the fewest days that includes this one."""
        red = [days for days, attempt in self._attempts.items() if day in days and not attempt.is_green]
        return self._attempts[min(red, key=len)]
