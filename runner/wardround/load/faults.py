"""Which of pydantic's errors say something: one for each mistake, not one for each way in which it could be mended."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final

from wardround.load.characters import shown
from wardround.load.shape import Location, keys_of
from wardround.load.wording import EXPECTED, NOT_ALLOWED, Wording, did_you_mean, wrong_type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import JsonValue
    from pydantic_core import ErrorDetails

    from wardround.load.places import DocumentPath

_LIKENESS: Final = 0.6
"""From which likeness on a key is taken for a misspelt other one."""


@dataclass(frozen=True)
class Fault:
    """One of pydantic's errors and where it is; `wording` where it speaks for several of them."""

    error: ErrorDetails
    location: Location
    wording: Wording | None = None

    @property
    def kind(self) -> str:
        """Pydantic's word for the kind of fault."""
        return self.error["type"]


def plain_faults(faults: Iterable[Fault], data: JsonValue) -> list[Fault]:
    """Keep one fault for each mistake: of a union the form that was meant, of a misspelt key only the misspelling."""
    direct: list[Fault] = []
    unions: dict[DocumentPath, list[Fault]] = defaultdict(list)
    for fault in faults:
        if fault.location.form is None:
            direct.append(fault)
        else:
            unions[fault.location.form.path].append(fault)
    for path, group in unions.items():
        direct.extend(_meant_form(group, _value_at(data, path)))
    return _without_consequences(direct)


def _without_consequences(faults: list[Fault]) -> list[Fault]:
    misspelt: set[DocumentPath] = set()
    for fault in faults:
        if fault.kind == "extra_forbidden":
            path = fault.location.path
            meant = did_you_mean(str(path[-1]), keys_of(fault.location.parent))
            misspelt.add((*path[:-1], meant))
    return [fault for fault in faults if not _is_consequence(fault, misspelt)]


def _is_consequence(fault: Fault, misspelt: set[DocumentPath]) -> bool:
    if fault.kind == "missing":
        return fault.location.path in misspelt
    if fault.kind == "too_short":
        # Pydantic counts what was left of a list after its bad entries were taken out.
        needed: int = fault.error["ctx"]["min_length"]
        return len(fault.error["input"]) >= needed
    return False


def _meant_form(group: list[Fault], value: JsonValue) -> list[Fault]:
    """Keep the faults of the form that the value comes closest to, or say that it is like none of them."""
    forms: dict[str, list[Fault]] = defaultdict(list)
    for fault in group:
        if fault.location.form is not None:
            forms[fault.location.form.step].append(fault)
    possible = [faults for faults in forms.values() if not _is_of_wrong_type(faults[0])]
    if not possible:
        return [_of_no_type(group, value)]
    if not isinstance(value, dict):
        return possible[0]
    best = max(possible, key=lambda faults: (_likeness(value, faults[0]), -len(_without_consequences(faults))))
    return best if _likeness(value, best[0]) else [_of_no_form(group, value)]


def _is_of_wrong_type(fault: Fault) -> bool:
    form = fault.location.form
    return form is not None and fault.location.path == form.path and fault.kind in EXPECTED


def _likeness(written: Iterable[str], fault: Fault) -> float:
    """Say how well the keys that were written fit the keys of the form: 1.0 for each that is right."""
    known = _form_keys(fault)
    best = (max((SequenceMatcher(None, key[:100], k).ratio() for k in known), default=0.0) for key in written)
    return sum(ratio for ratio in best if ratio >= _LIKENESS)


def _of_no_type(group: list[Fault], value: JsonValue) -> Fault:
    wording = wrong_type([fault.kind for fault in group], value)
    forms = _forms(group)
    return _spoken_for(group, wording._replace(remedy=f"write one of: {forms}") if forms else wording)


def _of_no_form(group: list[Fault], value: JsonValue) -> Fault:
    return _spoken_for(
        group, Wording(NOT_ALLOWED, f"{shown(value)} of no known form", f"write one of: {_forms(group)}")
    )


def _spoken_for(group: list[Fault], wording: Wording) -> Fault:
    """Let one fault, placed where the union stands, speak for all of them."""
    first = group[0]
    path = first.location.form.path if first.location.form else first.location.path
    return Fault(first.error, Location(path, None), wording)


def _forms(group: list[Fault]) -> str:
    """Write the forms of a union by their required keys: `{parameter}, {hosts, field}`."""
    forms = [
        "{" + ", ".join(k for k, required in _form_keys(f).items() if required) + "}" for f in group if _form_keys(f)
    ]
    return " or ".join(dict.fromkeys(forms))


def _form_keys(fault: Fault) -> dict[str, bool]:
    return keys_of(fault.location.form.member) if fault.location.form else {}


def _value_at(data: JsonValue, path: DocumentPath) -> JsonValue:
    for step in path:
        if isinstance(data, dict):
            data = data[str(step)]
        elif isinstance(data, list):
            data = data[int(step)]
    return data
