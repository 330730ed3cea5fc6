"""Plain data to a model, or every mistake in it, each at its place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from wardround.errors import InvalidInputError, Problem
from wardround.load.faults import Fault, plain_faults
from wardround.load.shape import locate
from wardround.load.wording import UNKNOWN_KEY, Wording, worded
from wardround.load.yaml_builder import MAX_MISTAKES
from wardround.load.yaml_document import Document, read_document

if TYPE_CHECKING:
    from pathlib import Path


_MAX_FAULTS: Final = 20_000
"""Pydantic reports a mistake in a union once for each form; a hostile file could make millions of them."""

ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True)
class Loaded(Generic[ModelT]):
    """A model together with the file it came from, so that later checks can point at a place in it."""

    document: Document
    model: ModelT


def load(path: Path, model: type[ModelT], *, file: str | None = None) -> Loaded[ModelT]:
    """Read and validate one file; `file` is the name to use in messages, else the path as given.

    Raises:
        InvalidInputError: with every mistake of the file.
    """
    document = read_document(path, file=file)
    return Loaded(document, validate(document, model))


def validate(document: Document, model: type[ModelT]) -> ModelT:
    """Build a model from a document.

    Raises:
        InvalidInputError: with every mistake, ordered by place.
    """
    if document.data is None:
        raise InvalidInputError((Problem("WR-122", "the file is empty", document.file, 1, 1),))
    try:
        # In JSON mode strict means what an engineer expects: lists and dates have a written form, numbers are no texts.
        return model.model_validate_json(json.dumps(document.data, allow_nan=False))
    except ValidationError as error:
        problems = sorted(_problems(document, model, error), key=lambda problem: (problem.line, problem.column))
        raise InvalidInputError(_first(problems)) from None


def _first(problems: list[Problem]) -> tuple[Problem, ...]:
    if len(problems) <= MAX_MISTAKES:
        return tuple(problems)
    message = f"more than {MAX_MISTAKES} mistakes; only the first are listed"
    return (*problems[:MAX_MISTAKES], Problem("WR-123", message, problems[0].file, remedy="mend those first"))


def _problems(document: Document, model: type[BaseModel], error: ValidationError) -> list[Problem]:
    errors = error.errors(include_url=False)[:_MAX_FAULTS]
    faults = [Fault(details, locate(model, details["loc"])) for details in errors]
    problems = []
    for fault in plain_faults(faults, document.data):
        wording = fault.wording or worded(fault.error, fault.location)
        path = fault.location.path
        at: Literal["key", "value"] = "key" if _is_about_key(fault, wording) else "value"
        problems.append(document.problem(wording.code, wording.message, path, at=at, remedy=wording.remedy))
    return problems


def _is_about_key(fault: Fault, wording: Wording) -> bool:
    """Tell whether the reader should look at the key: it is unknown or ill-named, or all below it does not fit."""
    is_about_all_below = fault.kind == "value_error" and isinstance(fault.error["input"], dict)
    return fault.location.is_key or is_about_all_below or wording.code == UNKNOWN_KEY
