/**
 * The detector MTCNN, with five landmarks. Mirrors lookalike/faces/mtcnn.py, which gives the paper and the reasons
 * for the numbers.
 *
 * A face is { box: [x, y, width, height], landmarks: five [x, y], confidence } in pixels of the photo. A candidate
 * is { box: [left, top, right, bottom], score, points }.
 */
import { run } from "../backends/onnx.js";
import { clip } from "../numbers.js";
import { attemptsFor, crowdAttempts, hasSmaller } from "./mtcnn_attempts.js";
import { moveEdges, squareAround, suppress } from "./mtcnn_boxes.js";
import { MARGIN, brighten, cut, halvings, pack, patches, pyramidSizes } from "./mtcnn_inputs.js";
import { rotate, rotation, transform } from "./mtcnn_inputs.js";

const WINDOWS = { pnet: 12, rnet: 24, onet: 48 };
const STAGES = [
  { network: "rnet", threshold: 0.6, overlap: 0.6 },
  { network: "onet", threshold: 0.8, overlap: 0.6 },
];
const BATCH = 32;
const BAND_PIXELS = 300_000;
const LEVEL_THRESHOLD = 0.6;
const [P_THRESHOLD, P_OVERLAP, P_STRIDE] = [0.6, 0.6, 2];
const STEPS = 1024;
const MAX_ASPECT_ROTATED = 8;

export class Mtcnn {
  /** `sessions` holds the networks pnet, rnet and onet. */
  constructor(sessions) {
    this.sessions = sessions;
  }

  /** Return the faces of an image, largest first; [] if there is none. */
  async detect(image) {
    const photo = halvings(brighten(image));
    for (const attempt of attemptsFor(image)) {
      const faces = await this.#search(photo, attempt);
      if (faces.length) return largestFirst(await this.#addSmaller(photo, faces, attempt));
    }
    return [];
  }

  /** Return false if O-Net is more certain of the face after one, two or three quarter turns. */
  async isUpright(image, { box: [x, y, width, height], landmarks }) {
    const [left, top, side] = squareAround([x, y, x + width, y + height]);
    const margin = side / 4; // half of a square's diagonal is 0.71 sides
    const [first, upper] = [left, top].map((edge) => Math.floor(Math.max(edge - margin, 0)));
    const [last, lower] = [left, top].map((edge) => Math.ceil(edge + side + margin));
    const part = cut(image, first, upper, Math.min(last, image.width), Math.min(lower, image.height));
    const squares = Array(4).fill([left - first, top - upper, side]);
    const angles = squares.map((_, turns) => eyeAngle(landmarks) + (Math.PI / 2) * turns);
    const seen = await this.#examine("onet", halvings(brighten(part)), squares, angles);
    return seen.every(({ score }) => score <= seen[0].score);
  }

  async #addSmaller(photo, faces, attempt) {
    for (const finer of crowdAttempts(photo[0], attempt)) {
      if (!hasSmaller(faces, photo[0], attempt)) break;
      const more = await this.#search(photo, finer);
      if (more.length >= faces.length) faces = more;
      attempt = finer;
    }
    return faces;
  }

  async #search(photo, attempt) {
    const { width, height } = photo[0];
    const aspect = Math.max(width, height) / Math.min(width, height);
    if (attempt.degrees && aspect > MAX_ASPECT_ROTATED) return [];
    const { rotated, back } = rotate(photo, attempt.degrees);
    const smallest = (attempt.smallest * Math.sqrt(height * width)) / Math.hypot(back[0], back[1]);
    let found = suppress(await this.#propose(rotated, smallest), P_OVERLAP, attempt.proposals);
    for (const { network, threshold, overlap } of STAGES) {
      const seen = await this.#examine(network, rotated, found.map(squareOf));
      const accepted = seen.filter(({ score }) => score > threshold);
      found = suppress(accepted, overlap, accepted.length, network === "onet");
    }
    const angles = found.map(({ points }) => eyeAngle(points)); // once more with level eyes, for better landmarks
    const level = await this.#examine("onet", rotated, found.map(squareOf), angles);
    return found
      .map((face, i) => faceFrom({ ...face, points: level[i].points }, back, width, height))
      .filter(({ box }, i) => level[i].score > LEVEL_THRESHOLD && box[2] * box[3] > 0);
  }

  /** Return a candidate for each square of the photo, rotated by its angle: what a network sees there. */
  async #examine(network, photo, squares, angles = squares.map(() => 0)) {
    const side = WINDOWS[network];
    const found = [];
    for (let start = 0; start < squares.length; start += BATCH) {
      const part = squares.slice(start, start + BATCH);
      const pictures = patches(photo, part, side, angles.slice(start, start + BATCH));
      const { data, dims } = await run(this.sessions[network], pictures, [part.length, side, side, 3]);
      part.forEach((square, i) => {
        const [logit, ...places] = data.subarray(i * dims[1], (i + 1) * dims[1]);
        found.push(candidate(square, angles[start + i], logit, places.map(inSteps)));
      });
    }
    return found;
  }

  /** Return P-Net's five channels for a canvas, computed in bands to save memory, and their columns. */
  async #slide({ data, width, height }) {
    const overlap = WINDOWS.pnet - P_STRIDE;
    const step = Math.max(1, Math.floor(BAND_PIXELS / width / P_STRIDE)) * P_STRIDE;
    const channels = [[], [], [], [], []];
    let columns = 0;
    for (let top = 0; top < Math.max(1, height - overlap); top += step) {
      const bottom = Math.min(top + step + overlap, height);
      const band = data.subarray(3 * width * top, 3 * width * bottom);
      const { data: found, dims } = await run(this.sessions.pnet, band, [1, bottom - top, width, 3]);
      columns = dims[3];
      const kept = bottom < height ? step / P_STRIDE : dims[2];
      channels.forEach((channel, i) => {
        const first = i * dims[2] * columns;
        for (const value of found.subarray(first, first + kept * columns)) channel.push(value);
      });
    }
    return { channels, columns };
  }

  /** Return P-Net's candidates for faces of at least `smallest` pixels. */
  async #propose(photo, smallest) {
    const { width, height } = photo[0];
    const sizes = pyramidSizes(width, height, WINDOWS.pnet / smallest);
    if (!sizes.length) return [];
    const { canvas, levels } = pack(photo, sizes);
    const { channels, columns } = await this.#slide(canvas);
    const [logits, ...edges] = channels;
    const candidates = [];
    for (const place of peaks(logits, columns)) {
      const window = [P_STRIDE * (place % columns), P_STRIDE * Math.floor(place / columns)];
      const level = levelOf(window, levels);
      if (!level) continue;
      const moved = moveEdges([...window, WINDOWS.pnet], edges.map((channel) => inSteps(channel[place])));
      const scales = [level.width / width, level.height / height];
      const box = moved.map((edge, i) => (edge - [level.left, level.top][i % 2]) / scales[i % 2]);
      candidates.push({ box, score: sigmoid(logits[place]) });
    }
    return candidates;
  }
}

/** Return the angle of the line from the left to the right eye in radians, clockwise. */
export const eyeAngle = ([one, other]) => Math.atan2(other[1] - one[1], other[0] - one[0]);

/** Return what a network sees in a square rotated by `angle`; of `places` the edges come first, then x, then y. */
function candidate(square, angle, logit, places) {
  const [left, top, side] = square;
  const [a, b, c, d] = rotation(angle).map((value) => value * side);
  const matrix = [a, b, left + side / 2, c, d, top + side / 2]; // from the middle, in side lengths
  const [across, down] = [places.slice(4, 9), places.slice(9)]; // R-Net has none
  const points = across.map((x, i) => transform(matrix, [x - 0.5, down[i] - 0.5]));
  return { box: moveEdges(square, places), score: sigmoid(logit), points };
}

/** Yield the places where P-Net's logit is above the threshold and the highest of its 3x3 neighbourhood. */
function* peaks(logits, columns) {
  for (const [place, logit] of logits.entries()) {
    if (sigmoid(logit) <= P_THRESHOLD) continue;
    const [first, last] = [place % columns ? -1 : 0, (place + 1) % columns ? 1 : 0];
    const middles = [first, 0, last].map((across) => place + across);
    const around = middles.flatMap((middle) => [logits[middle - columns], logits[middle], logits[middle + columns]]);
    if (!around.some((other) => other > logit)) yield place; // above and below the picture is undefined
  }
}

/** Return a face in coordinates of the photo; `back` is the matrix from the rotated photo to it. */
function faceFrom({ box, score, points }, back, width, height) {
  const middle = transform(back, [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]);
  const scale = Math.hypot(back[0], back[1]) / 2;
  const half = [(box[2] - box[0]) * scale, (box[3] - box[1]) * scale];
  const [left, top] = [clip(middle[0] - half[0], 0, width), clip(middle[1] - half[1], 0, height)];
  const [right, bottom] = [clip(middle[0] + half[0], 0, width), clip(middle[1] + half[1], 0, height)];
  // from edges to pixel centres, and to Python's float32
  const landmarks = points.map((point) => transform(back, point).map((place) => Math.fround(place - 0.5)));
  return { box: [left, top, right - left, bottom - top], landmarks, confidence: score };
}

/** Return the level whose area with margin contains a window; undefined if the window meets two. */
function levelOf([x, y], levels) {
  const isInside = (place, edge, length) => place >= edge - MARGIN && place + WINDOWS.pnet <= edge + length + MARGIN;
  return levels.find(({ left, top, width, height }) => isInside(x, left, width) && isInside(y, top, height));
}

const squareOf = ({ box }) => squareAround(box);
const largestFirst = (faces) => faces.sort((a, b) => b.box[2] * b.box[3] - a.box[2] * a.box[3]);
const inSteps = (share) => Math.round(share * STEPS) / STEPS;
const sigmoid = (logit) => (1 + Math.tanh(logit / 2)) / 2;
