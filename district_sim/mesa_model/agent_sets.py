"""Mesa's sets of agents as a district shows them: who acts follows from its state, and nobody is hidden by hand."""

from collections.abc import Callable
from functools import cache
from typing import Any

_REFUSED = (
    "the agents of a district follow from its state, and this set shows them all: remove() of an agent takes it out, "
    "and copy() or select() give a set of your own to change"
)
_CHANGES = ("add", "remove", "discard", "pop", "clear", "_update")


def shown(agents: Any) -> Any:
    """A set that Mesa keeps, to read: it has the same agents, also later, and refuses to be changed.

    What it selects, sorts, shuffles or copies is a set of its own that can be changed.
    """
    mesas: Any = type(agents)
    kind = _kind(mesas)
    whole = kind.__new__(kind)
    whole.__dict__.update(agents.__dict__, _whole=True)
    return whole


@cache
def _kind(of: Any) -> Any:
    """Mesa's kind of set, of which `shown` ones refuse what changes who is in them."""

    class Shown(of):
        _whole = False  # others come from select() and the like

        def shuffle(self, inplace: bool = False) -> Any:
            if inplace and self._whole:
                raise TypeError(_REFUSED)
            return super().shuffle(inplace)

        def __reduce__(self) -> tuple[Any, ...]:
            return of, (list(self), self.random)

    for name in _CHANGES:
        setattr(Shown, name, _unless_whole(getattr(of, name)))
    Shown.__name__, Shown.__qualname__ = of.__name__, of.__qualname__
    return Shown


def _unless_whole(change: Callable[..., Any]) -> Callable[..., Any]:
    def changing(self: Any, *arguments: Any) -> Any:
        if self._whole:
            raise TypeError(_REFUSED)
        return change(self, *arguments)

    return changing
