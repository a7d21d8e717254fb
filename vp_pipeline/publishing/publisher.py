"""Publishing, the same way on every engine: the last finished build of the marts replaces what consumers read, as a
whole or not at all.

Here: when a build may be published, and the order of the steps. Not here: how an engine takes a step (`duckdb.py`,
`snowflake.py`), and reading (`reader.py`).
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from vp_pipeline.failures import PermanentError
from vp_pipeline.publishing import changes
from vp_pipeline.publishing.losses import LossError, Losses, losses
from vp_pipeline.publishing.publication import KEPT, Contents, Publication
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.sources.source import Stream
from vp_pipeline.warehouse import ledger, model_code
from vp_pipeline.warehouse.connection import Connection
from vp_pipeline.warehouse.ledger import Build

_NAMED = 5


class History(Protocol):
    """The publications that are kept."""

    def all(self) -> list[Publication]:
        """The current one and all others, in any order, each whole and verified."""
        ...

    def rolled_back_from(self) -> str | None:
        """The build that a person rolled back, while an earlier one is current."""
        ...


class Session(History, Protocol):
    """The steps of publishing. Consumers notice `swap_in` and `restore` only; a kill before, between or after any of
    them leaves one whole publication current."""

    def built_marts(self) -> AbstractContextManager[Connection]:
        """The warehouse. `contents` and `copy` within one block see the same state of it, as far as the engine can."""
        ...

    def contents(self, connection: Connection, build: Build) -> Contents:
        """What a build's marts hold."""
        ...

    def copy(self, connection: Connection, made: Publication, contents: Contents) -> None:
        """Makes the publication beside the current one: the tables, and its record."""
        ...

    def record_changes(
        self, connection: Connection, made: Publication, replaced: Publication, keys: changes.Keys
    ) -> None:
        """Fills the copy's table `changes`; see `changes.py`. `keys`: the columns of each mart's grain."""
        ...

    def verify(self, made: Publication, contents: Contents) -> None:
        """Compares the copy with the build.

        Raises:
            PermanentError: it differs.
        """
        ...

    def swap_in(self, made: Publication) -> None:
        """Makes the copy current, in one step. No build is rolled back from then on."""
        ...

    def restore(self, target: Publication, current: Publication, keys: changes.Keys) -> None:
        """Makes another publication current again, in one step, with the changes that lead to it in its table
        `changes`. Of two the newer one is rolled back from then on, or not any more."""
        ...

    def prune(self, kept: Sequence[Publication]) -> None:
        """Removes every other publication, and what a killed session left."""
        ...


class Engine(Protocol):
    """What differs between warehouses."""

    @property
    def marts(self) -> PublishedMarts:
        """What consumers read."""
        ...

    def history(self) -> AbstractContextManager[History]:
        """To look only."""
        ...

    def session(self, run_id: str) -> AbstractContextManager[Session]:
        """To publish or to roll back. One session at a time."""
        ...


@dataclass(frozen=True)
class Publisher:
    """Replaces what consumers read. Each method leaves it as it was or changes it in one step. `code`: the fingerprint
    of each model as the project is now. `keys`: the columns of each mart's grain. `streams`: what the marts are derived
    from."""

    engine: Engine
    code: Callable[[], Mapping[str, str]]
    keys: Callable[[], changes.Keys] = dict
    streams: Sequence[Stream] = ()

    @property
    def marts(self) -> PublishedMarts:
        """What consumers read."""
        return self.engine.marts

    def publish(self, run_id: str, *, may_lose: bool = False) -> Publication:
        """Makes the last build current; returns what is current then. `may_lose`: a person allows it to take days or
        products away from consumers.

        A build with the same contents as the current publication changes nothing: consumers need not read it again,
        and what can be restored stays something else.

        Raises:
            LossError: the current publication has days or products that the build has not.
            PermanentError: the last build is not whole and green, was rolled back, was made by other code than the
                project's, or the copy differs from it.
        """
        with self.engine.session(run_id) as session:
            replaced = self.marts.current()
            with session.built_marts() as connection:
                build = publishable(ledger.last_build(connection), session.rolled_back_from())
                code = self.code()
                _require_code(model_code.made_by_other_code(connection, code))
                contents = session.contents(connection, build)
                content = _content(contents, code)
                if replaced is not None and replaced.content == content:
                    return replaced
                if replaced is not None and not may_lose:
                    _require_everything(losses(connection, build, self.marts, replaced, self.streams))
                at = changes.next_moment(replaced)
                made = Publication(
                    build_id=build.build_id,
                    run_id=run_id,
                    published_at=at,
                    rows={name: rows for name, (rows, _) in contents.tables.items()},
                    days=build.days,
                    replaces=replaced.build_id if replaced else None,
                    content=content,
                )
                made = changes.continued(made, replaced, at)
                session.copy(connection, made, contents)
                if replaced is not None:
                    session.record_changes(connection, made, replaced, self.keys())
            session.verify(made, contents)
            session.swap_in(made)
            session.prune(_to_keep(made, self._kept(session)))
            return made

    def kept(self) -> list[Publication]:
        """The current publication and those that can be restored, newest first."""
        with self.engine.history() as history:
            return self._kept(history)

    def rolled_back_from(self) -> str | None:
        """The build that a person rolled back, while an earlier one is current."""
        with self.engine.history() as history:
            return history.rolled_back_from()

    def roll_back(self, to: str | None = None) -> Publication:
        """Makes another kept publication current; returns it. `to`: its build, or the beginning of it, older or newer;
        None: the one that the current one replaced.

        Raises:
            PermanentError: it is not kept, is current, or more than one begins so.
        """
        with self.engine.session("rollback") as session:
            current = self.marts.current()
            if current is None:
                raise PermanentError(f"There is no publication to go back to: nothing was published yet ({self._at}).")
            target = self._target(current, self._kept(session), to)
            session.restore(target, current, self.keys())
            return target

    def _kept(self, history: History) -> list[Publication]:
        """Those that consumers have read, newest first. A publish that was killed may have left one that none read."""
        current, rolled_back = self.marts.current(), history.rolled_back_from()
        found = history.all()
        newest = [each.published_at for each in found if each == current or each.build_id == rolled_back]
        return _newest_first([each for each in found if newest and each.published_at <= max(newest)])

    def _target(self, current: Publication, kept: Sequence[Publication], to: str | None) -> Publication:
        others = [each for each in kept if each.build_id != current.build_id]
        if to is None:
            found = [each for each in others if each.build_id == current.replaces]
            why = f"the one before {current.build_id} is not kept" if current.replaces else "it is the first"
            wrong = f"There is no publication to go back to: {why}"
        else:
            found = [each for each in others if each.build_id.startswith(to)]
            which = "is current" if current.build_id.startswith(to) else "is not kept"
            wrong = f"Build {to} {which}" if not found else f"More than one build begins with {to}"
        if len(found) != 1:
            there = f"There are {', '.join(each.build_id for each in others)}" if others else "There is no other"
            raise PermanentError(f"{wrong} ({self._at}). {there}: `vp published list`.")
        return found[0]

    @property
    def _at(self) -> str:
        return self.marts.address


def _newest_first(publications: Sequence[Publication]) -> list[Publication]:
    return sorted(publications, key=lambda each: each.published_at, reverse=True)


def _to_keep(current: Publication, publications: Sequence[Publication]) -> list[Publication]:
    """The current one, the one that it replaced, and the newest others."""
    first = [current.build_id, current.replaces]
    ordered = sorted(publications, key=lambda each: each.build_id not in first)
    return ordered[:KEPT]


def publishable(build: Build | None, rolled_back: str | None) -> Build:
    """The build, if it may be published. `rolled_back`: the build that a person rolled back.

    Raises:
        PermanentError: it may not; the message has the reason and the remedy.
    """
    remedy = "Run the whole pipeline (or all dbt models) for a day; consumers read the last published marts until then."
    if build is None:
        raise PermanentError(f"The marts were never built as a whole. {remedy}")
    of = f"of {build.began_at:%Y-%m-%d %H:%M} UTC (run {build.run_id[:8]})"
    missing = what_is_missing(build.stale)
    refusal = {
        "building": f"The last build of the marts, {of}, did not finish.",
        "red": f"The last build of the marts, {of}, is red: see its checks.",
        "part": f"The last build, {of}, was of some models only. The marts are not whole; {missing}.",
    }.get(build.state)
    if refusal is None and not build.days:
        refusal = f"The last build of the marts, {of}, holds no day."
    if refusal is not None:
        raise PermanentError(f"{refusal} {remedy}")
    if build.build_id == rolled_back:
        raise PermanentError(
            f"Build {build.build_id} was rolled back by hand. Run a day: the next build is published again."
        )
    return build


def what_is_missing(stale: Mapping[str, str]) -> str:
    """What is to be built, or run again, before the marts are whole; `stale`: as the ledger keeps it."""
    if ledger.EVERYTHING in stale:
        return f"all models are to be built, because {stale[ledger.EVERYTHING]}"
    more = f" and {len(stale) - _NAMED} more" if len(stale) > _NAMED else ""
    named = [f"{name} ({reason})" for name, reason in stale.items()][:_NAMED]
    return f"to be built too: {', '.join(named)}{more}"


def _require_code(differing: Sequence[str]) -> None:
    if differing:
        more = f" and {len(differing) - _NAMED} more" if len(differing) > _NAMED else ""
        raise PermanentError(
            f"The marts were built by other code than is there now: {', '.join(differing[:_NAMED])}{more}. Consumers "
            "read the last published marts until a run has restated them: `vp plan` lists what differs."
        )


def _require_everything(lost: Losses) -> None:
    if lost:
        raise LossError(f"{lost.text} Nothing was published. {lost.remedy}")


def _content(contents: Contents, code: Mapping[str, str]) -> str:
    """What makes a publication another one: its contents and the code of the tables whose rows do not count."""
    views = {name: code.get(name.split(".")[1]) for name in sorted(contents.views)}
    return hashlib.sha256(repr((contents.digest, views)).encode()).hexdigest()
