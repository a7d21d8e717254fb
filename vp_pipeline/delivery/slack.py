"""Slack: posting a message, and delivering the outbox's messages once each.

Here: `chat.postMessage`, what its responses mean for an entry, and the order of delivery. Not here: the text of a
message (`automation/notifications/`).

What is guaranteed. Slack takes no idempotency keys. A message that was refused or never reached it is sent again; one
that may have been taken (the response was lost, or the process died between sending and recording) is looked for in the
channel's history first, by the key in its metadata, and recorded when it is there. So each message is there once, as
long as the token may read the history (`channels:history`, or `groups:history` for a private channel). Without that
scope an unconfirmed message is sent again, marked as such: twice is better than never.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

from pydantic import SecretStr

from vp_pipeline.delivery.outbox import Box, Entry, State, retry_at
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.settings import Settings

if TYPE_CHECKING:
    from dagster_slack import SlackResource

EVENT_TYPE = "veracitypro_alert"
_LOOK_BACK = timedelta(minutes=5)  # clocks differ
_PAGES = 5
# Errors of the message itself: no later try would be accepted, and other messages are not affected.
_ABOUT_THE_MESSAGE = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "no_text", "invalid_metadata"}
)


class MayBeTaken(TransientError):
    """The request was sent, and no response shows whether the message was taken."""


class Busy(TransientError):
    """Slack did not take the message. `seconds`: when to try again, if it requires a delay."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


@dataclass(frozen=True)
class Slack:
    """A channel. Without a token it is off: `is_on` is false and nothing is ever sent."""

    token: SecretStr | None
    channel: str | None
    api_url: str
    timeout_seconds: float = 10.0

    @property
    def is_on(self) -> bool:
        return self.token is not None

    def post(self, key: str, content: Mapping[str, Any]) -> str:
        """Posts `text` and `blocks` of `content`; returns the message's ts.

        Raises:
            Busy: it was not taken: rate limit, no connection, or settings that Slack does not accept.
            MayBeTaken: no response came, or one that leaves it open (5xx).
            PermanentError: the message itself is refused.
        """
        response = self._call(
            "chat.postMessage",
            {
                "channel": self.channel,
                "text": content["text"],
                **({"blocks": content["blocks"]} if content.get("blocks") else {}),
                "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": key}},
                "unfurl_links": False,
                "unfurl_media": False,
            },
        )
        return str(response["ts"])

    def find(self, key: str, since: datetime) -> str | None:
        """The ts of the message of `key` in the channel's history, if it is there.

        Raises:
            Busy, MayBeTaken: the history could not be read now.
            PermanentError: the token may not read the history.
        """
        query: dict[str, Any] = {
            "channel": self.channel,
            "oldest": f"{(since - _LOOK_BACK).timestamp():.6f}",
            "include_all_metadata": True,
            "limit": 200,
        }
        for _ in range(_PAGES):
            response = self._call("conversations.history", query)
            for message in response.get("messages") or []:
                metadata = message.get("metadata") or {}
                if metadata.get("event_type") == EVENT_TYPE and metadata["event_payload"].get("key") == key:
                    return str(message["ts"])
            cursor = (response.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
            query["cursor"] = cursor
        return None

    @cached_property
    def resource(self) -> "SlackResource":
        """dagster-slack's resource, of which the client comes."""
        from vp_pipeline.delivery.slack_resource import slack_channel  # deferred import: 0.2 s

        assert self.token is not None
        return slack_channel(self.token, self.channel or "", self.api_url, self.timeout_seconds)

    def _call(self, method: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        from slack_sdk.errors import SlackApiError, SlackClientError

        try:
            response = self.resource.get_client().api_call(method, json=dict(body))
        except SlackApiError as error:
            raise _refusal(method, error.response) from None
        except (URLError, HTTPException, OSError, SlackClientError) as error:
            raise _unreachable(self.api_url, error) from None
        assert isinstance(response.data, dict)
        return response.data


@dataclass
class Delivery:
    """What one round did: keys that are delivered now, keys kept (Slack is off), and why the others are not.

    `tried`: a request was sent; otherwise it was too early for the first that waits.
    """

    delivered: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    waiting: int = 0
    problem: str | None = None
    tried: bool = False


def build_slack(settings: Settings) -> Slack:
    """The channel that the settings name."""
    return Slack(settings.slack_token, settings.slack_channel, str(settings.slack_api_url))


def deliver(slack: Slack, box: Box, log: Callable[[str], None], now: datetime | None = None) -> Delivery:
    """Delivers what is open, oldest first, up to the first message that Slack does not take now.

    Where Slack is off, the text of each message goes to `log` and the entry is kept: it is not sent later, when it
    would be old news.

    Raises:
        TransientError: another process is delivering.
    """
    done = Delivery()
    with box.delivering():
        for entry in box.open_entries():
            if not slack.is_on:
                log(str(entry.content["text"]))
                box.note(entry.key, "kept", now)
                done.kept.append(entry.key)
                continue
            moment = now or datetime.now(UTC)
            if done.problem or (entry.not_before is not None and entry.not_before > moment):
                done.waiting += 1
                done.problem = done.problem or entry.reason
                continue
            _deliver(slack, box, entry, done, moment)
    return done


def _deliver(slack: Slack, box: Box, entry: Entry, done: Delivery, now: datetime) -> None:
    content, is_unconfirmed = entry.content, entry.is_unconfirmed
    done.tried = True
    try:
        if is_unconfirmed:
            try:
                found = slack.find(entry.key, entry.changed_at)
                is_unconfirmed = False
            except PermanentError:
                found, content = None, {"text": f"(This may have been sent before.) {entry.content['text']}"}
            if found is not None:
                box.note(entry.key, "delivered", now, receipt={"ts": found, "found": True})
                done.delivered.append(entry.key)
                return
        box.note(entry.key, "sending", now)
        box.note(entry.key, "delivered", now, receipt={"ts": _post(slack, entry.key, content)})
        done.delivered.append(entry.key)
    except PermanentError as error:
        box.note(entry.key, "refused", now, reason=str(error))
        done.refused.append(f"{entry.key}: {error}")
    except TransientError as error:
        wait = error.seconds if isinstance(error, Busy) else None
        state: State = "unconfirmed" if is_unconfirmed or isinstance(error, MayBeTaken) else "failed"
        box.note(entry.key, state, now, reason=str(error), not_before=retry_at(entry.tries, now, wait))
        done.waiting += 1
        done.problem = str(error)


def _post(slack: Slack, key: str, content: Mapping[str, Any]) -> str:
    try:
        return slack.post(key, content)
    except PermanentError:
        if not content.get("blocks"):
            raise
        # A message in plain text is better than none.
        return slack.post(key, {"text": content["text"]})


def _refusal(method: str, response: Any) -> Exception:
    status = response.status_code
    if status == 429:
        seconds = float(response.headers.get("Retry-After", response.headers.get("retry-after", 30)))
        return Busy(f"Slack limits the rate of {method} and requires a delay of {seconds:.0f} s.", seconds)
    if status >= 500:
        return MayBeTaken(f"Slack responded to {method} with HTTP {status}.")
    error = response.data.get("error", "no reason") if isinstance(response.data, dict) else f"HTTP {status}"
    if error in _ABOUT_THE_MESSAGE or (method == "conversations.history" and error != "ratelimited"):
        return PermanentError(f"Slack refused {method}: {error}.")
    return Busy(f"Slack refused {method}: {error}. Look at VP_SLACK_TOKEN and VP_SLACK_CHANNEL.")


def _unreachable(url: str, error: Exception) -> Exception:
    cause: object = error.reason if isinstance(error, URLError) else error
    # Refused or not resolved: no byte of the request left this machine.
    if isinstance(cause, ConnectionRefusedError) or type(cause).__name__ == "gaierror":
        return Busy(f"Slack cannot be reached at {url} ({cause}).")
    return MayBeTaken(f"Slack at {url} gave no response ({type(cause).__name__}: {cause}).")
