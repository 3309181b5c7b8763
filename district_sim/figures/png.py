"""Pixels as a PNG: of lines, letters and plain areas, unfiltered rows make a smaller file than what filters choose, and
choosing takes longer than drawing some of our figures."""

import struct
import zlib

import numpy as np

_LEVEL = 3
_INCH = 0.0254
_RGB, _RGBA = 2, 6


def png(pixels: np.ndarray, dpi: float) -> bytes:
    """The file.

    Args:
        pixels: (height, width, 4) uint8, red, green, blue, opacity; written without the last where all is opaque.
        dpi: pixels to an inch.
    """
    opaque = bool((pixels[..., 3] == 255).all())
    colours = pixels[..., :3] if opaque else pixels
    height, width, channels = colours.shape
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # each begins with its filter, none
    rows[:, 1:] = colours.reshape(height, -1)
    dense = round(dpi / _INCH)  # to a metre
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, _RGB if opaque else _RGBA, 0, 0, 0)),
            _chunk(b"pHYs", struct.pack(">IIB", dense, dense, 1)),
            _chunk(b"IDAT", zlib.compress(rows, _LEVEL)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
