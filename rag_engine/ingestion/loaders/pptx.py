"""Presentations (ECMA-376, ISO 29500), read from their XML with lxml.

Offsets: each slide is a page, its title first, then what lies on it in the order in which it is read aloud. Speed: the
layouts and masters, most of such a file, are never parsed. Licence: BSD.
"""

from __future__ import annotations

from collections.abc import Iterator

from rag_engine.errors import ParsingError
from rag_engine.ingestion.loaders.hidden_text import without_hidden
from rag_engine.ingestion.loaders.office_package import OfficePackage
from rag_engine.ingestion.loaders.office_text import OfficeWriter
from rag_engine.ingestion.loaders.office_xml import Element, attribute, child, descend
from rag_engine.ingestion.loaders.pptx_shapes import ShapeReader, placeholder, shapes
from rag_engine.types.document import Document, JsonValue, Truncation
from rag_engine.types.ingestion import LoadLimits


class PptxLoader:
    """Reads slides and their notes; what masters repeat on each slide, dates and slide numbers are left out."""

    name = "pptx"
    version = 1

    def load(self, data: bytes, *, name: str, limits: LoadLimits) -> Iterator[Document]:
        """One document with a page a slide; ``hidden_text`` in its metadata are the spans of hidden slides.

        ``unreadable_pages`` are the numbers of slides whose XML is damaged.
        """
        package = OfficePackage(data, name=name, limits=limits)
        path, root = package.main_part("presentation", "ppt/presentation.xml")
        writer = OfficeWriter(name=name, max_characters=limits.max_characters)
        unreadable: list[JsonValue] = []
        titles: list[str] = []
        slides = list(_slides(package, path, root))
        for number, slide_path in enumerate(slides, 1):
            writer.begin_page()
            try:
                titles.append(_read_slide(package, slide_path, number, writer))
            except ParsingError:
                unreadable.append(number)
        if unreadable and len(unreadable) == len(slides):
            raise ParsingError(f"no slide of {name} can be read", hint="save the presentation anew")
        title, metadata = package.properties()
        if unreadable:
            metadata["unreadable_pages"] = unreadable
        yield writer.document(
            title=title or next(filter(None, titles), ""),
            metadata=metadata,
            truncations=(Truncation("slides", len(slides) - len(unreadable), len(slides)),) if unreadable else (),
        )


def _slides(package: OfficePackage, path: str, root: Element) -> Iterator[str]:
    """The slides' paths in the order in which they are shown."""
    targets = package.targets(path)
    listed = child(root, "p:sldIdLst")
    for slide in () if listed is None else listed:
        kind, target = targets.get(attribute(slide, "r:id") or "", ("", ""))
        if kind == "slide":
            yield target


def _read_slide(package: OfficePackage, path: str, number: int, writer: OfficeWriter) -> str:
    """Writes a slide and gives its title."""
    root = package.part(path)
    if root is None:
        raise ParsingError(f"slide {number} is missing")
    targets = package.targets(path)
    hidden = attribute(root, "show") in ("0", "false")
    reader = ShapeReader(writer, package=package, targets=targets, hidden=hidden)
    found = list(shapes(descend(root, "p:cSld", "p:spTree")))
    titles = {shape: None for shape in found if placeholder(shape) in ("title", "ctrTitle")}  # in order
    title = next((text for shape in titles if (text := reader.words(shape))), "")
    others = [shape for shape in found if shape not in titles]
    notes = [package.part(target) for kind, target in targets.values() if kind == "notesSlide"]
    notes_shapes = [shape for page in notes for shape in shapes(descend(page, "p:cSld", "p:spTree"))]
    spoken = [shape for shape in notes_shapes if placeholder(shape) == "body"]
    if title or any(map(reader.shows_text, (*others, *spoken))):
        # Without a heading of its own a slide would stand under the title of the one before.
        writer.heading(title or f"Slide {number}", 1)
    for shape in others:
        reader.read(shape)
    for shape in spoken:
        reader.read(shape, introduced_by="Notes: ")
    return without_hidden(title)
