"""The receiver of OpenLineage events, and the outbox of the runs that it is to get.

An entry of the outbox is a run; its events are made of Dagster's records when they are posted. They have the same ids
each time, so a run whose posting was interrupted is posted again as a whole: the receiver takes it for the same run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import SecretStr

from vp_pipeline.delivery.outbox import Box, Entry, retry_at
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.settings import Settings

if TYPE_CHECKING:
    from openlineage.client.event_v2 import RunEvent


@dataclass(frozen=True)
class Receiver:
    """Where events are posted, one a request."""

    url: str
    token: SecretStr | None
    timeout_seconds: float = 10.0

    def post(self, event: "RunEvent") -> None:
        """Posts an event.

        Raises:
            TransientError: it is not known to have been taken: rate limit, 5xx, no response.
            PermanentError: the receiver refuses it.
        """
        import requests  # deferred import: 0.1 s
        from openlineage.client.serde import Serde

        headers = {"Content-Type": "application/json"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token.get_secret_value()}"
        body = Serde.to_json(event).encode()
        try:
            response = requests.post(
                self.url, data=body, headers=headers, timeout=self.timeout_seconds, allow_redirects=False
            )
        except requests.RequestException as error:
            raise TransientError(f"The OpenLineage receiver gave no response ({type(error).__name__}).") from None
        status = response.status_code
        if status == 429 or status >= 500:
            raise TransientError(f"The OpenLineage receiver responded with HTTP {status}.")
        if not 200 <= status < 300:
            raise PermanentError(
                f"The OpenLineage receiver refused an event of {event.job.name} with HTTP {status}. Look at "
                "VP_OPENLINEAGE_URL and VP_OPENLINEAGE_TOKEN."
            )


def build_receiver(settings: Settings) -> Receiver | None:
    """The receiver that the settings name; None: there is none."""
    return Receiver(str(settings.openlineage_url), settings.openlineage_token) if settings.openlineage_url else None


def post_runs(receiver: Receiver, box: Box, events_of: Callable[[str], "list[RunEvent]"]) -> tuple[int, str | None]:
    """Posts the open runs of the box, oldest first, up to the first that the receiver does not take; returns how many
    it took, and why it did not take the next one.

    Args:
        events_of: the events of a run, by its id; none for a run that was deleted since.

    Raises:
        TransientError: another process is posting.
    """
    posted = 0
    with box.delivering():
        for entry in box.open_entries():
            now = datetime.now(UTC)
            if entry.not_before is not None and entry.not_before > now:
                return posted, entry.reason
            if problem := _post(receiver, box, entry, events_of(entry.key), now):
                return posted, problem
            posted += 1
    return posted, None


def _post(receiver: Receiver, box: Box, entry: Entry, events: "list[RunEvent]", now: datetime) -> str | None:
    """Posts a run; returns why it was not taken. A refusal may be of the settings, so it is tried again too."""
    box.note(entry.key, "sending", now)
    try:
        for event in events:
            receiver.post(event)
    except (TransientError, PermanentError) as error:
        box.note(entry.key, "failed", now, reason=str(error), not_before=retry_at(entry.tries, now))
        return str(error)
    box.note(entry.key, "delivered", now, receipt={"events": len(events)})
    return None
