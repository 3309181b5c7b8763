"""What keeps strangers out of a class: who may ask, how often, how much, and what a browser may do with the answer.

A request must be for this machine by a name or address of its own (`Host`), so that no page elsewhere can reach it by a
name that it points here; what changes something must come from our own page (`Origin`).
"""

import ipaddress
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import ClassVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

MOST_BYTES = 4096
"""Of a message."""
MOST_CONNECTIONS = 400
MOST_FROM_ONE_ADDRESS = 300
"""A whole class may come through one router."""
MESSAGES, MESSAGES_A_SECOND = 30, 8.0
"""Messages of one phone at once, and on average: a slider that is dragged sends some."""
WRONG_CODES, WRONG_SECONDS = 60, 60.0
"""Wrong codes from one address, and of all addresses ten times that, in so many seconds: of 160,000 codes."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws://{host}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def is_ours(host: str | None, own: set[str]) -> bool:
    """Whether a `Host` names this machine: by an address, or by one of its own names."""
    if not host or len(host) > 260:
        return False
    name, _, port = host.rpartition(":")
    if not port.isdecimal() or not name or (":" in name and not name.startswith("[")):
        name = host
    name = name.strip("[]").lower().rstrip(".")
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name in own
    return True


def own_names() -> set[str]:
    """Names by which this machine may be asked for."""
    try:
        name = socket.gethostname().lower().rstrip(".")
    except OSError:
        return {"localhost"}
    short = name.partition(".")[0]
    return {"localhost", name, short, f"{short}.local"}


def comes_from_us(headers: Headers) -> bool:
    """Whether a request was made by a page of this server."""
    return headers.get("origin") == f"http://{headers.get('host')}"


class Guard:
    """Every request goes through here."""

    headers: ClassVar[Mapping[str, str]] = _HEADERS
    policy: ClassVar[str] = _POLICY
    refusal: ClassVar[str] = "This is not an address of the class."

    def __init__(self, app: ASGIApp, names: set[str] | None = None) -> None:
        """Before an application.

        Args:
            names: of this machine; found out if left out.
        """
        self._app, self._names = app, own_names() if names is None else names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on with headers."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host")
        known = is_ours(host, self._names)
        changes = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if not known or (changes and not comes_from_us(headers)):
            if scope["type"] == "websocket":
                await WebSocket(scope, receive, send).close(1008)
            else:
                refused = PlainTextResponse(self.refusal, 403 if known else 421)
                await refused(scope, receive, self._with_headers(send, ""))
            return
        await self.answer(scope, receive, self._with_headers(send, str(host)) if scope["type"] == "http" else send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on what was let in."""
        await self._app(scope, receive, send)

    def _with_headers(self, send: Send, host: str) -> Send:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                headers["Content-Security-Policy"] = self.policy.format(host=host)
            await send(message)

        return sent


class Bucket:
    """So many at once, so many a second on average."""

    def __init__(self, most: float, a_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        """A full one."""
        self._most, self._a_second, self._clock = most, a_second, clock
        self._left, self._at = most, clock()

    def take(self) -> bool:
        """Whether there is one more."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at) * self._a_second)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class Door:
    """Counts connections and wrong codes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """With nobody in."""
        self._clock = clock
        self._inside: Counter[str] = Counter()
        self._wrong: deque[tuple[float, str]] = deque()

    def come(self, address: str) -> bool:
        """Whether one more connection is let in."""
        if self._inside.total() >= MOST_CONNECTIONS or self._inside[address] >= MOST_FROM_ONE_ADDRESS:
            return False
        self._inside[address] += 1
        return True

    def go(self, address: str) -> None:
        """One that was let in has gone."""
        self._inside[address] -= 1
        if self._inside[address] <= 0:
            del self._inside[address]

    def may_try(self, address: str) -> bool:
        """Whether somebody there may try a code, or a key."""
        while self._wrong and self._wrong[0][0] < self._clock() - WRONG_SECONDS:
            self._wrong.popleft()
        here = sum(one == address for _, one in self._wrong)
        return here < WRONG_CODES and len(self._wrong) < 10 * WRONG_CODES

    def wrong(self, address: str) -> None:
        """Somebody there tried a wrong one."""
        self._wrong.append((self._clock(), address))
