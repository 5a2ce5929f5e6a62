"""Small office files, made of the XML and the bytes that a test is about."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_NAMESPACES = (
    f'xmlns:w="{W}" xmlns:r="{_OFFICE}/relationships" xmlns:m="{_OFFICE}/math" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" '
    'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:v="urn:schemas-microsoft-com:vml"'
)
_ODF = "urn:oasis:names:tc:opendocument:xmlns"
_ODF_NAMESPACES = (
    " ".join(
        f'xmlns:{prefix}="{_ODF}:{name}:1.0"'
        for prefix, name in {
            **{name: name for name in ("office", "text", "table", "style", "presentation", "meta", "manifest")},
            "draw": "drawing",
            "fo": "xsl-fo-compatible",
        }.items()
    )
    + ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/"'
)
_TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
_CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">%s</cp:coreProperties>'
)


def zipped(members: Mapping[str, str | bytes]) -> bytes:
    """A ZIP archive of these members."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def relations(targets: Mapping[str, tuple[str, str]]) -> str:
    """A part's relations: kind and path by id."""
    return (
        f'<Relationships xmlns="{_RELATIONS}">'
        + "".join(
            f'<Relationship Id="{identifier}" Type="{_OFFICE}/relationships/{kind}" Target="{target}"/>'
            for identifier, (kind, target) in targets.items()
        )
        + "</Relationships>"
    )


def element(name: str, content: str) -> str:
    """A root with all namespaces of Office Open XML."""
    return f"<{name} {_NAMESPACES}>{content}</{name.split()[0]}>"


def docx(body: str, *, core: str = "", **parts: str) -> bytes:
    """A Word document with this body; ``parts`` are the contents of styles, numbering, footnotes and endnotes."""
    return zipped(
        {
            "[Content_Types].xml": _TYPES,
            "_rels/.rels": relations({"r1": ("officeDocument", "word/document.xml")}),
            "word/document.xml": element("w:document", f"<w:body>{body}</w:body>"),
            "docProps/core.xml": _CORE % core,
            **{f"word/{name}.xml": element(f"w:{name}", content) for name, content in parts.items()},
        }
    )


def pptx(*slides: str, **more: str) -> bytes:
    """A presentation; each slide is its shapes, ``more`` are other parts by their paths without ``.xml``."""
    numbers = range(1, len(slides) + 1)
    listed = "".join(f'<p:sldId id="{255 + number}" r:id="r{number}"/>' for number in numbers)
    members = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": relations({"r1": ("officeDocument", "ppt/presentation.xml")}),
        "ppt/presentation.xml": element("p:presentation", f"<p:sldIdLst>{listed}</p:sldIdLst>"),
        "ppt/_rels/presentation.xml.rels": relations(
            {f"r{number}": ("slide", f"slides/slide{number}.xml") for number in numbers}
        ),
    }
    for number, slide in zip(numbers, slides, strict=True):
        name, shapes = ('p:sld show="0"', slide[7:]) if slide.startswith("HIDDEN ") else ("p:sld", slide)
        members[f"ppt/slides/slide{number}.xml"] = element(name, f"<p:cSld><p:spTree>{shapes}</p:spTree></p:cSld>")
    for path, content in more.items():
        members[f"{path}.xml.rels" if "/_rels/" in path else f"{path}.xml"] = content
    return zipped(members)


def shape(kind: str | None, *paragraphs: str) -> str:
    """A shape of a slide: a placeholder of this kind, or a text box; a paragraph may be XML or plain words."""
    placeholder = "" if kind is None else f'<p:ph type="{kind}"/>' if kind else "<p:ph/>"
    text = "".join(p if p.startswith("<a:p>") else f"<a:p><a:r><a:t>{p}</a:t></a:r></a:p>" for p in paragraphs)
    return f"<p:sp><p:nvSpPr><p:nvPr>{placeholder}</p:nvPr></p:nvSpPr><p:txBody>{text}</p:txBody></p:sp>"


def xlsx(sheets: Mapping[str, str], *, hidden: tuple[str, ...] = ()) -> bytes:
    """A workbook: the XML of each sheet's rows, with ``inlineStr`` cells, and style 1 for dates; see ``row``."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    states = dict.fromkeys(hidden, ' state="hidden"')
    listed = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="r{number}"{states.get(name, "")}/>'
        for number, name in enumerate(sheets, 1)
    )
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    return zipped(
        {
            "[Content_Types].xml": (
                '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
                '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                '<Default Extension="xml" ContentType="application/xml"/>'
                f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/></Types>'
            ),
            "_rels/.rels": relations({"r1": ("officeDocument", "xl/workbook.xml")}),
            "xl/workbook.xml": (
                f'<workbook xmlns="{main}" xmlns:r="{_OFFICE}/relationships"><sheets>{listed}</sheets></workbook>'
            ),
            "xl/_rels/workbook.xml.rels": relations(
                {f"r{number}": ("worksheet", f"worksheets/sheet{number}.xml") for number in range(1, len(sheets) + 1)}
                | {"rs": ("styles", "styles.xml")}
            ),
            "xl/styles.xml": (
                f'<styleSheet xmlns="{main}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
                "</styleSheet>"
            ),
            **{
                f"xl/worksheets/sheet{number}.xml": f'<worksheet xmlns="{main}">{content}</worksheet>'
                for number, content in enumerate(sheets.values(), 1)
            },
        }
    )


def row(number: int, *cells: object, start: str = "A") -> str:
    """A row of a sheet: strings, numbers, booleans, and dates as ``("date", serial)``; None leaves a cell out."""
    parts = []
    for offset, cell in enumerate(cells):
        at = f"{chr(ord(start) + offset)}{number}"
        if isinstance(cell, str):
            parts.append(f'<c r="{at}" t="inlineStr"><is><t>{cell}</t></is></c>')
        elif isinstance(cell, bool):
            parts.append(f'<c r="{at}" t="b"><v>{int(cell)}</v></c>')
        elif isinstance(cell, tuple):
            parts.append(f'<c r="{at}" s="1"><v>{cell[1]}</v></c>')
        elif cell is not None:
            parts.append(f'<c r="{at}"><v>{cell}</v></c>')
    return f'<row r="{number}">{"".join(parts)}</row>'


def opendocument(kind: str, body: str, *, styles: str = "", meta: str = "", **more: str | bytes) -> bytes:
    """An OpenDocument file of a kind such as ``text``; ``styles`` are automatic, ``more`` further members."""
    root = f"office:{kind}"
    return zipped(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": (
                f"<office:document-content {_ODF_NAMESPACES}>"
                f"<office:automatic-styles>{styles}</office:automatic-styles>"
                f"<office:body><{root}>{body}</{root}></office:body></office:document-content>"
            ),
            "meta.xml": (
                f"<office:document-meta {_ODF_NAMESPACES}><office:meta>{meta}</office:meta></office:document-meta>"
            ),
            "META-INF/manifest.xml": f"<manifest:manifest {_ODF_NAMESPACES}/>",
            **more,
        }
    )


def compound_file(streams: Mapping[str, bytes]) -> bytes:
    """A compound file ([MS-CFB], version 3) of these streams, each filled up to 4,096 bytes at least."""
    sector, free, end, fat_mark = 512, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    contents = [data.ljust(4096, b"\0") for data in streams.values()]
    contents = [data + bytes(-len(data) % sector) for data in contents]
    directory_sectors = (len(streams) + 1 + 3) // 4
    fat = [fat_mark, *range(2, 1 + directory_sectors), end]
    starts = []
    for data in contents:
        starts.append(len(fat))
        count = len(data) // sector
        fat += [*range(len(fat) + 1, len(fat) + count), end]
    assert len(fat) <= 128, "one sector of the table is enough for a test"
    entries = [_entry("Root Entry", 5, free, free, 1 if streams else free, end, 0)]
    for number, (name, start, data) in enumerate(zip(streams, starts, contents, strict=True), 1):
        after = number + 1 if number < len(streams) else free  # a tree that leans right: readers list it all the same
        entries.append(_entry(name, 2, free, after, free, start, len(data)))
    directory = b"".join(entries).ljust(directory_sectors * sector, b"\0")
    header = struct.pack(
        "<8s16s5H6x9L", bytes.fromhex("d0cf11e0a1b11ae1"), b"", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, end, 0, end, 0
    )
    header += struct.pack("<109L", 0, *[free] * 108)
    table = struct.pack(f"<{len(fat)}L", *fat).ljust(sector, b"\xff")
    return header + table + directory + b"".join(contents)


def _entry(name: str, kind: int, left: int, right: int, below: int, start: int, size: int) -> bytes:
    written = (name + "\0").encode("utf-16-le")
    return struct.pack(
        "<64sHBB3L16sL8s8sLLL", written, len(written), kind, 1, left, right, below, b"", 0, b"", b"", start, size, 0
    )
