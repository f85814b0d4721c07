/** Faces in, embeddings of unit length out. Mirrors lookalike/models/embedder.py and onnx_embedder.py. */
import { run } from "../backends/onnx.js";
import { align } from "../faces/alignment.js";
import { unit } from "../numbers.js";

export class OnnxEmbedder {
  /** `session` runs the network, which takes crops of `size` pixels. */
  constructor(session, size) {
    Object.assign(this, { session, size });
  }

  /** Return the embedding of a face, Float32Array (dim,) of unit length. */
  async embed(image, face) {
    const crop = align(image, face, this.size);
    const input = Float32Array.from(crop.data, (value) => value / 255);
    return unit((await run(this.session, input, [1, this.size, this.size, 3])).data);
  }
}
