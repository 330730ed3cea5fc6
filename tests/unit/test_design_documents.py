"""A design as Markdown, SVG and HTML: everything is in it, and a hospital's texts stay texts."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.unit.hospital_samples import architecture_data, design, manifest
from wardround.model.design import Design
from wardround.render.design_tables import Table, design_tables
from wardround.render.escape import markdown, markup, visible
from wardround.render.markdown_document import design_markdown
from wardround.render.page import design_page
from wardround.render.svg import design_svg

pytestmark = pytest.mark.unit

GITHUB = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
ELEMENTS = {"svg", "title", "desc", "style", "rect", "text", "tspan", "path", "circle", "g"}
OF_A_PAGE = ELEMENTS | {"html", "head", "meta", "body", "h1", "h2", "p", "br", "figure", "section", "div"}
OF_A_PAGE |= {"table", "thead", "tbody", "tr", "th", "td"}
WAYS_OUT = re.compile(r"url\(|href|src=|@import|@font-face|<script|\son\w+=", re.IGNORECASE)
CLOCK = re.compile(r"\b20\d\d-\d\d-\d\d|\d\d:\d\d:\d\d")

HOSTILE = [
    "</text><script>alert(1)</script>",
    "</title></svg><img src=x onerror=alert(1)>",
    "]]><!-- -->&lt;&#60;",
    '" onload="alert(1)" x="',
    "</style><style>*{display:none}",
    "a | b || c \\| d",
    "[click](javascript:alert(1)) ![x](//example.invalid/x) <https://example.invalid>",
    "`code` **bold** _slanted_ ~~gone~~ snake_case",
    "one\n| two |\r\n\n# three\x00\x1b[31m\u2028four",
    "\u202egnirts\u200b\ufeff\ue000\ud800\uffff",
    "\\",
    "-",
    "漢字" * 60,
    "x" * 2000,
]

texts = st.one_of(
    st.sampled_from(HOSTILE), st.text(min_size=1, max_size=60), st.text("<>&\"'|\\`*_[]()!#~/-\n {}", min_size=1)
)


def of_text(text: str) -> Design:
    """Give a design with a text wherever a person may write one."""
    plain = design()
    return plain.model_copy(
        update={
            "name": text,
            "zones": tuple(zone.model_copy(update={"purpose": text}) for zone in plain.zones),
            "hosts": tuple(host.model_copy(update={"fallback": text, "model": text}) for host in plain.hosts),
            "flows": tuple(flow.model_copy(update={"purpose": text, "standard": text}) for flow in plain.flows),
        }
    )


def cells(source: str) -> list[list[str]]:
    """Give each table row's cells as a reader sees them, if they hold nothing but text."""
    rows: list[list[str]] = []
    for token in GITHUB.parse(source):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows:
            kinds = {child.type for child in token.children or ()}
            assert kinds <= {"text", "text_special"}, kinds
            rows[-1].append("".join(child.content for child in token.children or ()))
    return rows


class Tags(HTMLParser):
    """Collects elements and attributes as a browser's parser meets them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.comments = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_comment(self, data: str) -> None:
        del data
        self.comments += 1


@given(texts)
@settings(deadline=None)
@example("_x_")
@example("www.example.invalid http://example.invalid a@example.invalid")
def test_a_cell_of_markdown_is_its_text(text: str) -> None:
    table = f"| one | two |\n| --- | --- |\n| {markdown(text)} | end |\n"
    assert cells(table)[1] == [visible(text), "end"]


@pytest.mark.parametrize("address", ["https://example.invalid", "www.example.invalid", "somebody@example.invalid"])
def test_an_address_does_not_become_a_link(address: str) -> None:
    # What GitHub's autolink extension looks for in the source.
    assert not re.search(r"https?://|www\.|\w@", markdown(address))


@given(texts)
@settings(deadline=None)
def test_markup_is_its_text_in_elements_and_attributes(text: str) -> None:
    element = ET.fromstring(f'<t a="{markup(text)}">{markup(text)}</t>')  # noqa: S314 - made on this line
    assert (element.text or "") == element.attrib["a"] == visible(text)
    assert len(element) == 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        (" two \n lines\t", "two lines"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\u202eright", r"\u202eright"),
        ("\ud800", r"\ud800"),
        ("\U0001ffff", r"\U0001ffff"),
        ("Größe 漢字 é", "Größe 漢字 é"),
    ],
)
def test_what_nobody_sees_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(texts)
@settings(deadline=None, max_examples=60)
def test_a_diagram_of_hostile_texts_is_only_a_diagram(text: str) -> None:
    picture = ET.fromstring(design_svg(of_text(text)))  # noqa: S314 - made on this line
    assert {element.tag.removeprefix("{http://www.w3.org/2000/svg}") for element in picture.iter()} <= ELEMENTS
    attributes = {name for element in picture.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on") or "href" in name or name == "style"}
    assert visible(text) in "".join(picture.itertext())


@given(texts)
@settings(deadline=None, max_examples=60)
def test_a_page_of_hostile_texts_is_only_a_page(text: str) -> None:
    read = Tags()
    read.feed(design_page(of_text(text)))
    assert read.tags <= OF_A_PAGE
    assert read.comments == 0
    assert not {name for name in read.attributes if name.startswith("on") or name in {"href", "src", "style"}}


@given(texts)
@settings(deadline=None)
def test_a_document_of_hostile_texts_has_the_same_rows(text: str) -> None:
    plain, hostile = cells(design_markdown(design())), cells(design_markdown(of_text(text)))
    assert [len(row) for row in hostile] == [len(row) for row in plain]


def test_documents_load_nothing_and_know_no_clock() -> None:
    for document in (design_svg(design()), design_page(design())):
        assert not WAYS_OUT.search(document)
        assert not CLOCK.search(document)
    assert not CLOCK.search(design_markdown(design()))


def test_a_picture_says_what_it_shows() -> None:
    picture = ET.fromstring(design_svg(design()))  # noqa: S314 - made on this line
    title, description, *_ = picture
    assert picture.attrib["role"] == "img"
    assert picture.attrib["aria-labelledby"].split() == [title.attrib["id"], description.attrib["id"]]
    assert title.text == "St. Test (st-test): zones, hosts and flows"
    assert description.text is not None
    for said in ("ward 1.0.0", "F-WRD-03, https tcp 443,8443: values; monitor to server."):
        assert said in description.text


def table(title: str, of: Design) -> Table:
    """Give one table of a design."""
    return next(each for each in design_tables(of) if each.title == title)


def test_every_zone_host_and_flow_has_one_row() -> None:
    resolved = design()
    assert sorted(row[0] for row in table("Zones", resolved).rows) == [zone.name for zone in resolved.zones]
    assert sorted(row[1] for row in table("Hosts", resolved).rows) == [host.name for host in resolved.hosts]
    assert [row[0] for row in table("Flows", resolved).rows] == [flow.id for flow in resolved.flows]
    assert all(len(row) == len(each.columns) for each in design_tables(resolved) for row in each.rows)


def test_a_flow_says_its_ends_in_the_architectures_words() -> None:
    ends = {row[0]: (row[1], row[2]) for row in table("Flows", design()).rows}
    assert ends["F-WRD-01"] == ("the control node", "every managed host")
    assert ends["F-WRD-02"] == ("every internal zone", "server")
    assert ends["F-WRD-05"] == ("server", "zone outside, monitor")


def test_a_flow_that_means_some_devices_only_names_them() -> None:
    data = manifest()
    data["hosts"]["mon02"] = {**data["hosts"]["mon01"], "address": "10.0.2.12", "mac": "02:00:5e:00:02:12"}
    resolved = design(data)
    flows = {flow.id: flow for flow in resolved.flows}
    narrowed = [
        flows["F-WRD-03"].model_copy(update={"source_hosts": ("mon02",)}),
        flows["F-WRD-06"].model_copy(update={"destination_hosts": ("mon01",)}),
        flows["F-WRD-03"].model_copy(update={"source_words": ("server", "monitor"), "source_hosts": ("mon02",)}),
    ]
    rows = table("Flows", resolved.model_copy(update={"flows": tuple(narrowed)})).rows
    assert [row[1] for row in rows] == ["monitor (only mon02)", "zone vendor", "monitor (only mon02)"]
    assert [row[2] for row in rows] == ["server", "zone devices (only mon01)", "server"]


def test_a_flow_without_members_stands_apart() -> None:
    data = manifest()
    del data["hosts"]["mon01"]
    resolved = design(data)
    assert [row[0] for row in table("Inactive flows", resolved).rows] == ["F-WRD-03"]
    assert "F-WRD-03" not in {row[0] for row in table("Flows", resolved).rows}
    assert "F-WRD-03" not in design_svg(resolved)
    assert "Inactive flows" not in {each.title for each in design_tables(design())}


def test_a_control_says_from_how_many_hosts_its_evidence_comes() -> None:
    data = architecture_data()
    data["controls"] = [
        {
            "id": "C-WRD-01",
            "title": "title",
            "check": "check",
            "disruption": "none",
            "evidence": ["first:tag", "third:tag", "none:tag", "F-WRD-01", "attestation: a letter"],
            "confidence": "H",
        }
    ]
    [row] = table("Controls", design(of=data)).rows
    assert row[3] == "first:tag (1 host); third:tag (1 host); none:tag (0 hosts); F-WRD-01; attestation: a letter"
