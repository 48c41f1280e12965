"""What all files that people write share: closed models without silent conversions, and every mistake told where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from compliance import model
from compliance.dates import dated, parse_date, parse_limit
from compliance.errors import Location, Problem, nearest

Loc = Sequence[str | int]
Locate = Callable[[Loc], Location]
M = TypeVar("M", bound=BaseModel)
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Line = Annotated[str, Field(min_length=1, max_length=400)]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="YYYY-MM-DD")]
LimitText = Annotated[
    str, Field(description="'28 days', '10 working_days', '1 month', 'same day', or a parameter's name")
]
SUSPENDED = "suspended"
MOST_NEAREST = 200
"""Of a file with more mistakes nobody is told which word was meant: that takes longer than all else."""


class Strict(BaseModel):
    """No unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Problems:
    """Collects what is wrong with one file."""

    def __init__(self, locate: Locate) -> None:
        self.found: list[Problem] = []
        self._locate = locate

    def add(self, loc: Loc, what: str, help: str = "") -> None:
        """Takes note of a mistake."""
        self.found.append(Problem(self._locate(loc), what, help))

    def limit(self, loc: Loc, text: str) -> model.Limit:
        """A length of time."""
        try:
            return parse_limit(text)
        except ValueError as e:
            self.add(loc, f"{path_of(loc)}: {e}")
            return model.Limit(1, "days")

    def day(self, loc: Loc, text: str) -> date:
        """A day."""
        try:
            return parse_date(text)
        except ValueError as e:
            self.add(loc, f"{path_of(loc)}: {e}")
            return date(2011, 4, 1)

    def within(self, loc: Loc, written: str | dict[str, str]) -> model.Within:
        """A length of time, or dated versions of one, or a parameter."""
        if isinstance(written, str):
            if written == SUSPENDED:
                self.add(
                    loc,
                    f"{path_of(loc)}: only a dated version may be {SUSPENDED}, and one must come before and after it",
                )
            is_name = written.isidentifier() and written != SUSPENDED
            return written if is_name else model.Dated(((date.min, self.limit(loc, written)),))
        if not written:
            self.add(loc, f"{path_of(loc)} has no version")
            return model.Dated(((date.min, model.Limit(1, "days")),))
        found: model.Dated[model.Limit | None] = dated(
            {self.day((*loc, d), d): None if v == SUSPENDED else self.limit((*loc, d), v) for d, v in written.items()}
        )
        limits = [v for _, v in found.versions]
        if None in (limits[0], limits[-1]) or any(a is None and b is None for a, b in pairwise(limits)):
            self.add(loc, f"{path_of(loc)}: a limit must be in force before what is {SUSPENDED}, and another after it")
        return found

    def value(self, loc: Loc, written: str | int | dict[str, str | int]) -> model.Dated[model.Value] | None:
        """The value of a parameter; None if it is off."""

        def one(at: Loc, v: str | int) -> model.Value:
            if isinstance(v, int) and v < 0:
                self.add(at, f"{path_of(at)}: {v} is negative")
            return v if isinstance(v, int) else self.limit(at, v)

        if written == "off":
            return None
        if not isinstance(written, dict):
            return model.Dated(((date.min, one(loc, written)),))
        if not written:
            self.add(loc, f"{path_of(loc)} has no version")
            return None
        found = dated({self.day((*loc, d), d): one((*loc, d), v) for d, v in written.items()})
        if len({type(v) for _, v in found.versions}) > 1:
            self.add(loc, f"{path_of(loc)}: all versions must be of one kind, lengths of time or numbers")
        return found


def validated(kind: type[M], document: object, problems: Problems) -> M | None:
    """`document` as a `kind`; every mistake goes to `problems`."""
    if not isinstance(document, dict):
        problems.add((), f"the file holds {_shape(document)}; keys and values are expected")
        return None
    try:
        return kind.model_validate(document)
    except ValidationError as e:
        errors = e.errors(include_url=False)
        keys = _keys(kind) if len(errors) <= MOST_NEAREST else []
        found = [(error["type"], *_say(error, keys, document)) for error in errors]
        around = {tuple(loc[:n]) for _, loc, _, _ in found for n in range(len(loc))}
        about = {tuple(loc[:n]) for type_, loc, _, _ in found if type_ != "model_type" for n in range(len(loc) + 1)}
        with_days = {tuple(loc[:-1]) for type_, loc, _, _ in found if type_ == "string_pattern_mismatch"}
        for type_, loc, what, help in found:
            # Where a text, a list or a group may stand and one is wrong inside, that it is none of the others goes without saying.
            if type_ in ("string_type", "list_type", "dict_type", "int_type") and tuple(loc) in around:
                continue
            if type_ == "model_type" and tuple(loc) in about:
                continue
            # A group with a badly written day is one of dated versions, and not one of the other groups that may stand there.
            if type_ in ("missing", "extra_forbidden") and tuple(loc[:-1]) in with_days:
                continue
            problems.add(loc, what, help)
        return None


def path_of(loc: Loc) -> str:
    """The keys on the way, without the positions in lists."""
    return ".".join(str(part) for part in loc if not isinstance(part, int))


def _shape(document: object) -> str:
    match document:
        case None:
            return "nothing"
        case list():
            return "a list"
        case _:
            return "a single value"


def _say(error: ErrorDetails, keys: Sequence[str], document: object) -> tuple[Loc, str, str]:
    """One pydantic error in the words of a rule author. Branches of a union are not part of the place."""
    loc: list[str | int] = []
    here: object = document
    for part in error["loc"]:
        if (isinstance(here, dict) and part in here) or (
            isinstance(here, list) and isinstance(part, int) and part < len(here)
        ):
            here = cast(Any, here)[part]
        elif not (error["type"] in ("missing", "extra_forbidden") and part == error["loc"][-1]):
            # A branch of a union, not a part of the way.
            continue
        loc.append(part)
    name = path_of(loc) or "the file"
    last = str(loc[-1]) if loc else ""
    match error["type"]:
        case "missing":
            return loc, f"{name} is missing", ""
        case "extra_forbidden":
            return loc, f"'{last}' is not a key here{nearest(last, [k for k in keys if k != last])}", ""
        case "literal_error":
            expected = str(error["ctx"]["expected"])
            return loc, f"{name} is {here!r}; it must be {expected}", ""
        case "string_type":
            hint = "Put it in quotes if it is meant as text" if isinstance(here, bool | int | float) else ""
            return loc, f"{name} must be a text, not {_shape_of(here)}", hint
        case "string_pattern_mismatch":
            hint = "Dates are written YYYY-MM-DD" if "d{4}" in str(error.get("ctx")) else "Small letters, digits and -"
            shown = here if isinstance(here, str) else last
            return loc, f"{name}: '{shown}' is not written as it must be", hint
        case "too_long":
            return loc, f"{name} has more entries than the {error['ctx']['max_length']} that there may be", ""
        case "too_short" | "string_too_short":
            return loc, f"{name} is empty", ""
        case "string_too_long":
            return loc, f"{name} is too long", ""
    return loc, f"{name}: {error['msg'][0].lower()}{error['msg'][1:]}", ""


def _shape_of(value: object) -> str:
    match value:
        case bool():
            return "a true/false value"
        case int() | float():
            return f"the number {value}"
        case None:
            return "nothing"
        case list():
            return "a list"
        case dict():
            return "a group of keys"
    return "that"


def _keys(kind: type[BaseModel]) -> list[str]:
    found: list[str] = []
    for name, info in kind.model_fields.items():
        found.append(info.alias or name)
        for inner in _models(info.annotation):
            if inner is not kind:
                found.extend(_keys(inner))
    return found


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """The groups of keys that an annotation names at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
