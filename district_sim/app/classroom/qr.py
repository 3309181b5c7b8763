"""The address of a class as a QR code, on a page and in a terminal."""

import base64

import segno


def qr_of(url: str) -> str:
    """A QR code as the address of a picture."""
    picture = segno.make(url, error="m").svg_inline(scale=6, border=3, light="#ffffff", omitsize=True)
    return f"data:image/svg+xml;base64,{base64.b64encode(_svg(picture).encode()).decode()}"


def qr_in_terminal(url: str) -> str:
    """A QR code in half blocks, two rows a line; light is drawn, as terminals are dark."""
    rows = [[not dark for dark in row] for row in segno.make(url, error="l").matrix_iter(border=2)]
    rows += [[True] * len(rows[0])] * (len(rows) % 2)
    upper, lower, full = "\N{UPPER HALF BLOCK}", "\N{LOWER HALF BLOCK}", "\N{FULL BLOCK}"
    blocks = {(True, True): full, (True, False): upper, (False, True): lower, (False, False): " "}
    return "\n".join(
        "".join(blocks[pair] for pair in zip(*two, strict=True)) for two in zip(rows[::2], rows[1::2], strict=True)
    )


def _svg(inline: str) -> str:
    return inline.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) if "xmlns" not in inline else inline
