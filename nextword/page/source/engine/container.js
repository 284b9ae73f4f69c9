// Reads the one compressed file that nextword/export/container.py writes.

const SECTION_TYPES = { int8: Int8Array, uint8: Uint8Array, float32: Float32Array };
const SECTION_ALIGNMENT = 8;
const CONTAINER_FORMAT = "nextword-page-model";
const CONTAINER_VERSION = 1;
const UNSAFE_CHARACTERS = [0x00, 0x0a, 0x0d, 0x3c];
const FIRST_PAIR = 0x100;
const LENGTH_BYTES = 4;

/**
 * The bytes in a text with seven bits in each character; see nextword/export/dense_text.py.
 * @param {string} text
 * @returns {Uint8Array}
 */
export function bytesOfText(text) {
  text = text.trim().slice(1, -1); // white space around the brackets does no harm
  // a character may hold fourteen bits
  const bytes = new Uint8Array(Math.ceil((text.length * 14) / 8));
  let bits = 0;
  let count = 0;
  let end = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < FIRST_PAIR) {
      bits = (bits << 7) | code;
      count += 7;
    } else {
      const pair = code - FIRST_PAIR;
      bits = (bits << 14) | (UNSAFE_CHARACTERS[pair >> 7] << 7) | (pair & 127);
      count += 14;
    }
    while (count >= 8) {
      count -= 8;
      bytes[end++] = bits >> count;
    }
    bits &= 127; // fewer than eight bits are left
  }
  const length = new DataView(bytes.buffer).getUint32(0, true);
  return bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
}

/**
 * Decompress.
 * @param {Uint8Array} bytes compressed by gzip
 * @returns {Promise<ArrayBuffer>} rejected if the bytes are damaged
 */
export async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/**
 * The header, and the sections by name.
 * @param {ArrayBuffer} buffer inflated
 * @returns {{ header: object, sections: Map<string, ArrayBufferView> }}
 */
export function readContainer(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  if (header.format !== CONTAINER_FORMAT || header.format_version !== CONTAINER_VERSION) {
    throw new Error("the model in this page is not one that the page can read");
  }
  const sections = new Map();
  let place = 4 + length;
  for (const { name, type, length: count } of header.sections) {
    const section = new SECTION_TYPES[type](buffer, place, count);
    sections.set(name, section);
    place += Math.ceil(section.byteLength / SECTION_ALIGNMENT) * SECTION_ALIGNMENT;
  }
  return { header, sections };
}
