/** The crop of a face: warped to ArcFace's template. Mirrors lookalike/faces/alignment.py. */
import { clip } from "../numbers.js";
import { cut, invert, shrink, transform, warp } from "./mtcnn_inputs.js";

const TEMPLATE_SIZE = 112;
const TEMPLATE = [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]];

/**
 * Return the face warped to the template, (size, size), black outside the photo. `margin` shows so much more
 * around the template on each side, in shares of its side.
 */
export function align(image, face, size = TEMPLATE_SIZE, margin = 0) {
  const unit = size / TEMPLATE_SIZE / (1 + 2 * margin);
  const target = TEMPLATE.map((point) => point.map((place) => (place + margin * TEMPLATE_SIZE) * unit));
  const matrix = umeyama(face.landmarks, target);
  const back = invert(matrix);
  const factor = Math.round(0.75 / Math.hypot(matrix[0], matrix[1])); // below 0.5, bilinear sampling skips pixels
  if (factor < 2) return warp(image, back, size, size, 0);
  const [left, top, right, bottom] = neededPart(image, back, size);
  const small = shrink(cut(image, left, top, right, bottom), factor);
  if (!small.data.length) return warp(image, back, size, size, 0);
  const [a, b, c, d, e, f] = back;
  const shift = (factor - 1) / 2; // pixel centres: x = left + factor * u + (factor - 1) / 2
  const inner = [a, b, c - (left + shift), d, e, f - (top + shift)].map((value) => value / factor);
  return warp(small, inner, size, size, 0);
}

/** Return the similarity transform that maps points to a target with least squares. */
function umeyama(points, target) {
  const [centre, aim] = [mean(points), mean(target)];
  let [real, imaginary, energy] = [0, 0, 0];
  points.forEach(([x, y], i) => {
    const [a, b] = [x - centre[0], y - centre[1]];
    const [c, d] = [target[i][0] - aim[0], target[i][1] - aim[1]];
    real += a * c + b * d;
    imaginary += a * d - b * c;
    energy += a * a + b * b;
  });
  const [p, q] = energy > 0 ? [real / energy, imaginary / energy] : [1, 0];
  return [p, -q, aim[0] - p * centre[0] + q * centre[1], q, p, aim[1] - q * centre[0] - p * centre[1]];
}

/** Return [left, top, right, bottom] of the part of the image that the crop shows. */
function neededPart({ width, height }, back, size) {
  const corners = [[0, 0], [size, 0], [0, size], [size, size]].map((corner) => transform(back, corner));
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  const left = clip(Math.floor(Math.min(...xs)) - 2, 0, width - 1);
  const top = clip(Math.floor(Math.min(...ys)) - 2, 0, height - 1);
  const right = clip(Math.ceil(Math.max(...xs)) + 2, left + 1, width);
  return [left, top, right, clip(Math.ceil(Math.max(...ys)) + 2, top + 1, height)];
}

const mean = (points) => [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
