import { Editor } from "./editor.js";
import { ServerEngine } from "./server_engine.js";
import { Writer } from "./writer.js";

/** Begin the page that `nextword serve` serves; the token, if there is one, is in the address. */
export function beginServed() {
  const find = (id) => document.getElementById(id);
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
  const engine = new ServerEngine(JSON.parse(find("info").textContent), token);
  new Writer(engine, new Editor(find("text"), find("layer")), find).begin();
  document.body.dataset.ready = "true";
}
