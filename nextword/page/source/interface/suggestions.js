/** Suggestions as buttons, kept from one answer to the next so that none loses the focus. */
export class SuggestionBar {
  /**
   * @param {HTMLElement} group holds the buttons
   * @param {HTMLElement} announcer is read aloud by screen readers
   * @param {(number: number) => void} onTake receives the number of the suggestion, from 0
   */
  constructor(group, announcer, onTake) {
    this.group = group;
    this.announcer = announcer;
    this.onTake = onTake;
    /** @type {import("./acceptance.js").Suggestion[]} */
    this.shown = [];
    this.timer = 0;
  }

  /** Show suggestions in order. */
  show(suggestions) {
    this.shown = suggestions;
    while (this.group.children.length < suggestions.length) this.addButton();
    for (const [number, button] of [...this.group.children].entries()) {
      this.fill(button, suggestions[number]);
    }
    this.announce(suggestions.map(({ word }) => word));
  }

  /** Whether a word is among the suggestions. */
  has(word) {
    return this.shown.some((suggestion) => suggestion.word === word);
  }

  /** Show whether suggestions can be taken; not while a range of the text is selected. */
  disable(disabled) {
    for (const button of this.group.children) button.disabled = disabled;
  }

  addButton() {
    const number = this.group.children.length;
    const button = document.createElement("button");
    button.type = "button";
    button.append(document.createElement("kbd"), document.createElement("span"));
    button.firstChild.textContent = String(number + 1);
    // the field keeps the focus, and a phone its keyboard
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", () => this.onTake(number));
    this.group.append(button);
  }

  fill(button, suggestion) {
    button.hidden = !suggestion;
    button.className = suggestion ? "suggestion" : "";
    if (!suggestion) return;
    const { word, probability } = suggestion;
    button.lastChild.textContent = word;
    button.dataset.word = word;
    button.dataset.probability = String(probability);
    button.setAttribute("aria-label", `${word}, ${percentText(probability)}`);
    button.title = percentText(probability);
  }

  /** Have the words read aloud once typing pauses, and not after every letter. */
  announce(words) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.announcer.textContent = words.length ? `Suggestions: ${words.join(", ")}` : "";
    }, 700);
  }
}

/** A probability as people read it: `67.8 %`, `6.96 %`, `0.03 %`, `<0.01 %`. */
export function percentText(probability) {
  const percent = 100 * probability;
  if (percent < 0.01) return "<0.01 %";
  return `${percent.toFixed(percent < 10 ? 2 : 1)} %`;
}
