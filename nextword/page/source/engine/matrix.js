// Matrices of a packed model: 8-bit numbers with a scale for each row, and a second 8-bit number for
// the first rows, which divides the step of the first. nextword/export/quantize.py makes them.

import { largestActivation } from "./kernel.js";

/**
 * A vector as 16-bit numbers and their scale.
 * @param {Float32Array} vector
 * @returns {{ numbers: Int16Array, scale: number }}
 */
function quantizeVector(vector) {
  const limit = largestActivation(vector.length);
  let greatest = 0;
  for (let i = 0; i < vector.length; i++) greatest = Math.max(greatest, Math.abs(vector[i]));
  const scale = greatest / limit;
  const numbers = new Int16Array(vector.length);
  // a vector of zeros has no scale; infinities give NaN, which the softmax refuses
  if (scale > 0) for (let i = 0; i < vector.length; i++) numbers[i] = Math.round(vector[i] / scale);
  return { numbers, scale };
}

/** A matrix in a kernel. */
export class Matrix {
  /**
   * @param kernel from openKernel
   * @param {Map<string, ArrayBufferView>} sections of the container
   * @param {string} name such as "vectors.weight"
   */
  constructor(kernel, sections, name) {
    this.kernel = kernel;
    this.scales = sections.get(`${name}.scales`);
    this.steps = sections.get(`${name}.steps`);
    const coarse = sections.get(`${name}.coarse`);
    this.rows = this.scales.length;
    this.columns = coarse.length / this.rows;
    this.coarse = kernel.add(coarse, this.rows, this.columns);
    this.fine = kernel.add(sections.get(`${name}.fine`), this.steps.length, this.columns);
  }

  /**
   * The matrix times a vector.
   * @param {Float32Array} vector (columns)
   * @returns {Float32Array} (rows)
   */
  multiply(vector) {
    const { numbers, scale } = quantizeVector(vector);
    const { scales, steps, rows } = this;
    const result = new Float32Array(rows);
    // a kernel's results last until it is called again
    const fine = new Float64Array(steps.length);
    if (fine.length) fine.set(this.kernel.multiply(this.fine, numbers));
    const coarse = this.kernel.multiply(this.coarse, numbers);
    for (let row = 0; row < fine.length; row++) {
      result[row] = scale * scales[row] * (coarse[row] + fine[row] / steps[row]);
    }
    for (let row = fine.length; row < rows; row++) result[row] = scale * scales[row] * coarse[row];
    return result;
  }

  /**
   * One row.
   * @param {number} index
   * @returns {Float32Array} (columns)
   */
  row(index) {
    const values = new Float64Array(this.kernel.row(this.coarse, index));
    if (index < this.steps.length) {
      const fine = this.kernel.row(this.fine, index);
      for (let i = 0; i < values.length; i++) values[i] += fine[i] / this.steps[index];
    }
    return new Float32Array(values.map((value) => value * this.scales[index]));
  }
}
