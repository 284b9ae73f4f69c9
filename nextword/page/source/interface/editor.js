/** The text field, with a layer behind it that shades words and shows the rest of a word in grey. */
export class Editor {
  /**
   * @param {HTMLTextAreaElement} field
   * @param {HTMLElement} layer lies behind the field, with the same letters in the same places
   */
  constructor(field, layer) {
    this.field = field;
    this.layer = layer;
    this.rest = "";
    /** @type {{start: number, end: number, shade: number}[]} */
    this.shades = [];
    field.addEventListener("scroll", () => this.followScroll());
  }

  /** The text up to the cursor; null while a range is selected. */
  get before() {
    const { value, selectionStart, selectionEnd } = this.field;
    return selectionStart === selectionEnd ? value.slice(0, selectionStart) : null;
  }

  /** The text behind the cursor. */
  get after() {
    return this.field.value.slice(this.field.selectionEnd);
  }

  /** Write over a range, so that the browser's own undo takes it back. */
  replace(start, end, text) {
    this.field.focus();
    this.field.setSelectionRange(start, end);
    // deprecated, but the only way that keeps the undo history; all browsers have it
    const written = text
      ? document.execCommand("insertText", false, text)
      : document.execCommand("delete");
    if (!written) {
      this.field.setRangeText(text, start, end, "end");
      this.field.dispatchEvent(new InputEvent("input", { inputType: "insertText", data: text }));
    }
  }

  /** Show the rest of a word behind the cursor; only at the end of a line, where there is room. */
  showRest(rest) {
    this.rest = /^(\n|$)/.test(this.after) ? rest : "";
    this.paint();
  }

  /** Shade words; empty for none. */
  shade(shades) {
    this.shades = shades;
    this.paint();
  }

  /** Keep the shades of a text up to where it was changed. */
  keepShades(earlier) {
    const text = this.field.value;
    let same = 0;
    while (same < text.length && text[same] === earlier[same]) same++;
    this.shade(this.shades.filter(({ end }) => end < same));
  }

  paint() {
    const text = this.field.value;
    const cursor = this.field.selectionEnd;
    const pieces = [];
    let done = 0;
    const plain = (end) => {
      if (this.rest && done <= cursor && cursor <= end) {
        pieces.push(text.slice(done, cursor), piece("rest", this.rest));
        done = cursor;
      }
      pieces.push(text.slice(done, end));
      done = end;
    };
    for (const { start, end, shade } of this.shades) {
      if (start < done || end > text.length) continue;
      plain(start);
      pieces.push(piece(`shade-${shade}`, text.slice(start, end)));
      done = end;
    }
    plain(text.length);
    // a line end at the very end has no height of its own
    this.layer.replaceChildren(...pieces, "\u200b");
    this.followScroll();
  }

  followScroll() {
    this.layer.scrollTop = this.field.scrollTop;
  }
}

function piece(className, text) {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}
