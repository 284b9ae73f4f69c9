// The product of a matrix of 8-bit numbers with a vector of 16-bit numbers: in WebAssembly where the
// browser has its SIMD instructions, else in a plain loop. Sums are exact in 32 bits, so both give
// the same numbers.

import { KERNEL } from "./kernel_binary.js";

const KERNEL_BLOCK = 16; // numbers that the WebAssembly multiplies at a time
const MEMORY_PAGE = 65536; // bytes of a page of its memory
const LARGEST_SUM = 2 ** 31 - 1;
const LARGEST_WEIGHT = 127;
const LARGEST_ACTIVATION = 8191;

/**
 * The largest 16-bit number of a vector whose products with rows of a length fit in 32 bits.
 * @param {number} columns
 * @returns {number}
 */
export function largestActivation(columns) {
  return Math.min(LARGEST_ACTIVATION, Math.floor(LARGEST_SUM / (LARGEST_WEIGHT * columns)));
}

/**
 * A kernel; in WebAssembly if that is allowed and works here.
 * @param {boolean} webAssembly
 * @returns {WasmKernel | ScriptKernel}
 */
export function openKernel(webAssembly) {
  try {
    if (webAssembly) return new WasmKernel();
  } catch {
    // without SIMD, or where the page's policy forbids WebAssembly
  }
  return new ScriptKernel();
}

/** Matrices as arrays, multiplied in a plain loop. */
class ScriptKernel {
  /**
   * Take a matrix.
   * @param {Int8Array} values row by row
   * @param {number} rows
   * @param {number} columns
   */
  add(values, rows, columns) {
    return { values, rows, columns };
  }

  /** One row; read it before the next call. */
  row(matrix, index) {
    return matrix.values.subarray(index * matrix.columns, (index + 1) * matrix.columns);
  }

  /**
   * The matrix times a vector; read the result before the next call.
   * @param {Int16Array} vector
   * @returns {Int32Array} (rows)
   */
  multiply(matrix, vector) {
    const { values, rows, columns } = matrix;
    const results = new Int32Array(rows);
    for (let row = 0, place = 0; row < rows; row++) {
      let sum = 0;
      for (let column = 0; column < columns; column++, place++) {
        sum = (sum + Math.imul(values[place], vector[column])) | 0;
      }
      results[row] = sum;
    }
    return results;
  }
}

/** Matrices in the memory of a WebAssembly module, multiplied there. */
class WasmKernel {
  constructor() {
    this.memory = new WebAssembly.Memory({ initial: 1 });
    const binary = Uint8Array.from(atob(KERNEL), (character) => character.charCodeAt(0));
    const imports = { kernel: { memory: this.memory } };
    this.module = new WebAssembly.Instance(new WebAssembly.Module(binary), imports).exports;
    this.end = 0;
    this.vector = { address: 0, bytes: 0 };
    this.results = { address: 0, bytes: 0 };
  }

  /** See ScriptKernel. */
  add(values, rows, columns) {
    const stride = Math.ceil(columns / KERNEL_BLOCK) * KERNEL_BLOCK;
    const address = this.reserve(rows * stride);
    const bytes = new Int8Array(this.memory.buffer, address, rows * stride);
    for (let row = 0; row < rows; row++) {
      bytes.set(values.subarray(row * columns, (row + 1) * columns), row * stride);
    }
    this.grow("vector", 2 * stride);
    this.grow("results", 4 * rows);
    return { address, rows, columns, stride };
  }

  /** See ScriptKernel. */
  row(matrix, index) {
    const { address, columns, stride } = matrix;
    return new Int8Array(this.memory.buffer, address + index * stride, columns);
  }

  /** See ScriptKernel. */
  multiply(matrix, vector) {
    const { address, rows, columns, stride } = matrix;
    const padded = new Int16Array(this.memory.buffer, this.vector.address, stride);
    padded.set(vector);
    padded.fill(0, columns);
    this.module.multiply(address, this.vector.address, this.results.address, rows, stride);
    return new Int32Array(this.memory.buffer, this.results.address, rows);
  }

  /** The address of unused bytes, which are zero. */
  reserve(bytes) {
    const address = this.end;
    this.end += Math.ceil(bytes / KERNEL_BLOCK) * KERNEL_BLOCK;
    const missing = this.end - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / MEMORY_PAGE));
    return address;
  }

  /** Let the place for vectors or for results have so many bytes at least. */
  grow(name, bytes) {
    if (this[name].bytes < bytes) this[name] = { address: this.reserve(bytes), bytes };
  }
}
