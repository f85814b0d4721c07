/** From a score to a percentage that means something. Mirrors lookalike/models/similarity.py. */
import { clip } from "../faces/mtcnn_inputs.js";

/**
 * A model's way from score to similarity: a cubic through anchors with these slopes, which Python has
 * computed. `same` is the score from which two photos pass as one person.
 */
export class Scale {
  constructor({ scores, similarities, slopes, same }) {
    Object.assign(this, { scores, similarities, slopes, same });
  }

  /** Return the percentage, 0..100, of a score. */
  similarity(score) {
    const { scores, similarities, slopes } = this;
    const inside = clip(score, scores[0], scores.at(-1));
    const i = Math.max(scores.findLastIndex((anchor) => anchor <= inside && anchor < scores.at(-1)), 0);
    const width = scores[i + 1] - scores[i];
    const t = (inside - scores[i]) / width;
    const [ends, tangents] = [(1 + 2 * t) * (1 - t) ** 2, t * (1 - t) ** 2];
    const value =
      similarities[i] * ends +
      similarities[i + 1] * (1 - ends) +
      width * (slopes[i] * tangents + slopes[i + 1] * t * t * (t - 1));
    return clip(value, 0, 100);
  }
}
