"""Each message once: which is queued, and which is a repeat of one that was.

An event (a run that failed, a tick) is queued once, however often a sensor sees it: its key is the event's. A message
whose cause was reported within the last `VP_ALERT_REPEAT_HOURS` is counted at that one instead; the next one that is
sent has the count. Days, ids and numbers are not part of a cause: one wrong key fails every day alike.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vp_pipeline.automation.notifications.messages import Message, with_repeats
from vp_pipeline.delivery.outbox import Box, Entry
from vp_pipeline.environments.environment import build_environment
from vp_pipeline.redaction import Redaction
from vp_pipeline.settings import Settings

_VARYING = re.compile(r"[0-9a-f]{8,}|\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Alerts:
    """The way into the outbox. `secrets` never get in; they are looked up when a message is queued."""

    box: Box
    repeat: timedelta
    secrets: Callable[[], Iterable[str]] = tuple

    def queue(self, event: str, message: Message, cause: str | None = None, now: datetime | None = None) -> bool:
        """Queues a message for an event, or counts it as a repeat of its cause; whether it was queued now."""
        if self.box.find(event) is not None:
            return False
        now = now or datetime.now(UTC)
        last = self._last(cause) if cause else None
        if last is not None and now - last.queued_at < self.repeat:
            self.box.fold(last.key, event, now)
            return False
        if last is not None and last.repeats:
            message = with_repeats(message, len(last.repeats))
        redact = Redaction(self.secrets())
        content = {"text": redact(message.text), "blocks": _redacted(redact, message.blocks), "cause": cause}
        self.box.put(event, content, now)
        return True

    def _last(self, cause: str) -> Entry | None:
        return next((e for e in reversed(self.box.entries()) if e.content.get("cause") == cause), None)


def build_alerts(settings: Settings) -> Alerts:
    """The way into the outbox that the settings name."""
    return Alerts(
        build_environment(settings).build_box("slack"),
        timedelta(hours=settings.alert_repeat_hours),
        lambda: settings.secrets,
    )


def cause_of(kind: str, where: str, reason: str) -> str:
    """A name for a cause: the same for the same failure on another day or in another run."""
    fixed = _VARYING.sub("#", f"{kind}\n{where}\n{reason}")
    return f"{kind}:{hashlib.sha256(fixed.encode()).hexdigest()[:16]}"


def _redacted(redact: Redaction, value: object) -> object:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {name: _redacted(redact, part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(redact, part) for part in value]
    return value
