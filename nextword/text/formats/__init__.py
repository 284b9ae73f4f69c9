"""Files that are not plain text: recognised by their content, and read as their text."""

from nextword.text.formats.detect import FORMATS, format_of, recognise
from nextword.text.formats.extract import Extract, Format

__all__ = ["FORMATS", "Extract", "Format", "format_of", "recognise"]
