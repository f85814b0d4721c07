/** The gallery: rows sorted by name, exact search. Mirrors lookalike/gallery/gallery.py and scoring.py. */
import { LookalikeError } from "../errors.js";
import { dot, fromHalf, unit } from "../models/embedder.js";
import { normalize } from "../models/cohort.js";

const NUMBERS = 2; // per row before its embedding: mean and spread of its cosines to the cohort, float32

export class Gallery {
  /**
   * `about` is what gallery.json holds: names, one a row, facts by their columns, the standing's quantiles,
   * the places of the rows with a photo. `table` is an ArrayBuffer of statistics, then float16 embeddings.
   */
  constructor(about, table, model) {
    const [rows, { dim }] = [about.names.length, model];
    if (about.weights_hash !== model.sha256 || about.dim !== dim) throw new LookalikeError("web_other_model");
    if (table.byteLength !== rows * (4 * NUMBERS + 2 * dim)) throw new LookalikeError("web_damaged");
    Object.assign(this, { ...about, dim });
    this.statistics = new Float32Array(table, 0, NUMBERS * rows);
    const stored = fromHalf(new Uint16Array(table, 4 * NUMBERS * rows));
    this.embeddings = new Float32Array(stored.length);
    for (let row = 0; row < rows; row++) {
      this.embeddings.set(unit(stored.subarray(row * dim, (row + 1) * dim)), row * dim);
    }
  }

  /** Return the `count` names whose best row has the highest score, as { row, name, score, cosine }. */
  search(probe, statistics, count = 5) {
    const best = new Map();
    this.names.forEach((name, row) => {
      const cosine = dot(probe, this.embeddings, row);
      const own = this.statistics.subarray(NUMBERS * row, NUMBERS * (row + 1));
      const score = normalize(cosine, statistics, own);
      if (!(best.get(name)?.score >= score)) best.set(name, { row, name, score, cosine });
    });
    return [...best.values()].sort((a, b) => b.score - a.score).slice(0, count);
  }

  /**
   * Return the share, 0..1, of strangers whose first match here is less close, each measured by what a face of
   * these statistics [mean, spread] can expect; null if unknown. Mirrors lookalike/gallery/standing.py.
   */
  standingOf(score, [mean, spread]) {
    const { quantiles, expected } = this.standing;
    if (!quantiles.length) return null;
    if (expected.length) score -= expected[0] + expected[1] * mean + expected[2] * spread;
    const above = quantiles.findIndex((quantile) => quantile > score);
    if (above <= 0) return above < 0 ? 1 : 0;
    const [low, high] = [quantiles[above - 1], quantiles[above]];
    return (above - 1 + (score - low) / (high - low)) / (quantiles.length - 1);
  }

  /** Return the known facts of a row's person. */
  aboutRow(row) {
    return Object.fromEntries(Object.entries(this.facts).map(([fact, values]) => [fact, values[row]]));
  }
}
