"""A model as one HTML file: the page for writing, with the model in it."""

from __future__ import annotations

from nextword.export.dense_text import dense_text
from nextword.export.pack import pack
from nextword.inference.loaded_model import LoadedModel
from nextword.page.assemble import page_html
from nextword.page.info import page_info


def html_page(loaded: LoadedModel) -> str:
    """The page, which opens in any browser and connects to nothing.

    Raises:
        ModelError: the model computes in a way that the page does not know.
    """
    return page_html(page_info(loaded), "page", dense_text(pack(loaded)))
