"""Bytes in the wrong encoding are refused with the one that makes sense of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from nextword.config.schema import TextConfig
from nextword.errors import TextError
from nextword.text.encodings import guess_encoding
from nextword.text.readers import TextReader, read_lines

TEXTS = [
    ("cp1252", "“It’s late,” she said – “and I’ve lost my café.” "),
    ("mac_roman", "“It’s late,” she said – “and I’ve lost my café.” "),
    ("cp1252", "Plötzlich hörte die Großmutter ein Geräusch über der Tür. "),
    ("cp850", "Plötzlich hörte die Großmutter ein Geräusch über der Tür. "),
    ("cp1252", "Où est passée la fenêtre? Ça m’a surpris, dit le garçon âgé. "),
    ("mac_roman", "Où est passée la fenêtre? Ça m'a surpris, dit le garçon âgé. "),
    ("cp1252", "¿Dónde está el niño? ¡Mañana vendrá aquí el señor! "),
    ("cp1252", "O irmão não está à espera; são três lições de manhã. "),
    ("cp1252", "Flickan går över ängen, och pojken är på ön. "),
    ("cp1252", "Pigen går over ængen, og drengen er på øen i søen. "),
    ("cp1250", "Źrebię pasło się w ogrodzie, a dziewczyna śpiewała piosenkę. "),
    ("iso8859-2", "Hříbě běhalo po louce a dívka šla k řece, která je žlutá. "),
    ("cp1250", "A csikó a kertben futott, és a lány őszi éneket fütyült. "),
    ("cp1254", "Küçük kız ırmağa gitti, çünkü yağmur dün akşam başladı. "),
    ("cp1257", "Mergaitė nuėjo prie upės, o žirgas šoko į sodą ąžuolų. "),
    ("cp1251", "Девочка пошла к реке, потому что дождь кончился. «Да», — сказал он. "),
    ("iso8859-15", "La sœur a payé 5 € pour un œuf à l'hôtel de Noël. "),
    ("iso8859-6", "ذهبت البنت إلى النهر لأن المطر توقف، وقالت أمها: لا بأس. "),
    ("koi8-r", "Девочка пошла к реке, потому что дождь кончился. Да, сказал он. "),
    ("cp866", "Девочка пошла к реке, потому что дождь кончился. Да, сказал он. "),
    ("cp1251", "Дівчинка пішла до річки, бо їй було жаль, що дощ скінчився. "),
    ("cp1253", "Το κορίτσι πήγε στο ποτάμι, γιατί η βροχή σταμάτησε χθες. "),
    ("cp1255", "הילדה הלכה אל הנהר כי הגשם נגמר אתמול בערב. "),
    ("cp1256", "ذهبت البنت إلى النهر لأن المطر توقف، وقالت أمها: لا بأس. "),
    ("cp874", "เด็กหญิงเดินไปที่แม่น้ำเพราะฝนหยุดตกแล้ว "),
    ("shift_jis", "女の子は川へ行きました。雨が止んだからです。テレビを見ました。"),
    ("euc_jp", "女の子は川へ行きました。雨が止んだからです。テレビを見ました。"),
    ("gb18030", "小女孩走到河边去了，因为昨天晚上雨停了。她很高兴。"),
    ("big5", "小女孩走到河邊去了，因為昨天晚上雨停了。她很高興。"),
    ("euc_kr", "소녀는 강으로 갔다. 어제 저녁에 비가 그쳤기 때문이다. "),
    ("utf-16-le", "The girl went to the river. "),
    ("utf-16-be", "Девочка пошла к реке. "),
    ("utf-32-le", "The girl went to the café. "),
]


@pytest.mark.parametrize(("encoding", "text"), TEXTS)
@pytest.mark.parametrize("plain", [0, 40])
def test_the_encoding_that_makes_sense_is_proposed(
    tmp_path: Path, encoding: str, text: str, plain: int
) -> None:
    whole = "The girl went to the river again. \n" * plain + text * 3
    file = tmp_path / "a.txt"
    file.write_bytes(whole.encode(encoding))
    with pytest.raises(TextError, match=r"a\.txt: .*set text\.encoding") as error:
        list(read_lines(file))
    (proposed,) = {
        word.removeprefix("text.encoding=").rstrip("),")
        for word in str(error.value).split()
        if word.startswith("text.encoding=")
    }
    assert file.read_bytes().decode(proposed) == whole
    assert f"--encoding {proposed}" in str(error.value)
    assert "".join(read_lines(file, proposed)) == whole.replace("\n", "")


def test_noise_is_taken_for_no_text() -> None:
    assert guess_encoding(bytes(range(1, 256)) * 20) is None
    assert guess_encoding(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\xff\xfe\xd8\xdc") is None
    assert guess_encoding(b"plain") is None


def test_a_damaged_byte_in_utf8_is_no_other_encoding(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes("Où est passée la fenêtre? ".encode() * 20 + b"\xff the end")
    with pytest.raises(TextError, match=r"byte 580 is not utf-8, though the text around it is"):
        list(read_lines(file))


WINDOWS = "One line.\n“You’re late,” he said.\n"


@pytest.mark.parametrize("encoding", ["latin-1", "iso8859-15"])
def test_controls_show_that_an_encoding_is_wrong(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(WINDOWS.encode("cp1252"))
    with pytest.raises(
        TextError,
        match=rf"a\.txt: line 2 .* U\+0093, so it is not {encoding}; .*--set text\.encoding=cp1252",
    ):
        list(read_lines(file, encoding))
    assert list(read_lines(file, "cp1252")) == WINDOWS.splitlines()


def test_an_ellipsis_read_as_latin1_is_no_line_end(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes("He came… and went.".encode("cp1252"))
    with pytest.raises(TextError, match=r"line 1 .*U\+0085, so it is not latin-1; .*cp1252"):
        list(read_lines(file, "latin-1"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_wrong_conversion_is_recognised(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "a.txt"
    garbled = (WINDOWS * 3).encode("cp1252").decode("latin-1")
    file.write_bytes(garbled.encode(encoding))
    with pytest.raises(TextError, match=r"line 2 .* converted from cp1252 as if .* latin-1"):
        list(read_lines(file, encoding))


def test_stray_controls_in_unicode_text_are_mended_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text(
        "plain words stand here\n" * 300 + "it\x92s \x93late\x94\x81\n", encoding="utf-8"
    )
    reader = TextReader(TextConfig(paragraphs="lines"))
    assert list(reader.read([file]))[-1] == "it’s “late”"
    assert any(note.startswith("4 control characters") for note in reader.notes)
    file.write_text("it\x92s \x93late\x94\n" * 9, encoding="utf-8")
    with pytest.raises(TextError, match="U\\+0092"):
        list(reader.read([file]))


@pytest.mark.parametrize(
    ("taken_for", "text"),
    [
        ("cp1252", "Le café est déjà fermé, dit-elle : « à bientôt » !"),
        ("cp1251", "Девочка пошла к реке, потому что дождь кончился."),
        ("mac_roman", "Mañana el niño comió piñas."),
        ("cp437", "Größer als die Straße, schöner als Öl."),
    ],
)
def test_utf8_that_was_encoded_twice_is_refused(tmp_path: Path, taken_for: str, text: str) -> None:
    file = tmp_path / "a.txt"
    lines = f"One line first.\n{text}\n"
    file.write_bytes(lines.encode().decode(taken_for).encode())
    with pytest.raises(TextError, match=rf"line 2 has .* was read as {taken_for} .* ftfy"):
        list(read_lines(file))
    file.write_bytes(lines.encode())
    assert list(read_lines(file)) == ["One line first.", text]
    with pytest.raises(TextError, match=rf"not {taken_for}; it looks like utf-8"):
        list(read_lines(file, taken_for))


def test_a_text_that_shows_such_a_piece_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    text = "The page said cafÃ© instead of café, and naÃ¯ve; LA LIBERTÉ» and Ü“ are naïve too."
    file.write_text(text, encoding="utf-8")
    assert list(read_lines(file)) == [text]


def test_japanese_of_seven_bits_is_recognised(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("女の子は川へ行きました。", encoding="iso2022_jp")
    with pytest.raises(TextError, match="iso2022_jp"):
        list(read_lines(file))
    assert list(read_lines(file, "iso2022_jp")) == ["女の子は川へ行きました。"]
