"""The sandbox's Slack: `auth.test`, `chat.postMessage`, `conversations.history`, as a bot in a channel sees them."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from vp_pipeline.sandbox.services.service import Reply, Request

_TEXT_LIMIT, _SECTION_LIMIT, _BLOCKS_LIMIT, _HEADER_LIMIT, _FIELD_LIMIT = 40_000, 3_000, 50, 150, 2_000


class SlackStandIn:
    """Takes messages of one token; `messages` are those in the channel, oldest first.

    `may_read_history`: whether the token has the scope for `conversations.history`.
    """

    def __init__(self, token: str = "sandbox", may_read_history: bool = True) -> None:
        self.token = token
        self.may_read_history = may_read_history
        self.messages: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def respond(self, request: Request) -> Reply:
        """Slack responds to nearly everything with 200; `ok` has the outcome."""
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return _refused("invalid_auth")
        body = request.body if isinstance(request.body, dict) else {}
        match request.path:
            case "/auth.test":
                scopes = ["chat:write", *(["channels:history"] if self.may_read_history else [])]
                body = {"ok": True, "team": "Sandbox", "user": "veracitypro"}
                return Reply(200, body, {"X-OAuth-Scopes": ",".join(scopes)})
            case "/chat.postMessage":
                return self._post(body)
            case "/conversations.history":
                return self._history({**request.query, **body})
        return _refused("unknown_method")

    def _post(self, body: Mapping[str, Any]) -> Reply:
        problem = _problem(body)
        if problem:
            return _refused(problem)
        with self._lock:
            ts = f"{time.time():.3f}{len(self.messages):03d}"
            message = {"type": "message", "ts": ts, **{k: v for k, v in body.items() if k != "channel"}}
            self.messages.append(message)
        return Reply(200, {"ok": True, "channel": body["channel"], "ts": ts, "message": message})

    def _history(self, query: Mapping[str, Any]) -> Reply:
        if not self.may_read_history:
            return _refused("missing_scope")
        oldest, limit = float(query.get("oldest", 0)), int(query.get("limit", 100))
        begin = int(query.get("cursor") or 0)
        newest_first = [m for m in reversed(self.messages) if float(m["ts"]) > oldest]
        page = newest_first[begin : begin + limit]
        following = str(begin + limit) if begin + limit < len(newest_first) else ""
        return Reply(
            200,
            {
                "ok": True,
                "messages": page,
                "has_more": bool(following),
                "response_metadata": {"next_cursor": following},
            },
        )


def _problem(body: Mapping[str, Any]) -> str | None:
    """Why Slack would not take a message."""
    if not body.get("channel"):
        return "channel_not_found"
    blocks = body.get("blocks") or []
    if not body.get("text") and not blocks:
        return "no_text"
    if len(body.get("text") or "") > _TEXT_LIMIT:
        return "msg_too_long"
    if len(blocks) > _BLOCKS_LIMIT or not all(map(_is_sound, blocks)):
        return "invalid_blocks"
    return None


def _is_sound(block: Mapping[str, Any]) -> bool:
    match block.get("type"):
        case "header":
            return 0 < len(block["text"]["text"]) <= _HEADER_LIMIT and block["text"]["type"] == "plain_text"
        case "section":
            texts = [block["text"]["text"]] if "text" in block else []
            fields = [field["text"] for field in block.get("fields", ())]
            return (
                bool(texts or fields)
                and all(0 < len(text) <= _SECTION_LIMIT for text in texts)
                and len(fields) <= 10
                and all(0 < len(text) <= _FIELD_LIMIT for text in fields)
            )
        case "context":
            return 0 < len(block["elements"]) <= 10
        case "divider":
            return True
    return False


def _refused(error: str) -> Reply:
    return Reply(200, {"ok": False, "error": error})
