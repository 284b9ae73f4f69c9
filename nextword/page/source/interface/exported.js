import { bytesOfText } from "../engine/container.js";
import { Editor } from "./editor.js";
import { LocalEngine } from "../engine/local_engine.js";
import { openModel } from "../engine/model.js";
import { Tokenizer } from "../text/tokenizer.js";
import { Writer } from "./writer.js";

/** Begin an exported page: unpack the model that it holds, and answer with it. */
export async function beginExported() {
  const find = (id) => document.getElementById(id);
  const status = find("status");
  status.textContent = "opening the model";
  try {
    const engine = await openEngine(find("model"), JSON.parse(find("info").textContent));
    status.textContent = "";
    new Writer(engine, new Editor(find("text"), find("layer")), find).begin();
    document.body.dataset.ready = "true";
  } catch (error) {
    status.textContent =
      `the model cannot be opened (${error.message}); ` +
      "use a browser from 2023 or later, or export the page again";
    throw error;
  }
}

/** The engine of the model that an element holds as text; the text is dropped. */
async function openEngine(element, info) {
  const model = await openModel(bytesOfText(element.textContent));
  element.remove();
  const { tokenizer, spacing } = model.header;
  const words = new Tokenizer({ ...tokenizer, words: model.words, spacing });
  const engine = new LocalEngine(model, words, info);
  // compiles the patterns of text, so that the first key press need not wait for it
  await engine.predict("“a b", 1);
  return engine;
}
