"""design: a hospital's design as a document, for people who read it, review its changes or print it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from wardround.errors import WardroundError
from wardround.render.markdown_document import design_markdown
from wardround.render.page import design_page
from wardround.render.svg import design_svg

if TYPE_CHECKING:
    from pathlib import Path

    from wardround.model.design import Design


class DesignForm(StrEnum):
    """What a design can be written as."""

    SVG = "svg"
    HTML = "html"
    MARKDOWN = "markdown"


def design_document(design: Design, form: DesignForm) -> str:
    """Write a design in one form; the same design always gives the same bytes."""
    match form:
        case DesignForm.SVG:
            return design_svg(design)
        case DesignForm.HTML:
            return design_page(design)
        case DesignForm.MARKDOWN:
            return design_markdown(design)


def write_document(path: Path, text: str) -> None:
    """Write a document into a file.

    Raises:
        WardroundError: the file cannot be written.

    """
    try:
        path.write_bytes(text.encode())
    except OSError as error:
        reason = error.strerror or str(error)
        raise WardroundError(
            f"cannot write the document: {reason}", path=str(path), remedy="name a file in a folder that exists"
        ) from error
