/** From a score to a percentage that means something. Mirrors lookalike/models/similarity.py. */
import { valueAt } from "../numbers.js";

/**
 * Return the percentage, 0..100, of a score. `similarities` are the percentages, which Python has computed, of scores
 * from `low` to `high` in equal steps.
 */
export function similarityOf(score, { low, high, similarities }) {
  return valueAt(similarities, ((score - low) / (high - low)) * (similarities.length - 1));
}
