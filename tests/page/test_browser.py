"""The page in a real browser, with a server behind it and as a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

PROMPT = "Napoleon was the Emperor of"
on_both_engines = pytest.mark.parametrize("address", ["exported", "served"], indirect=True)


def answered(page: Page, text: str) -> list[str]:
    """Wait for the suggestions that belong to a text, and return their words."""
    page.wait_for_selector(f"body[data-answered={json.dumps(text)}]")
    buttons = page.locator("button.suggestion").all()
    return [button.get_attribute("data-word") or "" for button in buttons]


def field(page: Page) -> Locator:
    return page.locator("#text")


def write(page: Page, text: str) -> list[str]:
    """Type a text key by key, and return the words suggested at its end."""
    field(page).focus()
    page.keyboard.type(text)
    return answered(page, text)


@on_both_engines
def test_suggestions_follow_the_text(page: Page) -> None:
    words = write(page, f"{PROMPT} ")
    assert words[0] == "France"
    assert len(words) == 3
    likely = [
        float(button.get_attribute("data-probability") or "nan")
        for button in page.locator("button.suggestion").all()
    ]
    assert likely == sorted(likely, reverse=True) and 0.5 < likely[0] <= 1


@on_both_engines
def test_typed_letters_narrow_the_suggestions(page: Page) -> None:
    words = write(page, f"{PROMPT} d")
    assert words and all(word.startswith("d") for word in words)
    assert page.locator("#layer .rest").inner_text() == words[0][1:]
    page.keyboard.type("zz")
    assert answered(page, f"{PROMPT} dzz") == []
    assert "dzz" in page.locator("#status").inner_text()


@on_both_engines
def test_escape_stops_writing_on(page: Page) -> None:
    write(page, PROMPT)
    page.get_by_text("Write on", exact=True).first.click()
    page.get_by_label("Words").fill("9000")
    page.locator("#write-on").click()
    page.wait_for_selector(f'body[data-answered^="{PROMPT} "]')
    assert page.get_by_label("Words").input_value() == "500"
    field(page).focus()
    page.keyboard.type("x")  # the text is the model's for now
    page.keyboard.press("Escape")
    page.locator("#write-on", has_text="Write on").wait_for()
    assert len(field(page).input_value().split()) < 500
    page.keyboard.type("yes")
    assert field(page).input_value().endswith("yes")


def test_undo_takes_saved_key_presses_back(page: Page) -> None:
    write(page, f"{PROMPT} Fr")
    page.keyboard.press("Tab")
    assert page.locator("#saved").inner_text().startswith("4 of 35")
    page.keyboard.press("Control+z")
    assert page.locator("#saved").inner_text().startswith("0 of 30")


@pytest.mark.parametrize("way", ["Tab", "Alt+1", "click"])
def test_a_suggestion_is_taken_and_undone(page: Page, way: str) -> None:
    write(page, f"{PROMPT} Fr")
    if way == "click":
        page.locator("button.suggestion").first.click()
    else:
        page.keyboard.press(way)
    assert field(page).input_value() == f"{PROMPT} France "
    assert answered(page, f"{PROMPT} France ")[0] == "."
    assert "4 of 35 characters" in page.locator("#saved").inner_text()
    page.keyboard.press("Control+z")
    assert field(page).input_value() == f"{PROMPT} Fr"


@on_both_engines
def test_the_second_suggestion_is_taken_by_its_number(page: Page) -> None:
    words = write(page, "the ")
    page.keyboard.press("Alt+2")
    assert field(page).input_value() == f"the {words[1]} "


@on_both_engines
def test_a_mark_takes_the_space_back_and_a_second_space_is_not_written(page: Page) -> None:
    write(page, f"{PROMPT} Fr")
    page.keyboard.press("Tab")
    page.keyboard.type(" ")
    assert field(page).input_value() == f"{PROMPT} France "
    page.keyboard.press("Backspace")
    page.keyboard.type(" ")
    answered(page, f"{PROMPT} France ")
    page.keyboard.press("Tab")
    assert field(page).input_value() == f"{PROMPT} France. "
    page.keyboard.type(".")
    assert field(page).input_value() == f"{PROMPT} France.."


def test_suggestions_belong_to_the_text_before_the_cursor(page: Page) -> None:
    write(page, f"{PROMPT} nothing")
    for _ in "nothing":
        page.keyboard.press("ArrowLeft")
    assert answered(page, f"{PROMPT} ")[0] == "France"
    page.keyboard.press("Tab")
    assert field(page).input_value() == f"{PROMPT} France nothing"


def test_the_number_of_suggestions_is_chosen(page: Page) -> None:
    write(page, "the ")
    page.get_by_label("Suggestions:").select_option("9")
    page.locator("button.suggestion").nth(8).wait_for()
    assert page.locator("button.suggestion").count() == 9


def test_escape_lets_tab_leave_the_field(page: Page) -> None:
    write(page, f"{PROMPT} ")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert field(page).input_value() == f"{PROMPT} "
    assert page.evaluate("document.activeElement.id") != "text"


def test_suggestions_follow_a_composition_and_leave_it_alone(page: Page) -> None:
    write(page, "the ")
    keyboard = page.context.new_cdp_session(page)
    for letters in ("s", "se"):
        composed = {"text": letters, "selectionStart": len(letters), "selectionEnd": len(letters)}
        keyboard.send("Input.imeSetComposition", composed)
        words = answered(page, f"the {letters}")
        assert words and all(word.startswith(letters) for word in words)
    keyboard.send("Input.insertText", {"text": "sea"})
    assert "sea" in answered(page, "the sea")
    assert field(page).input_value() == "the sea"


def test_tab_stays_in_the_field_where_there_is_nothing_to_take(page: Page) -> None:
    write(page, "zzzz")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "text"
    assert "nothing to take" in page.locator("#status").inner_text()
    page.keyboard.press("Control+a")
    page.locator("button.suggestion").first.wait_for(state="hidden")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "text"
    assert field(page).input_value() == "zzzz"


@on_both_engines
def test_the_table_says_what_each_part_says(page: Page) -> None:
    write(page, f"{PROMPT} ")
    rows = page.locator("#probabilities tbody tr")
    assert rows.nth(0).locator("th").inner_text() == "France"
    assert "%" in rows.nth(0).locator("td").nth(0).inner_text()
    assert rows.last.locator("th").inner_text() == "weight"


@on_both_engines
def test_words_are_shaded_by_surprisal(page: Page) -> None:
    write(page, f"{PROMPT} France sister")
    page.get_by_text("Surprisal", exact=True).click()
    page.get_by_label("Shade each word").check()
    shaded = page.locator("#layer [class^=shade]")
    shaded.first.wait_for()
    shades = {item.inner_text(): item.get_attribute("class") for item in shaded.all()}
    assert shades["sister"] > shades["France"]  # type: ignore[operator]
    assert "7 words" in page.locator("#score").inner_text()


@on_both_engines
def test_the_model_writes_on_and_undo_takes_it_back(page: Page) -> None:
    write(page, PROMPT)
    page.get_by_text("Write on", exact=True).first.click()
    page.get_by_label("Words").fill("3")
    page.get_by_label("Temperature").fill("0")
    page.locator("#write-on").click()
    page.wait_for_selector(f'body[data-answered^="{PROMPT} France."]')
    page.locator("#write-on", has_text="Write on").wait_for()
    assert field(page).input_value().startswith(f"{PROMPT} France.")


def test_nothing_overflows_on_a_phone_or_a_desktop(page: Page) -> None:
    write(page, f"{PROMPT} ")
    for width in (320, 390, 640, 1280, 2000):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        box = page.locator("button.suggestion").first.bounding_box()
        assert box is not None and box["height"] >= 44  # a finger's width


def test_the_columns_of_the_table_stand_under_their_titles_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    write(page, f"{PROMPT} ")
    edges = [
        [round(cell.bounding_box()["x"]) for cell in row.locator("th:visible, td:visible").all()]  # type: ignore[index]
        for row in page.locator("#probabilities tr").all()
    ]
    assert len(edges) == 5
    assert all(row == edges[0] for row in edges)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_light_or_dark_as_the_system_is(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    paper, ink = (
        page.evaluate(f"getComputedStyle(document.body).{name}")
        for name in ("backgroundColor", "color")
    )
    assert (brightness(paper) > brightness(ink)) == (scheme == "light")


def brightness(colour: str) -> float:
    red, green, blue = colour.removeprefix("rgb(").removesuffix(")").split(",")[:3]
    return float(red) + float(green) + float(blue)


def test_every_control_has_a_name(page: Page) -> None:
    write(page, "the ")
    while closed := page.locator("details:not([open]) summary").all():
        closed[0].click()
    for control in page.locator("button:visible, input, select, textarea").all():
        name = control.evaluate(
            "e => e.getAttribute('aria-label') || e.labels?.[0]?.innerText || e.innerText"
        )
        assert name.strip()
    assert page.locator("#announcer[aria-live=polite]").count() == 1


def test_an_exported_page_asks_for_nothing(browser: Browser, exported: str) -> None:
    context = browser.new_context(offline=True)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(exported)
    page.wait_for_selector("body[data-ready=true]")
    assert write(page, f"{PROMPT} ")[0] == "France"
    assert [url for url in asked if not url.startswith("data:")] == [exported]
    assert page.evaluate("localStorage.length + document.cookie.length") == 0
    context.close()


def test_one_request_at_a_time_and_late_answers_are_dropped(browser: Browser, served: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    texts: list[str] = []
    flying: list[int] = [0, 0]

    def slow(route: Route) -> None:
        texts.append(json.loads(route.request.post_data or "")["text"])
        flying[0] += 1
        flying[1] = max(flying)
        response = route.fetch()
        flying[0] -= 1
        route.fulfill(response=response)

    page.goto(served)
    page.wait_for_selector("body[data-ready=true]")
    page.route("**/predict", slow)
    assert write(page, f"{PROMPT} ")[0] == "France"
    assert texts[-1] == f"{PROMPT} "
    assert flying[1] == 1
    context.close()


def test_tab_takes_a_suggestion_that_is_still_looked_for(browser: Browser, served: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    held: list[Route] = []
    page.goto(served)
    page.wait_for_selector("body[data-ready=true]")
    answered(page, "")
    page.route("**/predict", lambda route: held.append(route))
    field(page).focus()
    page.keyboard.type("F")
    page.keyboard.press("Tab")
    page.wait_for_timeout(100)
    assert field(page).input_value() == "F"
    for route in held:
        route.continue_()
    page.unroute("**/predict")
    page.wait_for_selector('body[data-answered="France "]')
    context.close()


def test_a_server_that_is_gone_is_named_and_asked_again(browser: Browser, served: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(served)
    page.wait_for_selector("body[data-ready=true]")
    page.route("**/predict", lambda route: route.abort())
    field(page).focus()
    page.keyboard.type(f"{PROMPT} ")
    page.locator("#status", has_text="does not answer").wait_for()
    page.unroute("**/predict")
    assert answered(page, f"{PROMPT} ")[0] == "France"
    context.close()
