/**
 * The detector MTCNN, with five landmarks. Mirrors lookalike/faces/mtcnn.py, which gives the paper and the reasons
 * for the numbers.
 *
 * A face is { box: [x, y, width, height], landmarks: five [x, y], confidence } in pixels of the photo.
 */
import { run } from "../backends/onnx.js";
import { attemptsFor, crowdAttempts, hasSmaller } from "./mtcnn_attempts.js";
import { moveEdges, squareAround, suppress } from "./mtcnn_boxes.js";
import { MARGIN, brighten, clip, halvings, pack, patches, pyramidSizes, rotate, rotation } from "./mtcnn_inputs.js";

const WINDOWS = { pnet: 12, rnet: 24, onet: 48 };
const STAGES = [
  { network: "rnet", threshold: 0.6, overlap: 0.6 },
  { network: "onet", threshold: 0.8, overlap: 0.6 },
];
const BATCH = 32;
const BAND_PIXELS = 300_000;
const LEVEL_THRESHOLD = 0.6;
const [P_THRESHOLD, P_OVERLAP] = [0.6, 0.6];
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
  async isUpright(image, { box: [left, top, width, height], landmarks: [one, other] }) {
    const square = squareAround([left, top, left + width, top + height]);
    const roll = Math.atan2(other[1] - one[1], other[0] - one[0]);
    const angles = [0, 1, 2, 3].map((turns) => roll + (Math.PI / 2) * turns);
    const pictures = patches(halvings(brighten(image)), Array(4).fill(square), WINDOWS.onet, angles);
    const logits = (await this.#run("onet", pictures)).map(([logit]) => logit);
    return logits.every((logit) => logit <= logits[0]);
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
    for (const stage of STAGES) {
      if (found.length) found = await this.#examine(rotated, found, stage);
    }
    const level = found.length ? await this.#level(rotated, found) : [];
    return level.map((each) => faceFrom(each, back, width, height)).filter(({ box }) => box[2] * box[3] > 0);
  }

  /** Run a network on pictures, (n, side, side, 3) bytes; return n arrays of its channels. */
  async #run(network, pictures) {
    const side = WINDOWS[network];
    const size = side * side * 3;
    const rows = [];
    for (let start = 0; start < pictures.length; start += BATCH * size) {
      const part = pictures.subarray(start, start + BATCH * size);
      const { data, dims } = await run(this.sessions[network], part, [part.length / size, side, side, 3]);
      for (let i = 0; i < dims[0]; i++) rows.push([...data.subarray(i * dims[1], (i + 1) * dims[1])]);
    }
    return rows;
  }

  /** Return P-Net's output for a canvas, computed in bands to save memory: { values: five arrays, columns }. */
  async #slide({ data, width, height }) {
    const step = Math.max(2, Math.floor(BAND_PIXELS / width / 2) * 2); // P-Net's stride is 2 pixels
    const overlap = WINDOWS.pnet - 2;
    const values = [[], [], [], [], []];
    let columns = 0;
    for (let top = 0; top < Math.max(1, height - overlap); top += step) {
      const bottom = Math.min(top + step + overlap, height);
      const band = data.subarray(3 * width * top, 3 * width * bottom);
      const { data: found, dims } = await run(this.sessions.pnet, band, [1, bottom - top, width, 3]);
      columns = dims[3];
      const size = dims[2] * columns;
      const kept = top + step + overlap < height ? (step / 2) * columns : size;
      for (const [i, channel] of values.entries()) {
        for (const value of found.subarray(i * size, i * size + kept)) channel.push(value);
      }
    }
    return { values, columns };
  }

  /** Return P-Net's candidates { box, score } for faces of at least `smallest` pixels. */
  async #propose(photo, smallest) {
    const { width, height } = photo[0];
    const sizes = pyramidSizes(width, height, WINDOWS.pnet / smallest);
    if (!sizes.length) return [];
    const { canvas, corners } = pack(photo, sizes);
    const { values, columns } = await this.#slide(canvas);
    const candidates = [];
    for (const place of peaks(values[0], columns)) {
      const window = [2 * (place % columns), 2 * Math.floor(place / columns)]; // P-Net's stride is 2 pixels
      const level = levelOf(window, corners, sizes);
      if (level < 0) continue;
      const offsets = values.slice(1).map((channel) => channel[place]);
      const moved = moveEdges([...window, WINDOWS.pnet], offsets);
      const scales = [sizes[level][0] / width, sizes[level][1] / height];
      const box = moved.map((edge, i) => (edge - corners[level][i % 2]) / scales[i % 2]);
      candidates.push({ box, score: sigmoid(values[0][place]) });
    }
    return candidates;
  }

  /** Return the candidates { box, score, points } that a network accepts as faces. */
  async #examine(photo, candidates, { network, threshold, overlap }) {
    const squares = candidates.map(({ box }) => squareAround(box));
    const upright = squares.map(() => 0);
    const found = await this.#run(network, patches(photo, squares, WINDOWS[network], upright));
    const all = found.map((channels, i) => {
      const [left, top, side] = squares[i];
      const points = landmarksIn(channels).map(([x, y]) => [left + x * side, top + y * side]);
      return { box: moveEdges(squares[i], channels.slice(1, 5)), score: sigmoid(channels[0]), points };
    });
    const accepted = all.filter(({ score }) => score > threshold);
    return suppress(accepted, overlap, accepted.length, network === "onet");
  }

  /** Run O-Net on the faces rotated until their eyes are level, for better landmarks. */
  async #level(photo, candidates) {
    const squares = candidates.map(({ box }) => squareAround(box));
    const angles = candidates.map(({ points: [one, other] }) => Math.atan2(other[1] - one[1], other[0] - one[0]));
    const found = await this.#run("onet", patches(photo, squares, WINDOWS.onet, angles));
    const level = candidates.map((candidate, i) => {
      const [left, top, side] = squares[i];
      const [a, b, c, d] = rotation(angles[i]);
      const points = landmarksIn(found[i]).map(([x, y]) => {
        const [across, down] = [x - 0.5, y - 0.5]; // from the middle, in side lengths
        return [left + side * (0.5 + a * across + b * down), top + side * (0.5 + c * across + d * down)];
      });
      return { ...candidate, points, level: sigmoid(found[i][0]) };
    });
    return level.filter((each) => each.level > LEVEL_THRESHOLD);
  }
}

/** Yield the places where P-Net's logit is above the threshold and the highest of its 3x3 neighbourhood. */
function* peaks(logits, columns) {
  for (const [place, logit] of logits.entries()) {
    if (sigmoid(logit) <= P_THRESHOLD) continue;
    const isHighest = [-1, 0, 1].every((across) => {
      const column = (place % columns) + across;
      if (column < 0 || column >= columns) return true;
      return [-columns, 0, columns].every((down) => !(logits[place + across + down] > logit)); // or outside
    });
    if (isHighest) yield place;
  }
}

/** Return a face in coordinates of the photo; `back` is the matrix from the rotated photo to it. */
function faceFrom({ box, score, points }, back, width, height) {
  const map = ([x, y]) => [back[0] * x + back[1] * y + back[2], back[3] * x + back[4] * y + back[5]];
  const middle = map([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]);
  const scale = Math.hypot(back[0], back[1]) / 2;
  const half = [(box[2] - box[0]) * scale, (box[3] - box[1]) * scale];
  const [left, top] = [clip(middle[0] - half[0], 0, width), clip(middle[1] - half[1], 0, height)];
  const [right, bottom] = [clip(middle[0] + half[0], 0, width), clip(middle[1] + half[1], 0, height)];
  const landmarks = points.map(map).map(([x, y]) => [x - 0.5, y - 0.5]); // from edges to pixel centres
  return { box: [left, top, right - left, bottom - top], landmarks, confidence: score };
}

/** Return the landmarks of a network's channels, where all x come before all y. */
function landmarksIn(channels) {
  const count = (channels.length - 5) / 2;
  return Array.from({ length: count }, (_, i) => [channels[5 + i], channels[5 + count + i]]);
}

/** Return the level whose area with margin contains a window; -1 if the window meets two. */
function levelOf(window, corners, sizes) {
  const inside = (corner, size, axis) =>
    window[axis] >= corner[axis] - MARGIN && window[axis] + WINDOWS.pnet <= corner[axis] + size[axis] + MARGIN;
  return corners.findIndex((corner, i) => inside(corner, sizes[i], 0) && inside(corner, sizes[i], 1));
}

const largestFirst = (faces) => [...faces].sort((a, b) => b.box[2] * b.box[3] - a.box[2] * a.box[3]);
const sigmoid = (logit) => (1 + Math.tanh(logit / 2)) / 2;
