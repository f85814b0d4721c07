/** The score: a cosine, normalized by a cohort of ordinary strangers. Mirrors lookalike/models/cohort.py. */
import { dot, fromHalf, unit } from "./embedder.js";

const SIZE = 4000;
const NEAREST = 300;
const SEED = 0;

/** A mixture of Gaussians that share one covariance, from float16 numbers in base64. */
export class Mixture {
  constructor({ weights, means, factor }) {
    [this.weights, this.means, this.factor] = [weights, means, factor].map(fromBase64);
    this.dim = this.means.length / this.weights.length;
  }

  /** Return (SIZE, dim) rows of unit length, those that Python draws. */
  sample() {
    const [random, { dim, factor }] = [new RandomState(SEED), this];
    const chosen = random.choice(SIZE, this.weights);
    const rows = new Float32Array(SIZE * dim);
    const noise = new Float64Array(dim);
    for (let i = 0; i < SIZE; i++) {
      for (let j = 0; j < dim; j++) noise[j] = random.normal();
      const row = noise.map((_, j) => {
        let sum = this.means[chosen[i] * dim + j];
        for (let k = 0; k <= j; k++) sum += factor[j * dim + k] * noise[k]; // lower triangular
        return sum;
      });
      rows.set(unit(row), i * dim);
    }
    return rows;
  }
}

export class Cohort {
  constructor(mixture) {
    this.rows = mixture.sample();
  }

  /** Return mean and spread of the cosines of an embedding to its nearest strangers. */
  statistics(embedding) {
    const cosines = new Float32Array(SIZE).map((_, row) => dot(embedding, this.rows, row));
    const nearest = cosines.sort().subarray(-NEAREST);
    const mean = nearest.reduce((sum, cosine) => sum + cosine, 0) / NEAREST;
    const variance = nearest.reduce((sum, cosine) => sum + (cosine - mean) ** 2, 0) / NEAREST;
    return [mean, Math.sqrt(variance)];
  }
}

/** Return the score of a cosine between faces whose [mean, spread] are `first` and `second`. */
export function normalize(cosine, first, second) {
  return ((cosine - first[0]) / first[1] + (cosine - second[0]) / second[1]) / 2;
}

/** NumPy's RandomState, as far as `Mixture` needs it: the Mersenne Twister, Matsumoto & Nishimura 1998. */
class RandomState {
  constructor(seed) {
    this.state = new Uint32Array(624).fill(seed);
    for (let i = 1; i < 624; i++) {
      const last = this.state[i - 1];
      this.state[i] = Math.imul(1812433253, last ^ (last >>> 30)) + i;
    }
    this.place = 624;
    this.spare = null; // the second number of the polar method
  }

  /** Return a number in [0, 1). */
  random() {
    return ((this.#next() >>> 5) * 67108864 + (this.#next() >>> 6)) / 9007199254740992;
  }

  /** Return `count` indices of `weights`, each as likely as its weight. */
  choice(count, weights) {
    const whole = weights.reduce((sum, weight) => sum + weight, 0);
    let sum = 0;
    const shares = [...weights].map((weight) => (sum += weight / whole));
    return Array.from({ length: count }, () => {
      const drawn = this.random() * sum;
      return shares.findIndex((share) => share > drawn);
    });
  }

  /** Return a normally distributed number, by Marsaglia's polar method. */
  normal() {
    if (this.spare !== null) return [this.spare, (this.spare = null)][0];
    let [x, y, square] = [0, 0, 0];
    do {
      [x, y] = [2 * this.random() - 1, 2 * this.random() - 1];
      square = x * x + y * y;
    } while (square >= 1 || square === 0);
    const factor = Math.sqrt((-2 * Math.log(square)) / square);
    this.spare = factor * x;
    return factor * y;
  }

  #next() {
    if (this.place === 624) this.#refill();
    let bits = this.state[this.place++];
    bits ^= bits >>> 11;
    bits ^= (bits << 7) & 0x9d2c5680;
    bits ^= (bits << 15) & 0xefc60000;
    return (bits ^ (bits >>> 18)) >>> 0;
  }

  #refill() {
    const { state } = this;
    for (let i = 0; i < 624; i++) {
      const mixed = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff);
      state[i] = state[(i + 397) % 624] ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
    }
    this.place = 0;
  }
}

function fromBase64(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return fromHalf(new Uint16Array(bytes.buffer));
}
