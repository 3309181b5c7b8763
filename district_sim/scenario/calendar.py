"""Calendar: the one place where dates become quarters of a run, and quarters become dates.

A run that says when it begins (`run.start: 2002` or `2002Q3`) may give every time as a year (`2012`, its first
quarter), as a quarter of a year (`2012Q3`) or as a number of quarters from its start (`40`). Then a whole number from
1000 to 9999 is a year, a smaller one counts quarters, and a larger one never comes. Inside the model time is counted in
quarters, 0 the first; only what people write and read is a date. The row of a table that is called quarter 1 holds the
flows of quarter 0, and has its date.

A file of policies does not know yet over which run it will be laid. In it `2012Q3` waits as the number 20123.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Self

MOST = 999
"""Quarters that a date may lie from the start of a run, and that a run with dates may have: about 250 years."""
WORDS = "a year (2012), a quarter of a year (2012Q3) or a number of quarters from the start"
SINGLE = (("strategy_start",), ("technology", "first_ripening"), ("world", "onset"))
"""Times of a scenario outside its lists."""
LISTED = {"policies": ("start", "end"), "shocks": ("start",)}
"""Times of the entries of its lists."""
_BEFORE = {"onset"}  # the world may have changed before the run begins
_YEARS = range(1000, 10_000)
_DATE = re.compile(r"(\d{4})(?:[ -]?q([1-4]))?", re.IGNORECASE)

type Key = tuple[str | int, ...]


class CalendarError(ValueError):
    """A time that cannot be; `at` is where it stands in the scenario."""

    def __init__(self, at: Key, value: object, reason: str) -> None:
        self.at, self.value, self.reason = at, value, reason
        super().__init__(f"{'.'.join(map(str, at))} = {written_as(value)}: {reason}")


class Calendar(NamedTuple):
    """The dates of one run."""

    first: int
    """The quarter in which it begins, counted from the year 0."""

    @classmethod
    def of(cls, start: str | int) -> Self:
        """The calendar of a run that begins with a date.

        Raises:
            ValueError: it is no date.
        """
        found = _date(start)
        if found is None:
            raise ValueError("must be a year (2002) or a quarter of a year (2002Q3)")
        return cls(found)

    def quarter(self, when: str | int) -> int:
        """The quarter of a run that is meant, 0 the first; below 0 before it begins.

        Args:
            when: a year, a quarter of a year, or a number of quarters.

        Raises:
            ValueError: it is none of these, or too far away.
        """
        found = _date(when)
        if found is None:
            if isinstance(when, str):
                raise ValueError(f"must be {WORDS}")
            return when
        if abs(found - self.first) > MOST:
            raise ValueError(f"lies more than {MOST} quarters from the start of the run in {self.date(0)}")
        return found - self.first

    def date(self, quarter: int) -> str:
        """A quarter of the run as `2012Q3`."""
        year, number = divmod(self.first + quarter, 4)
        return f"{year}Q{number + 1}"

    def year(self, quarter: float) -> float:
        """The year after so many quarters: 2012.5 in the middle of 2012."""
        return (self.first + quarter) / 4.0

    def after(self, quarters: int) -> str:
        """When so many quarters are over: `the end of 2012`, `the end of 2012Q2`; of none, `the start of 2002`."""
        if quarters == 0:
            return f"the start of {_short(self.date(0), 'Q1')}"
        return f"the end of {_short(self.date(quarters - 1), 'Q4')}"

    def span(self, quarters: int) -> str:
        """A run of so many quarters in words."""
        return f"{self.date(0)} to {self.date(quarters - 1)}"


def as_number(when: Any) -> Any:
    """A date in words as the number that waits for a calendar; anything else as it is.

    Raises:
        ValueError: it is text, but no date.
    """
    if not isinstance(when, str):
        return when
    found = _DATE.fullmatch(when.strip())
    if found is None or int(found[1]) not in _YEARS:
        raise ValueError(f"must be {WORDS}")
    return int(found[1] + found[2]) if found[2] else int(found[1])


def written(when: int) -> str:
    """A number as it was written before `as_number`."""
    return f"{when // 10}Q{when % 10}" if _waits(when) else str(when)


def in_order(first: int, then: int) -> bool:
    """Whether one time comes before another, as far as can be told of times that wait for a calendar."""
    if _waits(first) or _waits(then):
        a, b = _date(first), _date(then)
        return a is None or b is None or a < b
    return first < then


def is_dated(when: Any) -> bool:
    """Whether a time has a meaning only in a run that has a calendar."""
    return _date(when) is not None


def in_quarters(data: dict[str, Any]) -> dict[str, Any]:
    """The plain data of a scenario with all times in quarters; a copy where something changes.

    Raises:
        CalendarError: a time cannot be.
    """
    run = data.get("run")
    if isinstance(run, dict):
        data = {**data, "run": run_in_quarters(run)}
    elif run is not None and not isinstance(run, Mapping):  # a section that is complete
        run = {"start": getattr(run, "start", None)}
    calendar = _calendar(run)
    for at, value in times(data):
        if calendar is None:
            if isinstance(value, str) and is_dated(value):
                raise CalendarError(at, value, "is a date, but the run has none: say when it begins (run.start: 2002)")
            continue
        try:
            quarter = calendar.quarter(value)
        except ValueError as error:
            raise CalendarError(at, value, str(error)) from None
        if quarter < 0 and is_dated(value) and at[-1] not in _BEFORE:
            raise CalendarError(at, value, f"is before the run begins in {calendar.date(0)}")
        data = _with(data, at, quarter)
        if at[-1] == "end" and is_dated(value):
            _check_end(data, at, value, calendar)
    return data


def _check_end(data: dict[str, Any], at: Key, value: object, calendar: Calendar) -> None:
    """Refuse a date at which something ends that does not come after its start; of two numbers the schema says it."""
    section, number, _ = at
    entry = data[str(section)][number]
    start = entry.get("start")
    if isinstance(start, int) and entry["end"] <= start:
        raise CalendarError(at, value, f"must come after its start in {calendar.date(start)}")


def run_in_quarters(run: dict[str, Any]) -> dict[str, Any]:
    """The section `run` with its start as `2002Q1`, and its end as a number of quarters.

    Raises:
        CalendarError: they cannot be.
    """
    if run.get("start") is None:
        for key, value in (("end", run.get("end")), ("calm", run.get("calm"))):
            if value is not None and (key == "end" or is_dated(value)):
                raise CalendarError(("run", key), value, "needs run.start, the date at which the run begins")
        return run
    try:
        calendar = Calendar.of(run["start"])
    except ValueError as error:
        raise CalendarError(("run", "start"), run["start"], str(error)) from None
    out = {**run, "start": calendar.date(0)}
    if (end := out.pop("end", None)) is not None:
        out["quarters"] = _quarters_to(calendar, "end", end, run.get("quarters"))
    if is_dated(calm := out.get("calm")):
        out["calm"] = _quarters_to(calendar, "calm", calm)
    length = out.get("quarters")
    if isinstance(length, int) and length > MOST:
        raise CalendarError(("run", "quarters"), length, f"a run with a start has at most {MOST} quarters")
    return out


def times(data: Mapping[str, Any]) -> Iterator[tuple[Key, Any]]:
    """The times in the plain data of a scenario: where each stands, and what is written there."""
    for at in SINGLE:
        node: Any = data
        for key in at:
            node = node.get(key) if isinstance(node, dict) else None
        if _may_be_time(node):
            yield at, node
    for section, keys in LISTED.items():
        items = data.get(section)
        for number, item in enumerate(items if isinstance(items, list | tuple) else ()):
            for key in keys:
                if isinstance(item, dict) and _may_be_time(item.get(key)):
                    yield (section, number, key), item[key]


def is_time(path: str) -> bool:
    """Whether a dotted path of a scenario is a time."""
    *section, last = path.split(".")
    return (*section, last) in SINGLE or (len(section) == 2 and last in LISTED.get(section[0], ()))


def with_dates(schema: Any) -> Any:
    """A JSON Schema in which every time may be a date in words, and a date a year, as files have them."""
    if isinstance(schema, list):
        return [with_dates(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: with_dates(part) for key, part in schema.items()}
    words = {"type": "string", "pattern": r"^\d{4}[ -]?([Qq][1-4])?$"}
    if out.get("unit") == "quarter":
        bounds = {key: out.pop(key) for key in ("type", "minimum", "maximum") if key in out}
        out["anyOf"] = [bounds, words]
    elif out.get("unit") == "date":
        out["anyOf"] = [{"type": "integer", "minimum": _YEARS[0], "maximum": _YEARS[-1]}, words]
    return out


def written_as(value: object) -> str:
    """A time for a message."""
    return written(value) if isinstance(value, int) else str(value)


def _short(date: str, whole: str) -> str:
    """A date without the quarter with which a year begins, or ends."""
    return date.removesuffix(whole)


def _quarters_to(calendar: Calendar, key: str, date: Any, quarters: Any = None) -> int:
    """Quarters of a run up to a date."""
    found = _date(date)
    if found is None:
        raise CalendarError(("run", key), date, "must be a year (2022) or a quarter of a year (2022Q3)")
    length = found - calendar.first
    if length < 1:
        raise CalendarError(("run", key), date, f"must come after the start in {calendar.date(0)}")
    if isinstance(quarters, int) and quarters != length:
        raise CalendarError(
            ("run", key), date, f"the run also has quarters: {quarters}, which is not {length}; give one of the two"
        )
    return length


def _calendar(run: Any) -> Calendar | None:
    start = run.get("start") if isinstance(run, dict) else None
    return None if start is None else Calendar.of(start)


def _may_be_time(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _date(when: Any) -> int | None:
    """A date as quarters from the year 0; None for anything else."""
    if isinstance(when, bool):
        return None
    if isinstance(when, int):
        if when in _YEARS:
            return 4 * when
        return 4 * (when // 10) + when % 10 - 1 if _waits(when) else None
    found = _DATE.fullmatch(when.strip()) if isinstance(when, str) else None
    if found is None or int(found[1]) not in _YEARS:
        return None
    return 4 * int(found[1]) + int(found[2] or 1) - 1


def _waits(when: int) -> bool:
    """Whether a number is a quarter of a year that waits for a calendar."""
    return when // 10 in _YEARS and 1 <= when % 10 <= 4


def _with(data: dict[str, Any], at: Key, value: int) -> dict[str, Any]:
    """The data with another value at a place that there is; only what leads to it is copied."""

    def put(node: Any, rest: Key) -> Any:
        if not rest:
            return value
        if isinstance(node, dict):
            return {**node, rest[0]: put(node[rest[0]], rest[1:])}
        return [put(item, rest[1:]) if number == rest[0] else item for number, item in enumerate(node)]

    out: dict[str, Any] = put(data, at)
    return out
