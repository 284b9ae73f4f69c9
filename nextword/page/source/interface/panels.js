import { percentText } from "./suggestions.js";

/** Names of a model's parts, as people read them. */
const PART_NAMES = { network: "network", ngrams: "n-grams", cache: "cache" };

const BAR_COLUMN = 2;

/** The table of probabilities: a bar for each suggestion, and what each part of the model says. */
export class ProbabilityTable {
  /** @param {HTMLTableElement} table @param {string[]} parts that the model has */
  constructor(table, parts) {
    this.table = table;
    // a single part says what the whole says
    this.parts = parts.length > 1 ? parts : [];
  }

  /** Show suggestions and, of each part, the weight that the mixture gives it here. */
  show(suggestions, shares = {}) {
    const head = ["word", "probability", "", ...this.parts.map((part) => PART_NAMES[part])];
    const most = suggestions[0]?.probability ?? 1;
    const rows = suggestions.map((suggestion) => this.row(suggestion, most));
    const body = document.createElement("tbody");
    body.append(...rows);
    if (this.parts.length) body.append(this.weights(shares));
    const titles = element("thead", [element("tr", cells("th", head))]);
    this.table.replaceChildren(titles, body);
  }

  row({ word, probability, parts = {} }, most) {
    const row = element("tr", cells("th", [word]));
    row.append(...cells("td", [percentText(probability)]), bar(probability / most));
    row.append(...cells("td", this.parts.map((part) => shareText(parts[part]))));
    return row;
  }

  weights(shares) {
    const row = element("tr", cells("th", ["weight"]));
    row.className = "weights";
    row.append(...cells("td", ["", "", ...this.parts.map((part) => shareText(shares[part]))]));
    row.children[BAR_COLUMN].className = "bar-cell";
    return row;
  }
}

function shareText(share) {
  return share === undefined ? "–" : percentText(share);
}

function bar(share) {
  const cell = document.createElement("td");
  const filled = document.createElement("div");
  filled.className = "bar";
  filled.style.width = `${100 * share}%`;
  cell.className = "bar-cell";
  cell.setAttribute("aria-hidden", "true");
  cell.append(filled);
  return cell;
}

function cells(tag, texts) {
  return texts.map((text) => {
    const cell = document.createElement(tag);
    cell.textContent = text;
    return cell;
  });
}

function element(tag, children) {
  const made = document.createElement(tag);
  made.append(...children);
  return made;
}

/** How many key presses the suggestions spared: `41 of 120 characters (34 %)`. */
export function savedText(saved, characters) {
  if (!characters) return "0";
  const share = Math.round((100 * Math.min(saved, characters)) / characters);
  return `${saved.toLocaleString("en")} of ${characters.toLocaleString("en")} characters (${share}\u00a0%)`;
}

/** A score in a sentence: `21 words, 7.3 bits each: perplexity 158`. */
export function scoreText(words) {
  if (!words.length) return "";
  const bits = words.reduce((sum, word) => sum + word.bits, 0) / words.length;
  const counted = words.length === 1 ? "1 word" : `${words.length.toLocaleString("en")} words`;
  return `${counted}, ${bits.toFixed(1)} bits each: perplexity ${(2 ** bits).toPrecision(3)}`;
}
