"""How numbers are written for a reader: in tables, figures, on the page and on the command line alike."""

import math

MINUS = "−"


def number(value: float, decimals: int, sign: bool = False) -> str:
    """A number with a true minus and thousands apart; zero has no sign, undefined is a dash."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    text = f"{value:{'+' if sign else ''},.{decimals}f}"
    return _minus(text if is_something(text) else text.lstrip("+-"))


def significant(value: float, digits: int, sign: bool = False) -> str:
    """A number with at most so many digits and a true minus; undefined is a dash."""
    if not math.isfinite(value):
        return number(value, 0)
    return _minus(f"{value:{'+' if sign and value else ''},.{digits}g}")


def percent(share: float, decimals: int = 0, sign: bool = False) -> str:
    """A share in per cent: 0.123 is 12 %."""
    return number(share, 0) if math.isnan(share) else f"{number(100.0 * share, decimals, sign)} %"


def points(difference: float, decimals: int = 1) -> str:
    """A difference of two shares in percentage points: 0.012 is +1.2 pt."""
    return number(difference, 0) if math.isnan(difference) else f"{number(100.0 * difference, decimals, sign=True)} pt"


def chance(share: float, low: float, high: float) -> str:
    """A probability with its interval; a dash where it is undefined."""
    if math.isnan(share):
        return number(share, 0)
    return f"{number(100.0 * share, 0)} % ({number(100.0 * low, 0)} to {number(100.0 * high, 0)} %)"


def chance_in_brief(share: float, low: float, high: float) -> str:
    """`chance` for a cell of a table in per cent."""
    if math.isnan(share):
        return number(share, 0)
    return f"{number(100.0 * share, 0)} ({number(100.0 * low, 0)}–{number(100.0 * high, 0)})"


def p_value(p: float) -> str:
    """A p-value."""
    if math.isnan(p):
        return "–"
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def duration(seconds: float) -> str:
    """A time in the unit that suits it."""
    for unit, length in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} seconds"


def size(count: float) -> str:
    """Bytes in the unit that suits them."""
    for unit, length in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= length:
            return f"{count / length:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"


def decimals_for(size: float) -> int:
    """Decimals that show two digits of something of that size; 0 to 4."""
    if not math.isfinite(size) or size <= 0.0:
        return 0
    return min(4, max(0, 1 - math.floor(math.log10(size))))


def is_something(text: str) -> bool:
    """Whether a written number differs from zero."""
    return any(digit in text for digit in "123456789")


def _minus(text: str) -> str:
    return text.replace("-", MINUS)
