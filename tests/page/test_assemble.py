"""The page is one file that allows its own script and style, and connections to its server."""

import base64
import hashlib
import html
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from nextword.page import assemble
from nextword.page.assemble import PageInfo, joined, modules, page_html

INFO = PageInfo(
    title="</script><b>&amp;", words=12_197, parts=("network",), closing=(",", "<", "</script>")
)


class Page(HTMLParser):
    """The elements of a page and the text of its scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: dict[str, list[str]] = {}
        self._open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = {name: value or "" for name, value in attrs}
        self.attributes += given.items()
        self.ids += [given["id"]] if "id" in given else []
        self._open = " ".join([tag, *given.get("type", "").split()])

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self._open, []).append(data)
        self._open = ""

    @property
    def policy(self) -> str:
        (policy,) = [value for name, value in self.attributes if value.startswith("default-src")]
        return policy


@pytest.mark.parametrize("place", ["server", "page"])
def test_a_page_allows_its_own_script_and_style_alone(place: assemble.Place) -> None:
    page = Page(page_html(INFO, place))
    (script,), (style,) = page.texts["script"], page.texts["style"]
    for kind, text in (("script", script), ("style", style)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in page.policy
    assert "unsafe-inline" not in page.policy
    assert "unsafe-eval" not in page.policy.replace("wasm-unsafe-eval", "")
    assert ("connect-src 'self'" in page.policy) == (place == "server")
    assert ("connect-src 'none'" in page.policy) == (place == "page")


def test_what_a_model_contains_is_shown_as_text() -> None:
    text = page_html(INFO, "server")
    assert html.escape(INFO.title) in text
    assert "<b>" not in text
    page = Page(text)
    (known,) = page.texts["script application/json"]
    assert '"\\u003c/script>"' in known
    assert page.tags.count("script") == 2


def test_a_page_loads_nothing_from_elsewhere() -> None:
    page = Page(page_html(INFO, "page", "bW9kZWw="))
    addresses = [value for name, value in page.attributes if name in ("src", "href", "action")]
    assert addresses == ["data:,"]
    assert not re.search(r"https?://", page_html(INFO, "page"))
    assert page.texts["script application/octet-stream"] == ["bW9kZWw="]


def test_the_hooks_of_tests_and_scripts_are_there() -> None:
    page = Page(page_html(INFO, "server"))
    assert {"text", "suggestions", "status", "info"} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    used = re.findall(r'find\("([\w-]+)"\)', joined("interface/served.js"))
    assert set(used) <= set(page.ids)


def test_modules_come_after_those_that_they_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = {
        "a.js": 'import { b } from "./in/b.js";\nimport {\n  c,\n} from "./c.js";\n\n'
        "export const a = b + c;\n",
        "in/b.js": 'import { c } from "../c.js";\n\nexport function b() {\n  return c;\n}\n',
        "c.js": "export const c = 1;\n",
        "d.js": 'import { d } from "./d.js";\n',
        "e.js": "// </SCRIPT >\n",
    }
    (tmp_path / "in").mkdir()
    for name, text in sources.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(assemble, "SOURCE", tmp_path)
    assert modules("a.js") == ["c.js", "in/b.js", "a.js"]
    assert joined("a.js") == ("const c = 1;\nfunction b() {\n  return c;\n}\nconst a = b + c;")
    with pytest.raises(ValueError, match="d.js imports itself"):
        modules("d.js")
    with pytest.raises(ValueError, match="end tag"):
        joined("e.js")


@pytest.mark.parametrize("entry", [file for file, _ in assemble.ENTRIES.values()])
def test_the_names_of_all_modules_of_a_page_differ(entry: str) -> None:
    names = re.findall(r"^(?:async )?(?:function\*?|class|const|let) (\w+)", joined(entry), re.M)
    assert len(names) > 10
    assert sorted(names) == sorted(set(names))
    assert "import" not in re.findall(r"^\w+", joined(entry), re.M)
