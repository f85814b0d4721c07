/** The gallery: rows sorted by name, exact search. Mirrors lookalike/gallery/gallery.py and scoring.py. */
import { LookalikeError } from "../errors.js";
import { normalize } from "../models/cohort.js";
import { dot, unitRows } from "../numbers.js";

export class Gallery {
  /**
   * `about` is what gallery.json holds: names, one a row, facts by their columns, the standing's quantiles,
   * the credits of the rows with a photo. `table` is an ArrayBuffer: mean and spread of each row's cosines to
   * the cohort as float32, then the embeddings as whole numbers of two bytes, first all low bytes.
   */
  constructor(about, table, { sha256, dim }) {
    const rows = about.names.length;
    if (about.weights_hash !== sha256 || about.dim !== dim) throw new LookalikeError("web_other_model");
    if (table.byteLength !== rows * (8 + 2 * dim)) throw new LookalikeError("web_damaged");
    Object.assign(this, about);
    this.statistics = new Float32Array(table, 0, 2 * rows);
    const [low, high] = [new Uint8Array(table, 8 * rows, rows * dim), new Int8Array(table, rows * (8 + dim))];
    this.embeddings = unitRows(Float32Array.from(low, (byte, i) => byte + 256 * high[i]), dim);
  }

  /** Return the `count` names whose best row has the highest score, as { row, name, score, cosine }. */
  search(probe, statistics, count) {
    const best = new Map();
    this.names.forEach((name, row) => {
      const cosine = dot(probe, this.embeddings, row);
      const score = normalize(cosine, statistics, this.statistics.subarray(2 * row));
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
