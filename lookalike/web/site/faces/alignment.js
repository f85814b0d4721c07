/** The crop of a face: warped to ArcFace's template. Mirrors lookalike/faces/alignment.py. */
import { invert, shrink, warp } from "./mtcnn_inputs.js";

export const TEMPLATE_SIZE = 112;
const TEMPLATE = [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]];

/**
 * Return the face warped to the template, (size, size), black outside the photo. `margin` shows so much more
 * around the template on each side, in shares of its side.
 */
export function align(image, face, size = TEMPLATE_SIZE, margin = 0) {
  const unit = size / TEMPLATE_SIZE / (1 + 2 * margin);
  const target = TEMPLATE.map((point) => point.map((place) => (place + margin * TEMPLATE_SIZE) * unit));
  return warpPart(image, umeyama(face.landmarks, target), size);
}

/** Return the image warped by a matrix to (size, size); where it shrinks, the photo is shrunk first. */
function warpPart(image, matrix, size) {
  const back = invert(matrix);
  if (!back) return { data: new Uint8Array(size * size * 3), width: size, height: size };
  const factor = Math.round(0.75 / Math.hypot(matrix[0], matrix[1])); // below 0.5, bilinear sampling skips pixels
  if (factor < 2) return warp(image, back, size, size, 0);
  const { part, left, top } = neededPart(image, back, size);
  const small = shrink(part, factor);
  if (!small.data.length) return warp(image, back, size, size, 0);
  // pixel centres: x = left + factor * u + (factor - 1) / 2
  const shifts = [left + (factor - 1) / 2, top + (factor - 1) / 2];
  const inner = back.map((value, i) => (i % 3 === 2 ? value - shifts[(i - 2) / 3] : value) / factor);
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

/** Return the part of the image that the crop shows, and its upper left corner. */
function neededPart({ data, width, height }, [a, b, c, d, e, f], size) {
  const corners = [[0, 0], [size, 0], [0, size], [size, size]].map(([x, y]) => [a * x + b * y + c, d * x + e * y + f]);
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  const left = Math.min(Math.max(Math.floor(Math.min(...xs)) - 2, 0), width - 1);
  const top = Math.min(Math.max(Math.floor(Math.min(...ys)) - 2, 0), height - 1);
  const right = Math.min(Math.max(Math.ceil(Math.max(...xs)) + 2, left + 1), width);
  const bottom = Math.min(Math.max(Math.ceil(Math.max(...ys)) + 2, top + 1), height);
  const part = { data: new Uint8Array((right - left) * (bottom - top) * 3), width: right - left, height: bottom - top };
  for (let y = top; y < bottom; y++) {
    const row = data.subarray(3 * (y * width + left), 3 * (y * width + right));
    part.data.set(row, 3 * (y - top) * part.width);
  }
  return { part, left, top };
}

const mean = (points) => [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
