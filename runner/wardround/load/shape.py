"""What a model allows at a place: its keys, its words, and which form of a union a value was meant to be."""

from __future__ import annotations

from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel

from wardround.load.places import DocumentPath

KEY_STEP = "[key]"
"""The step that pydantic adds where the key itself is at fault."""


@dataclass(frozen=True)
class Form:
    """One member of a union, tried on the value at `path`; `step` is pydantic's name for it."""

    path: DocumentPath
    step: str
    member: object


@dataclass(frozen=True)
class Location:
    """Where pydantic found a fault: the path in the data, the type wanted there and around it.

    `is_key` where the key itself is at fault; `form` where the first union on the way was taken apart.
    """

    path: DocumentPath
    annotation: object
    parent: object = None
    is_key: bool = False
    form: Form | None = None


def locate(model: type[BaseModel], steps: DocumentPath) -> Location:
    """Follow pydantic's steps through the types; steps that name a union's member are not part of the path."""
    path: list[str | int] = []
    annotation: object = model
    parent: object = None
    form: Form | None = None
    is_key = False
    for step in steps:
        members = _union_members(annotation)
        if step == KEY_STEP and get_origin(parent) is dict:
            is_key = True
            annotation = get_args(parent)[0]
        elif len(members) > 1:
            annotation = _member(members, str(step))
            form = form or Form(tuple(path), str(step), annotation)
        else:
            path.append(step)
            parent, annotation = annotation, _inside(annotation, step)
        annotation = _bare(annotation)
    return Location(tuple(path), annotation, parent, is_key, form)


def _union_members(annotation: object) -> tuple[object, ...]:
    """Give the members of a union that are not None; one member where it is no union."""
    if get_origin(annotation) in {Union, UnionType}:
        return tuple(_bare(member) for member in get_args(annotation) if member is not NoneType)
    return (annotation,)


def _member(members: tuple[object, ...], step: str) -> object:
    """Find a union's member by pydantic's name for it: a model's name, or a word such as `constrained-int`."""
    names = {getattr(member, "__name__", ""): member for member in members}
    return names.get(step) or next((member for name, member in names.items() if name and name in step), None)


def keys_of(annotation: object) -> dict[str, bool]:
    """Give the keys that a model knows, as they are written, and whether each is required."""
    if not _is_model(annotation):
        return {}
    return {field.alias or name: field.is_required() for name, field in annotation.model_fields.items()}


def _inside(annotation: object, step: str | int) -> object:
    """Give the type of what one step leads to; None where the types do not say."""
    if _is_model(annotation):
        fields = annotation.model_fields
        field = next((f for name, f in fields.items() if step in {name, f.alias}), None)
        return field.annotation if field else None
    arguments = get_args(annotation)
    match get_origin(annotation):
        case origin if origin is dict:
            return arguments[1]
        case origin if origin in {tuple, list}:
            return arguments[0]
        case _:
            return None


def _bare(annotation: object) -> object:
    """Take off `Annotated` and `| None`."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
            continue
        members = [member for member in get_args(annotation) if member is not NoneType]
        if get_origin(annotation) in {Union, UnionType} and len(members) == 1:
            annotation = members[0]
            continue
        return annotation


def _is_model(annotation: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
