"""What a section of a scenario is made of: numbers with unit, range, default and source."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from district_sim.scenario.calendar import as_number

Moment = Annotated[int, BeforeValidator(as_number)]
"""A time: a quarter of the run, which may be written as a date (see `calendar`)."""


def number(default: float, low: float, high: float, unit: str, text: str, source: str = "calibrated") -> Any:
    """A bounded real-valued field; `unit` "1" means dimensionless."""
    return Field(
        default=default,
        ge=low,
        le=high,
        allow_inf_nan=False,
        description=text,
        json_schema_extra={"unit": unit, "source": source},
    )


def whole(default: int, low: int, high: int, unit: str, text: str, source: str = "calibrated") -> Any:
    """A bounded whole-number field."""
    return Field(default=default, ge=low, le=high, description=text, json_schema_extra={"unit": unit, "source": source})


def share(default: float, text: str, source: str = "calibrated") -> Any:
    """A number from 0 to 1."""
    return number(default, 0.0, 1.0, "share", text, source)


class Section(BaseModel):
    """A frozen part of a scenario; unknown keys and inexact types are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True, use_enum_values=False)
