/** From a score to a percentage that means something. Mirrors lookalike/models/similarity.py. */
import { valueAt } from "../numbers.js";

export class Scale {
  /**
   * `similarities` are the percentages, which Python has computed, of scores from `low` to `high` in equal steps.
   * `same` is the score from which two photos pass as one person.
   */
  constructor({ low, high, similarities, same }) {
    Object.assign(this, { low, high, similarities, same });
  }

  /** Return the percentage, 0..100, of a score. */
  similarity(score) {
    const { low, high, similarities } = this;
    return valueAt(similarities, ((score - low) / (high - low)) * (similarities.length - 1));
  }
}
