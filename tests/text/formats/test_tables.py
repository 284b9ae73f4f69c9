"""Tables and JSON: the column or key that is named, or holds the running text."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextword.errors import TextError
from nextword.text.formats import FORMATS, Extract

TEXT = st.text(
    st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(' ,;|"\t'), min_size=1
)
SENTENCES = st.lists(
    TEXT.map(lambda text: f"it was so {text} again").map(lambda text: " ".join(text.split())),
    min_size=2,
    max_size=6,
)


def extract(folder: Path, name: str, content: str, column: str | None = None) -> Extract:
    path = folder / "text"
    path.write_bytes(content.encode())
    opened = FORMATS[name].open
    assert opened is not None
    return opened(path, "utf-8", column)


def refusal(folder: Path, name: str, content: str, column: str | None = None) -> str:
    with pytest.raises(TextError) as raised:
        list(extract(folder, name, content, column).paragraphs)
    assert str(raised.value).startswith(f"{folder / 'text'}") and "\n" not in str(raised.value)
    return str(raised.value)


def as_csv(rows: list[list[str]], delimiter: str) -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter).writerows(rows)
    return stream.getvalue()


@settings(max_examples=50)
@given(SENTENCES, st.sampled_from(",;\t|"))
def test_a_column_comes_back(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], delimiter: str
) -> None:
    rows = [["id", "author", "text"], *([str(n), "Tom", text] for n, text in enumerate(texts))]
    found = extract(tmp_path_factory.mktemp("a"), "csv", as_csv(rows, delimiter), "text")
    assert list(found.paragraphs) == texts


@settings(max_examples=50)
@given(SENTENCES, st.booleans(), st.sampled_from(["lines", "array", "strings", "object"]))
def test_a_key_comes_back(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], ascii_only: bool, form: str
) -> None:
    records = [{"id": n, "from": "Tom", "text": text} for n, text in enumerate(texts)]
    whole = {"array": records, "strings": texts, "object": {"name": "a chat", "list": records}}
    if form == "lines":
        content = "\n\n".join(json.dumps(record, ensure_ascii=ascii_only) for record in records)
    else:
        content = json.dumps(whole[form], ensure_ascii=ascii_only, indent=1)
    found = extract(tmp_path_factory.mktemp("a"), "jsonl", content)
    assert list(found.paragraphs) == texts
    key = {"strings": "its strings", "object": "key 'list.text'"}.get(form, "key 'text'")
    assert found.taken == f"{'JSONL' if form == 'lines' else 'JSON'}, {key}"


ROWS = "time;author;message;rating\n" + "".join(
    f'2024-05-{n:02};the old miller;"It was late {n};\nthe ferry ""slept""";4,5\n'
    for n in range(1, 20)
)


def test_the_column_with_most_running_text_is_taken(tmp_path: Path) -> None:
    found = extract(tmp_path, "csv", ROWS)
    assert found.taken == "CSV, column 'message'"
    texts = list(found.paragraphs)
    assert texts[0] == 'It was late 1; the ferry "slept"' and len(texts) == 19


def test_a_column_is_named_or_numbered(tmp_path: Path) -> None:
    assert next(extract(tmp_path, "csv", ROWS, "author").paragraphs) == "the old miller"
    assert extract(tmp_path, "csv", ROWS, "2").taken == "CSV, column 'author'"
    message = refusal(tmp_path, "csv", ROWS, "text")
    assert "'time', 'author', 'message', 'rating'" in message
    assert "--set text.column=NAME" in message
    assert "has no column '5'" in refusal(tmp_path, "csv", ROWS, "5")


def test_a_table_without_a_header_loses_no_row(tmp_path: Path) -> None:
    rows = '7\teng\tThe ferry is "late" again.\n8\teng\tBring the lantern.\n' * 9
    found = extract(tmp_path, "csv", rows)
    assert found.taken == "TSV, column 3"
    assert list(found.paragraphs) == ['The ferry is "late" again.', "Bring the lantern."] * 9


def test_a_single_column(tmp_path: Path) -> None:
    found = extract(tmp_path, "csv", 'text\n"The ferry, late again."\n"Bring, Tom, the lantern."\n')
    assert list(found.paragraphs) == ["The ferry, late again.", "Bring, Tom, the lantern."]


def test_numbers_dates_and_names_are_never_taken(tmp_path: Path) -> None:
    rows = "date,number,mail\n" + "2024-05-01 10:15,1,tom@example.org\n" * 9
    message = refusal(tmp_path, "csv", rows)
    assert "none of its columns hold running text ('date', 'number', 'mail')" in message
    assert "no table" in refusal(tmp_path, "csv", "\n\n")


def test_a_quotation_mark_that_is_never_closed(tmp_path: Path) -> None:
    found = extract(tmp_path, "csv", "id,text\n" + "1,it was so late\n" * 2000 + '2,"so late\n')
    assert list(found.paragraphs)[-1] == "so late"
    rest = '3,"' + "so late\n" * 3_000_000
    message = refusal(tmp_path, "csv", "id,text\n" + "1,it was so late\n" * 2000 + rest)
    assert "quotation mark that is not closed" in message


def test_keys_of_nested_objects(tmp_path: Path) -> None:
    chat = {"messages": [{"role": "user", "content": "Is the ferry late?\n\nI wait."}]}
    content = f"{json.dumps(chat)}\n" * 3
    found = extract(tmp_path, "jsonl", content)
    assert found.taken == "JSONL, key 'messages.content'"
    assert list(found.paragraphs) == ["Is the ferry late?", "I wait."] * 3
    assert list(extract(tmp_path, "jsonl", content, "messages.role").paragraphs) == ["user"] * 3
    message = refusal(tmp_path, "jsonl", content, "text")
    assert "no key 'text' with text ('messages.role', 'messages.content')" in message


def test_text_is_preferred_to_the_same_with_tags(tmp_path: Path) -> None:
    line = json.dumps({"html": "<p>It was late again.</p>", "text": "It was late again."})
    assert extract(tmp_path, "jsonl", f"{line}\n" * 3).taken == "JSONL, key 'text'"


def test_odd_characters_in_escapes_are_replaced(tmp_path: Path) -> None:
    found = extract(
        tmp_path, "jsonl", '["it \\u0000was\\u0007 \\ud83d so\\u200b late\\u2028again"]'
    )
    assert list(found.paragraphs) == ["it was \ufffd so\u200b late again"]


@pytest.mark.parametrize(
    "content, expected",
    [
        ('{"text": "it was late"}\n{"text": \n', "line 2: not a JSON value"),
        ('[{"text": "it was late"},\n{"text": ]', "line 2: not valid JSON"),
        ("[" * 100_000, "nested too deep"),
        ('{"text": ' + "9" * 10_000 + "}", "number too long"),
        ("[1, 2]", "none of its keys hold running text (none)"),
        ('{"id": "0a1b2c3d4e"}\n{"id": "0a1b2c3d4f"}', "none of its keys hold running text ('id')"),
    ],
)
def test_json_that_cannot_be_read(content: str, expected: str, tmp_path: Path) -> None:
    assert expected in refusal(tmp_path, "jsonl", content)


def test_excel_s_line_about_the_delimiter_is_no_row(tmp_path: Path) -> None:
    rows = "".join(f"{n};The mill stood by the river number {n}.\n" for n in range(9))
    found = extract(tmp_path, "csv", f"sep=;\nid;text\n{rows}")
    assert found.taken == "CSV, column 'text'"
    assert list(found.paragraphs) == [f"The mill stood by the river number {n}." for n in range(9)]
