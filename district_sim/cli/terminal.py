"""Terminals that cannot print every letter (ascii, latin-1, cp1252): plain ones take the place, never a traceback."""

import codecs
import io
import sys
import unicodedata

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
    """Make standard output and standard error of this process write plain letters where they lack the right ones."""
    codecs.register_error(_HANDLER, _replace)
    codecs.register(_plain_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            known = codecs.lookup(stream.encoding).name
            stream.reconfigure(encoding=_ASCII if known == "ascii" else known, errors=_HANDLER)
