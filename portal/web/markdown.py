"""The little Markdown that set-up texts use, as safe HTML: headings, paragraphs, lists, tables, emphasis, code, links.

Everything is escaped first; only what is named here becomes an element, and links only lead to http(s) and mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

_INLINE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"&lt;(https?://[^\s&]+)&gt;"), r'<a href="\1" rel="noopener noreferrer" target="_blank">\1</a>'),
    (
        re.compile(r"\[([^\]]+)\]\(((?:https?://|mailto:)[^\s)&]+)\)"),
        r'<a href="\2" rel="noopener noreferrer" target="_blank">\1</a>',
    ),
    (re.compile(r"\*\*(?!\s)(.+?)(?<!\s)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"(?<![*\w])\*(?![\s*])(.+?)(?<![\s*])\*(?![*\w])"), r"<em>\1</em>"),
)
_CODE = re.compile(r"`([^`]+)`")
_HEADING = re.compile(r"(#{1,4})\s+(.*)")
_ITEM = re.compile(r"(\s*)(?:[-*+]|(\d+)\.)\s+(.*)")
_RULE = re.compile(r"\|?[\s:|-]+\|?")
_LANGUAGES = {"english": "en", "deutsch": "de"}


def in_language(text: str, language: str) -> str:
    """The part of a bilingual text below ``## English`` or ``## Deutsch``; a text without such parts as it is."""
    parts: dict[str, list[str]] = {}
    spoken = ""
    for line in text.splitlines():
        heading = _HEADING.fullmatch(line)
        if heading and len(heading[1]) == 2 and heading[2].strip().lower() in _LANGUAGES:
            spoken = _LANGUAGES[heading[2].strip().lower()]
        else:
            parts.setdefault(spoken, []).append(line)
    chosen = parts.get(language) or parts.get("en") or parts.get("de")
    return "\n".join(chosen).strip() if chosen else text


def html(text: str) -> Markup:
    """The text as HTML; its highest heading becomes h3, because it stands inside a page of ours."""
    lines = text.splitlines()
    levels = [len(found[1]) for line in lines if (found := _HEADING.fullmatch(line))]
    return Markup("\n").join(_blocks(lines, 3 - min(levels, default=1)))


def _blocks(lines: list[str], shift: int) -> Iterator[Markup]:
    at = 0
    while at < len(lines):
        heading = _HEADING.fullmatch(lines[at])
        end = at + 1
        if not lines[at].strip():
            pass
        elif heading:
            level = min(6, len(heading[1]) + shift)
            yield _element(f"h{level}", _inline(heading[2]))
        elif _ITEM.fullmatch(lines[at]):
            end = _end_of_list(lines, at)
            yield _list(lines[at:end])
        elif lines[at].lstrip().startswith("|"):
            end = next((i for i in range(at, len(lines)) if not lines[i].lstrip().startswith("|")), len(lines))
            yield _table(lines[at:end])
        else:
            end = next((i for i in range(at, len(lines)) if _ends_paragraph(lines[i])), len(lines))
            yield _element("p", _inline(" ".join(line.strip() for line in lines[at:end])))
        at = end


def _ends_paragraph(line: str) -> bool:
    return not line.strip() or bool(_HEADING.fullmatch(line) or _ITEM.fullmatch(line)) or line.lstrip().startswith("|")


def _end_of_list(lines: list[str], at: int) -> int:
    """A list goes on over its continuation lines, which are indented, and over single empty lines between items."""
    end = at
    while end < len(lines):
        line, following = lines[end], lines[end + 1] if end + 1 < len(lines) else ""
        belongs = _ITEM.fullmatch(line) or (line.strip() and line.startswith(" "))
        between = not line.strip() and (_ITEM.fullmatch(following) or following.startswith("  "))
        if not belongs and not between:
            break
        end += 1
    return end


def _list(lines: list[str]) -> Markup:
    """One list; what is indented deeper than its first item is a list inside."""
    first = _ITEM.fullmatch(lines[0])
    assert first is not None  # noqa: S101 - the caller looked
    depth, tag = len(first[1]), "ol" if first[2] else "ul"
    items: list[tuple[str, list[str]]] = []
    for line in lines:
        item = _ITEM.fullmatch(line)
        if item and len(item[1]) <= depth:
            items.append((item[3], []))
        elif item or (items[-1][1] and line.strip()):
            items[-1][1].append(line)
        elif line.strip():
            items[-1] = (f"{items[-1][0]} {line.strip()}", [])
    return _element(
        tag, *(_element("li", _inline(text), _list(inner) if inner else Markup("")) for text, inner in items)
    )


def _table(lines: list[str]) -> Markup:
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if not _RULE.fullmatch(line)
    ]
    head, body = (rows[0], rows[1:]) if len(rows) < len(lines) else ([], rows)
    made = _element("tr", *_cells("th", head)) if any(head) else Markup("")
    return _element("table", made, *(_element("tr", *_cells("td", row)) for row in body))


def _cells(tag: str, cells: list[str]) -> list[Markup]:
    return [_element(tag, _inline(cell)) for cell in cells]


def _element(tag: str, *content: Markup) -> Markup:
    return Markup(f"<{tag}>%s</{tag}>") % Markup("").join(content)  # noqa: S704 - tags are ours, the content is escaped


def _inline(text: str) -> Markup:
    """Emphasis, links and code within a line; nothing inside code is anything else."""
    made = []
    for number, piece in enumerate(_CODE.split(text)):
        if number % 2:
            made.append(f"<code>{escape(piece)}</code>")
            continue
        safe = str(escape(piece))
        for pattern, replacement in _INLINE:
            safe = pattern.sub(replacement, safe)
        made.append(safe)
    return Markup("".join(made))  # noqa: S704 - every piece was escaped
