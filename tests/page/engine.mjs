// Answers questions about a packed model: reads one JSON object from stdin, writes one to stdout.

import { readFileSync } from "node:fs";

import { bytesOfText } from "../../nextword/page/source/engine/container.js";
import { Decoder, PrefixCache } from "../../nextword/page/source/engine/decoder.js";
import { openKernel } from "../../nextword/page/source/engine/kernel.js";
import { openModel } from "../../nextword/page/source/engine/model.js";
import {
  drawWord,
  nucleus,
  randomNumbers,
  topWords,
} from "../../nextword/page/source/engine/sampling.js";

const questions = {
  /** Distributions, parts and likeliest words after each of some ids. */
  async distributions({ packed, ids, cached, webAssembly }) {
    const model = await openModel(bytesOf(packed), { webAssembly });
    const decoder = new Decoder(model, cached);
    return ids.map((id) => {
      decoder.read(id);
      const { probabilities, parts } = decoder.distribution();
      return {
        probabilities: Array.from(probabilities),
        parts: parts.map(({ name, probabilities, share }) => ({
          name,
          share,
          probabilities: Array.from(probabilities),
        })),
        top: topWords(probabilities, null, 5).map(({ id }) => id),
      };
    });
  },

  /** Products of one matrix and one vector, in WebAssembly and without. */
  products({ values, rows, columns, vector }) {
    return [true, false].map((webAssembly) => {
      const kernel = openKernel(webAssembly);
      const matrix = kernel.add(Int8Array.from(values), rows, columns);
      const products = Array.from(kernel.multiply(matrix, Int16Array.from(vector)));
      return { kernel: kernel.constructor.name, products };
    });
  },

  /** Whether two forks of one decoder end as decoders that read alone. */
  async forks({ packed, ids, one, other }) {
    const model = await openModel(bytesOf(packed));
    const read = (decoder, words) => {
      words.forEach((id) => decoder.read(id));
      return decoder;
    };
    const common = read(new Decoder(model), ids);
    const forks = [common.fork(), common.fork()];
    // in turns, the longer one further
    for (let i = 0; i < Math.max(one.length, other.length); i++) {
      if (i < one.length) forks[0].read(one[i]);
      if (i < other.length) forks[1].read(other[i]);
    }
    const alone = [one, other, []].map((words) => read(new Decoder(model), [...ids, ...words]));
    const probabilities = (decoder) => Array.from(decoder.distribution().probabilities);
    return {
      forked: [...forks, common].map(probabilities),
      alone: alone.map(probabilities),
    };
  },

  /** Steps that a cache of states takes for each of some texts, and whether a cold one agrees. */
  async prefixes({ packed, texts, capacity }) {
    const model = await openModel(bytesOf(packed));
    const cache = new PrefixCache(model, { capacity });
    const answers = [];
    for (const ids of texts) {
      const before = cache.steps;
      const warm = (await cache.at(ids)).distribution().probabilities;
      const cold = (await new PrefixCache(model).at(ids)).distribution().probabilities;
      const same = warm.every((value, id) => value === cold[id]);
      answers.push({ steps: cache.steps - before, same, kept: cache.decoders.size });
    }
    return answers;
  },

  /** The likeliest of some candidates. */
  top({ probabilities, candidates, k }) {
    return topWords(Float32Array.from(probabilities), candidates, k);
  },

  /** A nucleus, and words drawn from it. */
  sample({ probabilities, allowed, temperature, topP, seed, draws }) {
    const values = Float32Array.from(probabilities);
    const chosen = nucleus(values, (id) => allowed.includes(id), { temperature, topP });
    const random = randomNumbers(seed);
    return {
      ids: Array.from(chosen.ids),
      shares: Array.from(chosen.shares),
      drawn: Array.from({ length: draws }, () => drawWord(chosen, random)),
    };
  },

  /** The bytes in a text, in base64. */
  text({ path }) {
    return Buffer.from(bytesOfText(readFileSync(path, "utf8"))).toString("base64");
  },

  /**
   * Milliseconds to open a model, and to read each word and find the five likeliest next ones; `cpu`
   * is the processor's mean time for a word, whatever else the machine does.
   */
  async times({ packed, ids, webAssembly }) {
    const bytes = bytesOf(packed);
    const opened = performance.now();
    const decoder = new Decoder(await openModel(bytes, { webAssembly }));
    const opening = performance.now() - opened;
    const start = process.cpuUsage();
    const words = ids.map((id) => {
      const began = performance.now();
      decoder.read(id);
      topWords(decoder.distribution().probabilities, null, 5);
      return performance.now() - began;
    });
    const { user, system } = process.cpuUsage(start);
    return { opening, words, cpu: (user + system) / 1000 / ids.length };
  },

  /** The five likeliest words after each of some ids, without the parts. */
  async top5({ packed, ids, cached, webAssembly }) {
    const decoder = new Decoder(await openModel(bytesOf(packed), { webAssembly }), cached);
    return ids.map((id) => {
      decoder.read(id);
      return topWords(decoder.distribution().probabilities, null, 5).map(({ id }) => id);
    });
  },
};

function bytesOf(path) {
  return new Uint8Array(readFileSync(path));
}

const { question, ...details } = JSON.parse(readFileSync(0, "utf8"));
try {
  process.stdout.write(JSON.stringify(await questions[question](details)));
} catch (error) {
  process.stdout.write(JSON.stringify({ error: error.message }));
}
