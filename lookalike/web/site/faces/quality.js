/** What makes a face hard to read, and what helps if none is found. Mirrors lookalike/faces/quality.py. */
import { meanAndSpread } from "../numbers.js";
import { align } from "./alignment.js";
import { cut, sampled } from "./mtcnn_inputs.js";

const SMALL = 8;
const DARK = 16;
const OVEREXPOSED = 0.7;
const WHITE = 250;
const BLURRED = 0.085;
const LARGE_PHOTO = 2_000_000;
const SIGMA = 2;
const RADIUS = 8; // of the blur: four sigma
const KERNEL = Array.from({ length: 2 * RADIUS + 1 }, (_, i) => Math.exp(-((i - RADIUS) ** 2) / (2 * SIGMA ** 2)));
const KERNEL_SUM = KERNEL.reduce((sum, weight) => sum + weight);
const MIDDLE = [20, 20, 92, 100]; // of an aligned face, without hair and background

/** Return why a face is hard to read: the key of the text for "too small" and so on; "" if it is not. */
export function readingProblem(image, face) {
  if (faceSize(face) < SMALL) return "problem_small";
  const middle = cut(align(image, face), ...MIDDLE);
  const gray = sampled(middle, Infinity, grayAt);
  return exposureProblem(gray) || (sharpness(gray, middle.width) < BLURRED ? "problem_blurred" : "");
}

/** Return the key of the sentence that says what helps if no face was found. */
export function noFaceAdvice(image) {
  const problem = exposureProblem(sampled(image, 256, grayAt));
  if (problem) return problem === "problem_dark" ? "error_no_face_dark" : "error_no_face_bright";
  return image.width * image.height >= LARGE_PHOTO ? "error_no_face_small" : "error_no_face";
}

function faceSize({ landmarks: [left, right, , one, other] }) {
  const down = [0, 1].map((axis) => (one[axis] + other[axis] - left[axis] - right[axis]) / 2);
  return Math.max(Math.hypot(right[0] - left[0], right[1] - left[1]), Math.hypot(...down));
}

/** Return the share of a face's contrast in fine detail: what a Gaussian blur of two pixels removes. */
function sharpness(gray, width) {
  const blurred = blur(blur(gray, width), gray.length / width);
  const fine = gray.map((value, i) => value - blurred[i]);
  return meanAndSpread(fine)[1] / Math.max(meanAndSpread(gray)[1], 1e-3);
}

/** Return a picture blurred along its rows and turned over; twice is a Gaussian blur. */
function blur(gray, width) {
  const height = gray.length / width;
  const mirrored = (place) => width - 1 - Math.abs(width - 1 - Math.abs(place)); // at both edges
  return Array.from(gray, (_, to) => {
    const [x, row] = [Math.floor(to / height), (to % height) * width];
    return KERNEL.reduce((sum, weight, i) => sum + weight * gray[row + mirrored(x + i - RADIUS)], 0) / KERNEL_SUM;
  });
}

function exposureProblem(gray) {
  const share = (test) => gray.filter(test).length / gray.length;
  if (share((value) => value >= DARK) < 0.05) return "problem_dark";
  return share((value) => value >= WHITE) > OVEREXPOSED ? "problem_bright" : "";
}

const grayAt = (data, at) => Math.round(0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2]);
