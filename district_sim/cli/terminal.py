"""Terminals that cannot print every letter (ascii, latin-1, cp1252): plain ones take the place, never a traceback."""

import codecs
import errno
import io
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

_PLAIN = {
    "−": "-", "–": "-", "—": "-", "‑": "-", "…": "...", "·": "-", "•": "*", "✓": "yes", "✗": "no",
    "‘": "'", "’": "'", "“": '"', "”": '"', "«": '"', "»": '"', "\u00a0": " ", "\u202f": " ", "\u2009": " ",
    "€": "EUR", "£": "GBP", "±": "+/-", "×": "x", "÷": "/", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "∞": "inf",
    "√": "sqrt", "→": "->", "←": "<-", "↑": "^", "↓": "v", "½": "1/2", "¼": "1/4", "¾": "3/4", "°": " deg",
    "§": "section ",
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "Δ": "Delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "λ": "lambda", "μ": "mu", "µ": "u", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "χ": "chi",
    "ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d",
}  # fmt: skip
_HANDLER, _ASCII = "district_sim.plain", "plain_ascii"


def plain(letter: str) -> str:
    """What stands for a letter in ASCII; a question mark where nothing does."""
    if letter in _PLAIN:
        return _PLAIN[letter]
    name = unicodedata.name(letter, "")
    if name.startswith("BOX DRAWINGS"):
        flat, upright = "HORIZONTAL" in name, "VERTICAL" in name
        return "|" if upright and not flat else "-" if flat and not upright else "+"
    if name.startswith(("BLOCK", "FULL BLOCK", "BRAILLE")):
        return "#"
    return unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode() or "?"


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(plain, error.object[error.start : error.end])), error.end


def _plain_ascii(name: str) -> codecs.CodecInfo | None:
    """ASCII by another name: where click sees the usual one, it takes the terminal for misread and writes UTF-8."""
    ascii_ = codecs.lookup("ascii")
    encoder, decoder = ascii_.incrementalencoder, ascii_.incrementaldecoder
    return (
        codecs.CodecInfo(
            ascii_.encode, ascii_.decode, incrementalencoder=encoder, incrementaldecoder=decoder, name=_ASCII
        )
        if name == _ASCII
        else None
    )


def print_plainly() -> None:
    """Make standard output and standard error of this process write plain letters where they lack the right ones.

    What was closed (`>&-`) takes everything and keeps nothing.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - until the process ends
    codecs.register_error(_HANDLER, _replace)
    codecs.register(_plain_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            known = codecs.lookup(stream.encoding).name
            stream.reconfigure(encoding=_ASCII if known == "ascii" else known, errors=_HANDLER)


@contextmanager
def printing() -> Iterator[None]:
    """Standard output that cannot be written, on a full disk, ends in one message."""
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EIO):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still to be written at the end
        sys.exit(f"Error: the output could not be written: {error.strerror}")
