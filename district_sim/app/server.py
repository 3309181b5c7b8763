"""The server of the page: bound to one address, asking nobody else for anything."""

import os
import socket
import threading
import warnings
import webbrowser
from collections.abc import Callable
from typing import Any

_OFF = "http://127.0.0.1:9/"  # the discard port: whoever asks there is refused at once
_ENVIRONMENT = {
    "SOLARA_APP": "district_sim.app.app",
    "SOLARA_MODE": "production",  # development mode loads a check from another host
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False",
    "SOLARA_ASSETS_PROXY": "True",  # assets come from this server: from the package solara-assets
    "SOLARA_ASSETS_CDN": _OFF,
    "SOLARA_ASSETS_FONTAWESOME_ENABLED": "False",
    "SOLARA_THEME_SHOW_BANNER": "False",
    "SOLARA_KERNEL_CULL_TIMEOUT": "15m",  # a browser that lost its connection finds its district again until then
}


def stay_at_home() -> None:
    """No telemetry, no asset and no check from elsewhere, also when somebody else started Solara's server."""
    import solara.server.settings
    import solara.settings

    solara.server.settings.telemetry.mixpanel_enable = False
    solara.server.settings.main.mode = "production"
    solara.settings.assets.proxy = True
    solara.settings.assets.cdn = _OFF


def bound(host: str, port: int) -> socket.socket:
    """A socket bound to an address, so that a port that is taken is known before anything is started.

    Args:
        port: 0 for any free one.

    Raises:
        OSError: it is taken, or may not be used, or there is no such host.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    made = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(128)
    except OSError:
        made.close()
        raise
    return made


def serve(at: socket.socket, started: Callable[[], None]) -> None:
    """Serve the page until Ctrl-C.

    Args:
        at: where; see `bound`.
        started: called once requests are answered.
    """
    os.environ.update(_ENVIRONMENT)
    host, port = at.getsockname()[:2]
    os.environ |= {"SERVER_NAME": str(host), "SERVER_PORT": str(port)}
    warnings.filterwarnings("ignore", "Cookies with samesite=none require https", UserWarning)  # http is meant here
    from solara.server import starlette

    stay_at_home()
    serve_application(starlette.app, at, started)


def serve_application(application: Any, at: socket.socket, started: Callable[[], None], **settings: Any) -> None:
    """Serve an ASGI application until Ctrl-C.

    Args:
        settings: of uvicorn.
    """
    import uvicorn

    config = uvicorn.Config(application, **{"log_level": "error", "timeout_graceful_shutdown": 2, **settings})
    server = uvicorn.Server(config)

    def wait() -> None:
        while not server.started and not server.should_exit:
            threading.Event().wait(0.05)
        if server.started:
            started()

    threading.Thread(target=wait, daemon=True).start()
    server.run(sockets=[at])


def show(url: str) -> None:
    """Open a browser; no harm where there is none."""
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
