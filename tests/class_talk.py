"""Connections and requests to an application without a network: what it is sent, and what it answers."""

import asyncio
import json
import os
from collections.abc import Callable
from typing import Any

HOME = "127.0.0.1:8770"
PATIENCE = float(os.environ.get("PATIENCE", 120))  # seconds until something counts as frozen


class Frozen(Exception):
    """No answer came."""


class Talk:
    """One connection to an application, spoken without a network."""

    def __init__(self, app: Any, path: str, **headers: str) -> None:
        self.heard: list[str] = []
        self.closed = False
        self._in: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._news = asyncio.Event()
        named = {"host": HOME, "origin": f"http://{HOME}"} | headers
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8770),
            "scheme": "ws",
            "subprotocols": [],
        }
        self._in.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.ensure_future(app(scope, self._in.get, self._sent))

    async def _sent(self, message: Any) -> None:
        if message["type"] == "websocket.send":
            self.heard.append(message["text"])
        elif message["type"] == "websocket.close":
            self.closed = True
        self._news.set()

    def send(self, text: str | bytes) -> None:
        """Send a frame."""
        self._in.put_nowait({"type": "websocket.receive", "text" if isinstance(text, str) else "bytes": text})

    async def until(self, seen: Callable[[dict[str, Any]], bool], since: int = 0) -> dict[str, Any] | None:
        """The first message of a kind since a place; None if the connection was closed. Raises Frozen."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    while since < len(self.heard):
                        message = json.loads(self.heard[since])
                        since += 1
                        if seen(message):
                            return message
                    if self.closed or self._task.done():
                        return None
                    self._news.clear()
                    if since == len(self.heard):
                        await self._news.wait()
        except TimeoutError:
            raise Frozen from None

    async def ask(self, text: str | bytes) -> dict[str, Any] | None:
        """Send a frame; the answer to it."""
        since = len(self.heard)
        self.send(text)
        return await self.until(lambda message: "ok" in message or "no" in message, since)

    async def leave(self) -> None:
        """Hang up."""
        self._in.put_nowait({"type": "websocket.disconnect", "code": 1001})
        async with asyncio.timeout(PATIENCE):
            await self._task


async def request(app: Any, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
    """One request without a network: status and body."""
    sent: list[dict[str, Any]] = []
    waiting = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.Event().wait()  # who asked stays until the answer is there
        return waiting.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "query_string": b"",
        "headers": [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8770),
        "scheme": "http",
    }
    async with asyncio.timeout(PATIENCE):
        await app(scope, receive, send)
    body = b"".join(one.get("body", b"") for one in sent if one["type"] == "http.response.body")
    return sent[0]["status"], body.decode("utf-8", "replace")
