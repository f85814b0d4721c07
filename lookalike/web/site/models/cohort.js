/** The score: a cosine, normalized by a cohort of ordinary strangers. Mirrors lookalike/models/cohort.py. */
import { dot, meanAndSpread } from "../numbers.js";

const NEAREST = 300;

export class Cohort {
  /**
   * `rows` are embeddings of strangers, a Float32Array of rows of unit length. `reach` are the weights of a
   * face's embedding, mean and spread, and a constant, or null.
   */
  constructor(rows, reach) {
    this.rows = rows;
    this.reach = reach;
  }

  /** Return mean, with the reach, and spread of the cosines of an embedding to its nearest strangers. */
  statistics(embedding) {
    const cosines = new Float32Array(this.rows.length / embedding.length);
    for (let row = 0; row < cosines.length; row++) cosines[row] = dot(embedding, this.rows, row);
    const [mean, spread] = meanAndSpread(cosines.sort().subarray(-NEAREST));
    if (!this.reach) return [mean, spread];
    return [mean + spread * dot([...embedding, mean, spread, 1], this.reach), spread];
  }
}

/** Return the score of a cosine between faces whose [mean, spread] are `first` and `second`. */
export function normalize(cosine, first, second) {
  return ((cosine - first[0]) / first[1] + (cosine - second[0]) / second[1]) / 2;
}
