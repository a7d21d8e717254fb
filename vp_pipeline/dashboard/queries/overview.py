"""The state of the pipeline, for the first page: what is late, what is excluded, whether the last runs went through."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from vp_pipeline.dashboard.queries import quality
from vp_pipeline.dashboard.reading import Reader

State = Literal["ok", "late", "excluded", "failed"]


@dataclass(frozen=True)
class Remark:
    """A sentence on the state of the pipeline."""

    state: State
    text: str


def remarks(reader: Reader, newest_finished: date) -> list[Remark]:
    """What a reader of the numbers has to know; where there is nothing, one remark that is ok.

    `newest_finished`: the newest day that is over, UTC: the one that should be published."""
    found: list[Remark] = []
    days = reader.publication.days
    if not days or days[-1] < newest_finished:
        newest = f"{days[-1]}" if days else "none"
        found.append(Remark("late", f"The newest published day is {newest}; {newest_finished} is over."))
    if reader.has("mon_freshness"):
        late = quality.late_assets(reader)
        if len(late):
            names = ", ".join(f"{row.asset} ({row.days_behind} d)" for row in late.head(3).itertuples())
            more = f" and {len(late) - 3} more" if len(late) > 3 else ""
            found.append(Remark("late", f"Behind the newest day: {names}{more}."))
    if reader.has("mon_day"):
        excluded = quality.days(reader).dropna(subset=["excluded_because"]).drop_duplicates("run_date")
        if len(excluded):
            newest_one = excluded.iloc[0]
            text = f"{len(excluded)} of the last {quality.DAYS} days are excluded, the newest "
            text += f"{newest_one['run_date']:%Y-%m-%d}: {newest_one['excluded_because']}."
            found.append(Remark("excluded", text))
    if reader.has("mon_excluded_answer"):
        answers = int(quality.excluded(reader)["answers"].sum())
        if answers:
            found.append(Remark("excluded", f"{answers:,} answers of products are excluded from the marts."))
    if reader.has("mon_pipeline_run"):
        runs = quality.runs(reader)
        failed = runs[~runs["has_succeeded"].fillna(False).astype(bool)]
        if len(failed):
            newest_run = failed.iloc[0]
            text = (
                f"{len(failed)} of the last {len(runs)} runs failed, the newest for {newest_run['run_date']:%Y-%m-%d}."
            )
            found.append(Remark("failed", text))
    return found or [Remark("ok", "Nothing is late, excluded or failed.")]
