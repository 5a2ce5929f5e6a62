"""The control words of Rich Text that matter to its text (Microsoft's specification 1.9.1)."""

from __future__ import annotations

CHARACTERS = {
    "tab": "\t",
    "line": "\n",
    "lbr": "\n",
    "softline": "\n",
    "emdash": "—",
    "endash": "–",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
    "bullet": "•",
    "emspace": " ",
    "enspace": " ",
    "qmspace": " ",
    "nestcell": " ",
    "~": " ",
    "_": "-",
    "\\": "\\",
    "{": "{",
    "}": "}",
}
PARAGRAPH_ENDS = frozenset(("par", "sect", "page", "column", "\n", "\r"))
# Groups without text of the document; those that begin with \* and are not read are left out as well.
LEFT_OUT = (
    frozenset(
        ("colortbl", "filetbl", "revtbl", "listtable", "listoverridetable", "rsidtbl", "pict", "objdata", "objclass")
    )
    | frozenset(
        ("header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf", "ftnsep", "ftnsepc")
    )
    | frozenset(
        ("aftnsep", "aftnsepc", "ftncn", "aftncn", "fldinst", "shprslt", "nonshppict", "nonesttables", "sp", "xe", "tc")
    )
    | frozenset(("rxe", "annotation", "atnid", "atnauthor", "atndate", "template", "private1", "nextfile", "txe", "do"))
)
# Groups that begin with \* and hold text of the document all the same.
READ_THOUGH_OPTIONAL = frozenset(("shpinst", "shptxt"))
PROPERTIES = {
    "title": "title",
    "author": "author",
    "subject": "subject",
    "keywords": "keywords",
    "doccomm": "description",
    "creatim": "created",
    "revtim": "modified",
}
DATE_PARTS = ("yr", "mo", "dy", "hr", "min")
CHARACTER_SETS = {  # \fcharsetN, and what it is when it is not the document's own
    77: "mac_roman",
    128: "cp932",
    129: "cp949",
    130: "johab",
    134: "gbk",
    136: "big5",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
    255: "cp437",
}
SYMBOL_SET = 2
DOCUMENT_SETS = {"ansi": "cp1252", "mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
