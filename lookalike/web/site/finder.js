/** From an image to faces with matches. Mirrors lookalike/finder.py. */
import { noFaceAdvice, readingProblem } from "./faces/quality.js";
import { detectUpright } from "./faces/turning.js";
import { LookalikeError } from "./errors.js";
import { normalize, statisticsOf } from "./models/cohort.js";
import { similarityOf } from "./models/similarity.js";
import { dot } from "./numbers.js";

const MAX_FACES = 50;

export class Lookalikes {
  /** `scale` is what `similarityOf` takes, with `same`: the score from which two photos pass as one person. */
  constructor({ detector, embedder, gallery, scale, cohort }) {
    Object.assign(this, { detector, embedder, gallery, scale, cohort });
  }

  /** Return the upright image and its faces, largest first, as `lookup` returns them, each with `hardToRead`. */
  async answer(photo) {
    const { image, faces } = await detectUpright(this.detector, photo);
    const found = [];
    for (const face of faces.slice(0, MAX_FACES)) {
      const answer = this.lookup(face, await this.embedder.embed(image, face));
      found.push({ ...answer, hardToRead: readingProblem(image, face) });
    }
    return { image, faces: found };
  }

  /** Return { face, embedding, matches, standing } of an embedding of unit length that stands for a face. */
  lookup(face, embedding, count = 5) {
    const statistics = statisticsOf(embedding, this.cohort);
    const hits = this.gallery.search(embedding, statistics, count);
    const matches = hits.map((hit, i) => ({
      ...hit,
      rank: i + 1,
      similarity: similarityOf(hit.score, this.scale),
      about: this.gallery.aboutRow(hit.row),
    }));
    return { face, embedding, matches, standing: this.gallery.standingOf(hits[0].score, statistics) };
  }

  /** Return { similarity, same, sides } of the largest faces of two images; `sides` are { image, face }. */
  async compare(first, second) {
    const sides = [await this.#largest(first, "compare_in_first"), await this.#largest(second, "compare_in_second")];
    const [one, other] = sides.map(({ probe }) => probe);
    const score = normalize(dot(one, other), statisticsOf(one, this.cohort), statisticsOf(other, this.cohort));
    return { similarity: similarityOf(score, this.scale), same: score >= this.scale.same, sides };
  }

  async #largest(photo, which) {
    const { image, faces } = await detectUpright(this.detector, photo);
    if (!faces.length) throw new LookalikeError(which, { sentence: new LookalikeError(noFaceAdvice(image)) });
    return { image, face: faces[0], probe: await this.embedder.embed(image, faces[0]) };
  }
}
