/** From an image to faces with matches. Mirrors lookalike/finder.py. */
import { noFaceAdvice, readingProblem } from "./faces/quality.js";
import { detectUpright } from "./faces/turning.js";
import { LookalikeError } from "./errors.js";
import { normalize } from "./models/cohort.js";
import { dot } from "./numbers.js";

const MAX_FACES = 50;

export class Lookalikes {
  constructor({ detector, embedder, gallery, scale, cohort }) {
    Object.assign(this, { detector, embedder, gallery, scale, cohort });
  }

  /** Return the upright image and its faces, largest first, as `lookup` returns them, each with `hardToRead`. */
  async answer(photo, count = 5) {
    const { image, faces } = await detectUpright(this.detector, photo);
    const found = [];
    for (const face of faces.slice(0, MAX_FACES)) {
      const answer = this.lookup(face, await this.embedder.embed(image, face), count);
      found.push({ ...answer, hardToRead: readingProblem(image, face) });
    }
    return { image, faces: found };
  }

  /** Return { face, embedding, matches, standing } of an embedding of unit length that stands for a face. */
  lookup(face, embedding, count = 5) {
    const statistics = this.cohort.statistics(embedding);
    const hits = this.gallery.search(embedding, statistics, count);
    const matches = hits.map((hit, i) => ({
      ...hit,
      rank: i + 1,
      similarity: this.scale.similarity(hit.score),
      about: this.gallery.aboutRow(hit.row),
    }));
    return { face, embedding, matches, standing: this.gallery.standingOf(hits[0].score, statistics) };
  }

  /** Return { similarity, same, sides } of the largest faces of two images; `sides` are { image, face }. */
  async compare(first, second) {
    const sides = [await this.#largest(first, "compare_in_first"), await this.#largest(second, "compare_in_second")];
    const [one, other] = sides.map(({ probe }) => probe);
    const score = normalize(dot(one, other), this.cohort.statistics(one), this.cohort.statistics(other));
    return { similarity: this.scale.similarity(score), same: score >= this.scale.same, sides };
  }

  async #largest(photo, which) {
    const { image, faces } = await detectUpright(this.detector, photo);
    if (!faces.length) throw new LookalikeError(which, { sentence: new LookalikeError(noFaceAdvice(image)) });
    return { image, face: faces[0], probe: await this.embedder.embed(image, faces[0]) };
  }
}
