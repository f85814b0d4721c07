/** What a visitor is told when something goes wrong. Mirrors lookalike/errors.py. */

/** Carries the key of a sentence among the page's texts, and the values for its placeholders. */
export class LookalikeError extends Error {
  constructor(key, values = {}) {
    super(key);
    this.key = key;
    this.values = values;
  }
}
