/** The score: a cosine, normalized by a cohort of ordinary strangers. Mirrors lookalike/models/cohort.py. */
import { dot, meanAndSpread } from "../numbers.js";

const NEAREST = 300;

/**
 * Return mean, with the reach, and spread of the cosines of an embedding to its nearest strangers. `rows` are
 * embeddings of strangers, a Float32Array of rows of unit length. `reach` are the weights of a face's embedding,
 * mean and spread, and a constant, or null.
 */
export function statisticsOf(embedding, { rows, reach }) {
  const cosines = new Float32Array(rows.length / embedding.length);
  for (let row = 0; row < cosines.length; row++) cosines[row] = dot(embedding, rows, row);
  const [mean, spread] = meanAndSpread(cosines.sort().subarray(-NEAREST));
  return [reach ? mean + spread * dot([...embedding, mean, spread, 1], reach) : mean, spread];
}

/** Return the score of a cosine between faces whose [mean, spread] are `first` and `second`. */
export function normalize(cosine, first, second) {
  return ((cosine - first[0]) / first[1] + (cosine - second[0]) / second[1]) / 2;
}
