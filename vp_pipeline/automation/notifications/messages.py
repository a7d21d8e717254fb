"""The text of messages: Block Kit and the same in plain text, cut to what Slack takes.

Here: pure functions from values to messages. Not here: when a message is due (`sensors.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vp_pipeline.automation.notifications.run_summary import RunSummary, Trouble
from vp_pipeline.planning.plan import READS

Block = dict[str, Any]

# Slack's limits, less what surrounds the text.
_HEADER, _FIELD, _SECTION, _TEXT = 150, 1_900, 2_900, 3_900
_LISTED = 5


@dataclass(frozen=True)
class Message:
    """`text` is what notifications, logs and the outbox show; `blocks` what the channel shows."""

    text: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Link:
    """An address in the UI and what it is called."""

    label: str
    url: str


def started(summary: RunSummary, link: Link) -> Message:
    return _message(f"▶ {summary.job} started for {summary.days_text}", [], [], [link])


def succeeded(summary: RunSummary, link: Link) -> Message:
    mark = "⚠" if summary.warned else "✅"
    after = f" after {summary.tries} tries" if summary.tries > 1 else ""
    title = f"{mark} {summary.job} succeeded for {summary.days_text}{after}"
    lists = _lists(("Restated", _restated(summary)), ("Warnings", summary.warned))
    return _message(title, _fields(summary), lists, [link])


def failed(summary: RunSummary, link: Link) -> Message:
    first = summary.first_failure
    after = f" after {summary.tries} tries" if summary.tries > 1 else ""
    others = [trouble for trouble in summary.failed[1:] if trouble.check]
    fields = {"First failing step": _where(first), **_fields(summary)}
    lists = _lists(("Other failed checks", others), ("Restated", _restated(summary)), ("Warnings", summary.warned))
    title = f"🔴 {summary.job} failed for {summary.days_text}{after}"
    return _message(title, fields, lists, [link], cause=first.reason)


def checks(summary: RunSummary, link: Link) -> Message:
    """Checks of a run that has no message of its own."""
    of = summary.job if summary.days is None else f"{summary.job} for {summary.days_text}"
    title = f"{'🔴' if summary.failed else '⚠'} Checks of {of}"
    return _message(title, {}, _lists(("Failed", summary.failed), ("Warned", summary.warned)), [link])


def check_outside_runs(check: str, reason: str, is_warning: bool, link: Link) -> Message:
    title = f"{'⚠' if is_warning else '🔴'} Check {'warned' if is_warning else 'failed'}: {check}"
    return _message(title, {}, [], [link], cause=reason)


def backfill(backfill_id: str, status: str, summaries: Sequence[RunSummary], link: Link) -> Message:
    """All runs of a backfill in one message; `summaries` are those that failed, and `status` is Dagster's."""
    if not summaries:
        mark = "✅" if "SUCCESS" in status else "🔴"
        return _message(f"{mark} Backfill {backfill_id} ended: {status.lower().replace('_', ' ')}", {}, [], [link])
    first = summaries[0].first_failure
    by_day = [Trouble(s.days_text, s.first_failure.check, _brief(s.first_failure)) for s in summaries]
    title = f"🔴 Backfill {backfill_id}: {len(summaries)} run{'s' if len(summaries) > 1 else ''} failed"
    fields = {"First failing step": _where(first), "Days": ", ".join(s.days_text for s in summaries)}
    return _message(title, fields, [("By day", by_day)], [link], cause=first.reason)


def failed_tick(kind: str, name: str, reason: str, link: Link) -> Message:
    return _message(f"🔴 The {kind} {name} failed", {}, [], [link], cause=reason)


def report(title: str, fields: Mapping[str, str], link: Link) -> Message:
    return _message(title, fields, [], [link])


def with_repeats(message: Message, repeats: int) -> Message:
    """The same message, with how often its cause came while nothing was sent."""
    note = f"The same cause came {repeats} more time{'s' if repeats > 1 else ''} since the last message about it."
    return replace(message, text=f"{message.text}\n{note}", blocks=(*message.blocks, _context(note)))


def cut(text: str, limit: int) -> str:
    """`text` as mrkdwn takes it (&, < and > escaped), at most `limit` characters, never cut inside an escape."""
    whole = _escaped(text)
    if len(whole) <= limit:
        return whole
    kept, size = [], 1
    for character in text:
        escaped = _escaped(character)
        size += len(escaped)
        if size > limit:
            break
        kept.append(escaped)
    return "".join(kept) + "…"


def _message(
    title: str,
    fields: Mapping[str, str] | list[Any],
    lists: Sequence[tuple[str, Sequence[Trouble]]],
    links: Sequence[Link],
    cause: str | None = None,
) -> Message:
    named = dict(fields)
    lines = [title, *(f"{name}: {value}" for name, value in named.items())]
    blocks: list[Block] = [
        {"type": "header", "text": {"type": "plain_text", "text": _plain(title, _HEADER), "emoji": True}}
    ]
    pairs = list(named.items())
    for begin in range(0, len(pairs), 10):  # a section takes ten
        some = pairs[begin : begin + 10]
        blocks.append({"type": "section", "fields": [_mrkdwn(f"*{n}*\n{cut(v, _FIELD)}") for n, v in some]})
    if cause:
        lines.append(cause)
        blocks.append({"type": "section", "text": _mrkdwn(f"```{cut(cause, _SECTION)}```")})
    for name, troubles in lists:
        listed = [f"{trouble.check or trouble.step}: {_brief(trouble)}" for trouble in troubles[:_LISTED]]
        if len(troubles) > _LISTED:
            listed.append(f"and {len(troubles) - _LISTED} more")
        lines += [f"{name} ({len(troubles)}):", *(f"  {line}" for line in listed)]
        listing = cut("\n".join(f"• {line}" for line in listed), _SECTION)
        blocks.append({"type": "section", "text": _mrkdwn(f"*{name}* ({len(troubles)})\n{listing}")})
    lines += [f"{link.label}: {link.url}" for link in links]
    blocks.append(_context(" · ".join(f"<{link.url}|{_escaped(link.label)}>" for link in links)))
    return Message(_plain("\n".join(lines), _TEXT), tuple(blocks))


def _fields(summary: RunSummary) -> dict[str, str]:
    tests = ", ".join(f"{count} {name}" for name, count in summary.tests.items())
    rows = "nothing was published" if summary.published_rows is None else f"{summary.published_rows:,}"
    return {
        "Day" if summary.days is None or summary.days[0] == summary.days[1] else "Days": summary.days_text,
        "Duration": _duration(summary.seconds),
        "dbt": f"{summary.models} models; tests: {tests}",
        "Rows published": rows,
    }


def _restated(summary: RunSummary) -> Sequence[Trouble]:
    """The models that were built as a whole; first those whose own code has changed."""
    found = [Trouble(model, None, why) for model, why in summary.restated.items()]
    return sorted(found, key=lambda model: (model.reason.startswith(READS), model.step))


def _lists(*lists: tuple[str, Sequence[Trouble]]) -> list[tuple[str, Sequence[Trouble]]]:
    return [(name, found) for name, found in lists if found]


def _where(trouble: Trouble) -> str:
    return f"{trouble.step} (check {trouble.check})" if trouble.check else trouble.step


def _brief(trouble: Trouble) -> str:
    first = trouble.reason.strip().splitlines()[0] if trouble.reason.strip() else ""
    return first if len(first) <= 240 else first[:239] + "…"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _context(text: str) -> Block:
    return {"type": "context", "elements": [_mrkdwn(text)]}


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def _plain(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
