/** Faces in, embeddings of unit length out. Mirrors lookalike/models/embedder.py and onnx_embedder.py. */
import { run } from "../backends/onnx.js";
import { align } from "../faces/alignment.js";

export class OnnxEmbedder {
  constructor(session, { size, dim }) {
    Object.assign(this, { session, size, dim });
  }

  /** Return the embedding of a face, Float32Array (dim,) of unit length. */
  async embed(image, face) {
    const crop = align(image, face, this.size);
    const input = Float32Array.from(crop.data, (value) => value / 255);
    return unit((await run(this.session, input, [1, this.size, this.size, 3])).data);
  }
}

/** Return a vector scaled to unit length. */
export function unit(vector) {
  const length = Math.max(Math.sqrt(dot(vector, vector)), 1e-12);
  return Float32Array.from(vector, (value) => value / length);
}

/** Return the dot product of a vector and row `row` of a table with rows of its length. */
export function dot(vector, table, row = 0) {
  let sum = 0;
  for (let i = 0, at = row * vector.length; i < vector.length; i++) sum += vector[i] * table[at++];
  return sum;
}

/** Return float16 numbers, given as their bits, as a Float32Array. */
export function fromHalf(bits) {
  return Float32Array.from(bits, (half) => {
    const [sign, exponent, fraction] = [half & 0x8000 ? -1 : 1, (half >> 10) & 31, half & 1023];
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : (2 ** -14 * fraction) / 1024);
  });
}
