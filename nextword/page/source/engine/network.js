// The networks, word by word; the equations are those of nextword/inference/networks.py.
//
// A state is an array of arrays that are replaced, never changed.

import { Matrix } from "./matrix.js";
import { END_ID } from "../text/vocabulary.js";

/** 1 / (1 + e^-x). */
function sigmoid(x) {
  return 1 / (1 + Math.exp(-x));
}

/** max(0, x). */
function relu(x) {
  return Math.max(0, x);
}

/**
 * The network of a packed model.
 * @param {object} architecture from the header
 * @param {Map<string, ArrayBufferView>} sections
 * @param kernel from openKernel
 */
export function openNetwork(architecture, sections, kernel) {
  const feedForward = architecture.kind === "feedforward";
  return new (feedForward ? FeedForwardNetwork : RecurrentNetwork)(architecture, sections, kernel);
}

/** The part that all networks share: the way from the last hidden layer to scores. */
class Network {
  constructor(architecture, sections, kernel) {
    this.architecture = architecture;
    this.sections = sections;
    this.kernel = kernel;
    this.vectors = this.matrix("vectors.weight");
    this.projection = this.matrix("projection.weight");
    this.output = this.matrix("output.weight") ?? this.vectors;
    this.outputBias = sections.get("output.bias");
  }

  /** A matrix, or undefined where the network has none of that name. */
  matrix(name) {
    if (!this.sections.has(`${name}.coarse`)) return undefined;
    return new Matrix(this.kernel, this.sections, name);
  }

  /**
   * Read one word.
   * @returns {{ features: Float32Array, state: Array }} features of the next word, the next state
   */
  step(state, id) {
    const { hidden, state: after } = this.hidden(state, id);
    return { features: this.projection?.multiply(hidden) ?? hidden, state: after };
  }

  /**
   * A score for every word.
   * @param {Float32Array} features
   * @returns {Float32Array} (vocabulary)
   */
  scores(features) {
    return added(this.output.multiply(features), this.outputBias);
  }
}

/** The standard RNN, the LSTM or the GRU. */
class RecurrentNetwork extends Network {
  constructor(architecture, sections, kernel) {
    super(architecture, sections, kernel);
    this.cell = cellOf(architecture);
    this.layers = Array.from({ length: architecture.layers }, (_, number) => {
      const name = `cells.${number}`;
      return {
        input: this.matrix(`${name}.input_weight`), // undefined: the inputs are W x already
        hidden: this.matrix(`${name}.hidden_weight`),
        inputBias: sections.get(`${name}.input_bias`),
        hiddenBias: sections.get(`${name}.hidden_bias`),
      };
    });
  }

  initialState() {
    const zeros = () => new Float32Array(this.architecture.hidden_size);
    return this.layers.map(() => Array.from({ length: this.cell.states }, zeros));
  }

  hidden(state, id) {
    let hidden = this.vectors.row(id);
    const after = this.layers.map((layer, number) => {
      const fromInput = added(layer.input?.multiply(hidden) ?? hidden, layer.inputBias);
      const fromHidden = added(layer.hidden.multiply(state[number][0]), layer.hiddenBias);
      const next = this.cell.step(fromInput, fromHidden, state[number]);
      hidden = next[0];
      return next;
    });
    return { hidden, state: after };
  }
}

/** The network of Bengio and others (2003); its state is the last words. */
class FeedForwardNetwork extends Network {
  constructor(architecture, sections, kernel) {
    super(architecture, sections, kernel);
    this.activation = activationOf(architecture);
    this.oneHot = architecture.input === "one_hot";
    // the first layer of one-hot words is the look-up
    const first = this.oneHot ? 2 : 0;
    this.layers = Array.from({ length: architecture.layers - (this.oneHot ? 1 : 0) }, (_, number) => {
      const name = `layers.${first + 3 * number}`;
      return { weight: this.matrix(`${name}.weight`), bias: sections.get(`${name}.bias`) };
    });
  }

  initialState() {
    return [new Int32Array(this.architecture.context - 1).fill(END_ID)];
  }

  hidden(state, id) {
    const seen = Int32Array.of(...state[0], id);
    let hidden = this.oneHot ? this.sumOfRows(seen) : this.sideBySide(seen);
    for (const { weight, bias } of this.layers) {
      hidden = added(weight.multiply(hidden), bias).map(this.activation);
    }
    return { hidden, state: [seen.slice(1)] };
  }

  /** One-hot words: each position of the context has its own matrix. */
  sumOfRows(ids) {
    const size = this.vectors.rows / this.architecture.context;
    const sum = new Float32Array(this.vectors.columns);
    ids.forEach((id, position) => added(sum, this.vectors.row(position * size + id)));
    return sum.map(this.activation);
  }

  /** The vectors of all words, one after the other. */
  sideBySide(ids) {
    const joined = new Float32Array(ids.length * this.vectors.columns);
    ids.forEach((id, position) => {
      joined.set(this.vectors.row(id), position * this.vectors.columns);
    });
    return joined;
  }
}

/** Add to a vector another one, if there is one. */
function added(vector, other) {
  if (other) for (let i = 0; i < vector.length; i++) vector[i] += other[i];
  return vector;
}

function activationOf({ activation }) {
  return { tanh: Math.tanh, sigmoid, relu }[activation];
}

/** How a layer of a kind computes: arrays in its state, and its equation. */
function cellOf(architecture) {
  if (architecture.kind === "lstm") return { states: 2, step: lstmStep };
  if (architecture.kind === "gru") return { states: 1, step: gruStep };
  const activation = activationOf(architecture);
  const step = (fromInput, fromHidden) => [fromInput.map((x, i) => activation(x + fromHidden[i]))];
  return { states: 1, step };
}

/** Long short-term memory; rows are the input, forget, new and output gates. */
function lstmStep(fromInput, fromHidden, [before, memoryBefore]) {
  const size = before.length;
  const hidden = new Float32Array(size);
  const memory = new Float32Array(size);
  const row = (i) => fromInput[i] + fromHidden[i];
  for (let i = 0; i < size; i++) {
    const kept = sigmoid(row(size + i)) * memoryBefore[i];
    memory[i] = kept + sigmoid(row(i)) * Math.tanh(row(2 * size + i));
    hidden[i] = sigmoid(row(3 * size + i)) * Math.tanh(memory[i]);
  }
  return [hidden, memory];
}

/** Gated recurrent unit, the reset gate after the matrix. */
function gruStep(fromInput, fromHidden, [before]) {
  const size = before.length;
  const hidden = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const reset = sigmoid(fromInput[i] + fromHidden[i]);
    const update = sigmoid(fromInput[size + i] + fromHidden[size + i]);
    const candidate = Math.tanh(fromInput[2 * size + i] + reset * fromHidden[2 * size + i]);
    hidden[i] = candidate + update * (before[i] - candidate);
  }
  return [hidden];
}
