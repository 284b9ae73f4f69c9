"""HTML and Markdown as their running text."""

import html
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextword.errors import TextError
from nextword.text.formats import FORMATS, Extract
from nextword.text.formats.html import html_paragraphs

WORDS = st.lists(
    st.sampled_from("the mill <b> & été 我 a<b &amp; “so” x>y </p>".split()), min_size=1
)
PARAGRAPHS = st.lists(WORDS.map(" ".join), max_size=5)


def extract(folder: Path, name: str, content: str | bytes) -> Extract:
    path = folder / "text"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    opened = FORMATS[name].open
    assert opened is not None
    return opened(path, "utf-8", None)


def paragraphs(source: str) -> list[str]:
    return list(html_paragraphs(source.split("\n")))


@given(PARAGRAPHS, st.sampled_from(["p", "div", "li", "h2", "blockquote"]), st.booleans())
def test_escaped_paragraphs_come_back(texts: list[str], tag: str, wrapped: bool) -> None:
    parts = [html.escape(text).replace(" ", "\n  " if wrapped else " ") for text in texts]
    source = "".join(f"<{tag} class='a > b'>{part}</{tag}>\n" for part in parts)
    assert paragraphs(f"<html><head><title>x</title></head><body>{source}</body>") == texts


@pytest.mark.parametrize(
    "source, expected",
    [
        ("<p>one <i>two</i><b>three</b></p>four<p>five", ["one twothree", "four", "five"]),
        ("<head><title>x</title><style>p{}</style><p>one", ["one"]),
        (
            "<p>one<script>if (a<b) '<p>no</p>'</script></p><noscript>no</noscript>two",
            ["one", "two"],
        ),
        ("<nav><ul><li>Home</ul></nav><template><p>no</template><p>one", ["one"]),
        ("one<br>two<br/><br>three<p>four", ["one two", "three", "four"]),
        ("<p>a<br>" + "b<br>" * 50, ["a"] + ["b"] * 50),
        ("<pre>one\n  two\n\nthree</pre>four\n\nfive", ["one two", "three", "four five"]),
        ("<tr><td>one<td>two<tr><td>three", ["one two", "three"]),
        ("<p><ruby>漢<rp>(<rt>kan<rp>)</ruby>字", ["漢字"]),
        (
            "<p>caf&eacute; &#8217;&#x41;&nbsp;&amp;lt; &#0;&#xD800; &#7;",
            ["café ’A\xa0&lt; \ufffd\ufffd"],
        ),
        ("<p>a<!-- <p>no --> b<![CDATA[ <c> & ]]>d", ["a b <c> & d"]),
        ("<!--[if IE]><p>no</p><![endif]--><p>one<![if !IE]> two<![endif]>", ["one two"]),
        ("<p>1 < 2 & 3 > 2 <3", ["1 < 2 & 3 > 2 <3"]),
        ("<p>unclosed <b", ["unclosed <b"]),
        ("<p>\u2028one\u2029two\x85three</p>", ["one", "two three"]),
    ],
)
def test_blocks_are_paragraphs(source: str, expected: list[str]) -> None:
    assert paragraphs(source) == expected


def test_pieces_of_a_long_document_fit_together() -> None:
    texts = [f"The {n} <i>miller</i> <!-- note --> went <![CDATA[<home>]]>." for n in range(9000)]
    expected = [f"The {n} miller went <home>." for n in range(9000)]
    assert paragraphs("".join(f"<p>{text}</p>\n" for text in texts)) == expected
    assert paragraphs(f"<p>{'so ' * 50_000}<![CDATA[{'<b>' * 50_000}]]></p>") == [
        "so " * 50_000 + "<b>" * 50_000
    ]


def test_many_tags_without_an_end_are_text() -> None:
    assert paragraphs("<i " * 9000 + "late<p>so") == [("<i " * 9000).strip() + " late", "so"]


def test_a_text_with_inline_tags_alone_gives_lines(tmp_path: Path) -> None:
    found = extract(tmp_path, "html", "It was <i>late</i>.<br>\nSo.\n\nOne<br /><br />two &amp;\n")
    assert found.as_lines
    assert list(found.paragraphs) == ["It was late.", "So.", "", "One", "two &"]
    assert not extract(tmp_path, "html", "<p>It was late.").as_lines


@pytest.mark.parametrize("declared", ["iso-8859-1", "windows-1252", "cp1252"])
def test_the_declared_encoding_counts_where_the_bytes_are_not_utf_8(
    declared: str, tmp_path: Path
) -> None:
    source = f"<meta charset='{declared}'><p>“Où ça?”</p>"
    for encoding in ("cp1252", "utf-8"):
        found = extract(tmp_path, "html", source.encode(encoding))
        assert list(found.paragraphs) == ["“Où ça?”"]
    with pytest.raises(TextError, match="not utf-8"):
        list(extract(tmp_path, "html", "<p>“Où ça?”".encode("cp1252")).paragraphs)
    odd = source.replace(declared, "base64").encode("cp1252")
    with pytest.raises(TextError, match="not utf-8"):
        list(extract(tmp_path, "html", odd).paragraphs)


MARKDOWN = """---
title: The ferry
---
# The *ferry*

See the [mill](https://example.org/mill "so"), **again** and `again`;
it was ~~late~~ dark. ![A picture](a.png) AT&amp;T \\*

- one
- two
  and a half

    Indented, as a writer does.

```python
print("no")
```

| a | b |
|---|---|
| c | d |

<div><p>In <i>HTML</i></p></div>

Last<br>line <https://example.org>
"""


def test_markdown_is_its_text(tmp_path: Path) -> None:
    found = extract(tmp_path, "markdown", MARKDOWN)
    assert found.taken == "Markdown, without 1 code block"
    assert list(found.paragraphs) == [
        "The ferry",
        "See the mill, again and again; it was late dark. AT&T *",
        "one",
        "two and a half",
        "Indented, as a writer does.",
        "a b",
        "c d",
        "In HTML",
        "Last line https://example.org",
    ]


def test_a_rule_that_begins_a_text_is_no_front_matter(tmp_path: Path) -> None:
    found = extract(tmp_path, "markdown", "---\n\nIt was late.\n\n---\n\nSo it was.\n")
    assert list(found.paragraphs) == ["It was late.", "So it was."]


def test_front_matter_in_toml_is_no_text(tmp_path: Path) -> None:
    text = '+++\ntitle = "The Mill"\ntags = ["a"]\n+++\n\n# The mill\n\nIt *turned*.\n'
    assert list(extract(tmp_path, "markdown", text).paragraphs) == ["The mill", "It turned."]
