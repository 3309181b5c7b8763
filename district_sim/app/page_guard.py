"""What stands before Solara's server: who may ask, what a browser may do with the answer, and the head of the page.

Solara lets any page of any host open its socket, forbids zooming and does not say its language.
"""

from collections.abc import Mapping
from typing import ClassVar

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from district_sim.app.classroom.guard import Guard, own_names

__all__ = ["PageGuard", "own_names"]

_VIEWPORT = b'content="width=device-width, initial-scale=1'
_CHANGES = (
    (b"<html>", b'<html lang="en">'),
    (_VIEWPORT + b', maximum-scale=1, user-scalable=no, minimal-ui"', _VIEWPORT + b'"'),
)


class PageGuard(Guard):
    """The guard of a class, with what Solara needs: scripts in the page, templates compiled there, modules as blobs."""

    headers: ClassVar[Mapping[str, str]] = {**Guard.headers, "Referrer-Policy": "same-origin"}
    policy: ClassVar[str] = (
        "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob: data: ws://{host}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
    )
    refusal: ClassVar[str] = "This is not an address of the page."

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on; the page itself with another head."""
        if scope["type"] != "http" or scope["path"] != "/":
            await super().answer(scope, receive, send)
            return
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        started: list[Message] = []
        body: list[bytes] = []

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
                return
            body.append(message.get("body", b""))
            if message.get("more_body"):
                return
            text = b"".join(body)
            for before, after in _CHANGES:
                text = text.replace(before, after, 1)
            MutableHeaders(scope=started[0])["Content-Length"] = str(len(text))
            await send(started[0])
            await send({"type": "http.response.body", "body": text})

        await super().answer({**scope, "headers": plain}, receive, sent)
