from __future__ import annotations

import pytest

import integrations
from portal.extensions import folder
from portal.web.markdown import html, in_language


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("# Title\n\nA line\nand more.", "<h3>Title</h3>\n<p>A line and more.</p>"),
        ("- a\n  goes on\n- b\n  - c", "<ul><li>a goes on</li><li>b<ul><li>c</li></ul></li></ul>"),
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        ("**b** *i* `c *not*`", "<p><strong>b</strong> <em>i</em> <code>c *not*</code></p>"),
        ("2 * 3 * 4", "<p>2 * 3 * 4</p>"),
        ("| a | b |\n|---|---|\n| c | |", "<table><tr><th>a</th><th>b</th></tr><tr><td>c</td><td></td></tr></table>"),
    ],
)
def test_each_form_becomes_its_element(text: str, made: str) -> None:
    assert html(text) == made


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", "[x](javascript:alert(1))", "<javascript:alert(1)>", "`<img src=x onerror=y>`",
        '[x](https://a.example/"onmouseover="y)', "# <b onclick=z>", "| <i> |", "- <u>",
    ],
)  # fmt: skip
def test_nothing_but_our_own_elements_comes_out(text: str) -> None:
    made = html(text).lower()
    for bad in ("<script", "<img", "<b ", "<i>", "<u>", 'href="javascript', '" onmouseover', '"onmouseover'):
        assert bad not in made


def test_links_lead_out_and_tell_nobody_where_from() -> None:
    made = html("See <https://a.example/b> and [there](https://c.example/?d=1).")
    assert 'href="https://a.example/b"' in made
    assert '<a href="https://c.example/?d=1" rel="noopener noreferrer" target="_blank">there</a>' in made


@pytest.mark.parametrize("kind", sorted(integrations.kinds()))
def test_every_kind_has_a_set_up_text_in_both_languages(kind: str) -> None:
    text = folder.setup_text(kind)
    german, english = in_language(text, "de"), in_language(text, "en")
    assert german
    assert english
    assert german != english
    assert "<ol>" in html(english)
