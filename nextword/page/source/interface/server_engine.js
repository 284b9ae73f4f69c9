/** Characters sent to a server, at most. */
const MOST_CHARACTERS = 20_000;

/** An error that a server answered, or that kept it from answering. */
class ServerError extends Error {
  /** @param {string} message @param {number | null} retryAfter in milliseconds; null for never */
  constructor(message, retryAfter = null) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

/** The model of `nextword serve`, asked by its HTTP API. */
export class ServerEngine {
  /** @param {{parts: string[], closing: string[]}} info @param {string} token */
  constructor(info, token) {
    this.parts = info.parts;
    this.closing = info.closing;
    this.headers = { "Content-Type": "application/json" };
    if (token) this.headers.Authorization = `Bearer ${token}`;
  }

  async predict(text, k) {
    const { part } = lastPart(text);
    return (await this.post("/predict", { text: part, k, parts: true })).json();
  }

  async score(text) {
    const { part, from } = lastPart(text);
    const { words } = await (await this.post("/score", { text: part })).json();
    return { from, words };
  }

  async generate(text, settings, signal, onPiece) {
    const { part } = lastPart(text);
    const response = await this.post("/generate", { text: part, ...settings }, signal);
    for await (const event of events(response.body)) {
      if (event.error) throw new ServerError(event.error.message);
      if (event.text) onPiece(event.text);
    }
  }

  async post(path, body, signal) {
    let response;
    try {
      const request = { method: "POST", headers: this.headers, body: JSON.stringify(body), signal };
      response = await fetch(path, request);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ServerError("the server does not answer; trying again", 2000);
    }
    if (response.ok) return response;
    throw await refusal(response);
  }
}

/** The last characters of a long text, from a word's beginning on; servers read no more. */
function lastPart(text) {
  if (text.length <= MOST_CHARACTERS) return { part: text, from: 0 };
  const space = text.slice(-MOST_CHARACTERS).search(/\s/);
  const from = text.length - MOST_CHARACTERS + Math.max(space, 0);
  return { part: text.slice(from), from };
}

async function refusal(response) {
  if (response.status === 401) {
    return new ServerError("open the address that nextword serve printed: it holds the token");
  }
  const seconds = Number(response.headers.get("Retry-After"));
  const answer = await response.json().catch(() => ({}));
  const message = answer.error?.message ?? `the server answered ${response.status}`;
  return new ServerError(message, seconds ? 1000 * seconds : null);
}

/** The JSON values of a stream of server-sent events. */
async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let unread = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (unread + value).split("\n\n");
    unread = blocks.pop();
    for (const block of blocks) {
      if (block.startsWith("data: ")) yield JSON.parse(block.slice("data: ".length));
    }
  }
}
