"""Did you mean: the known names nearest to one that is not known."""

import difflib
from collections.abc import Sequence

_LONGEST_SLIP = 200


def suggest(word: str, known: Sequence[str], leaf: str | None = None, cutoff: float = 0.6) -> str:
    """`; did you mean ...?` for the known names nearest to `word`, or those that end in `leaf`."""
    if len(word) > _LONGEST_SLIP:  # nobody's slip of the finger, and slow to compare
        return ""
    near = [path for path in known if leaf and path.rsplit(".", 1)[-1] == leaf]
    near = near[:3] or _nearest(word, known, cutoff)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def _nearest(word: str, known: Sequence[str], cutoff: float) -> list[str]:
    """The best match, and what is nearly as good: a slip of the finger has one name that was meant."""
    found = difflib.get_close_matches(word, known, n=3, cutoff=cutoff)
    likeness = [difflib.SequenceMatcher(None, name, word).ratio() for name in found]
    return [name for name, ratio in zip(found, likeness, strict=True) if ratio > likeness[0] - 0.05]
