/** What makes a face hard to read, and what helps if none is found. Mirrors lookalike/faces/quality.py. */
import { align } from "./alignment.js";

const SMALL = 8;
const DARK = 16;
const OVEREXPOSED = 0.7;
const WHITE = 250;
const BLURRED = 0.085;
const LARGE_PHOTO = 2_000_000;
const SIGMA = 2;
const RADIUS = 8; // of the blur: four sigma

/** Return why a face is hard to read: the key of the text for "too small" and so on; "" if it is not. */
export function readingProblem(image, face) {
  if (faceSize(face) < SMALL) return "problem_small";
  const gray = withoutHair(align(image, face));
  return exposureProblem(gray.data) || (sharpness(gray) < BLURRED ? "problem_blurred" : "");
}

/** Return the key of the sentence that says what helps if no face was found. */
export function noFaceAdvice({ data, width, height }) {
  const step = Math.max(1, Math.floor(Math.min(width, height) / 256));
  const sample = [];
  for (let y = 0; y < height; y += step) for (let x = 0; x < width; x += step) sample.push(grayAt(data, y * width + x));
  const problem = exposureProblem(sample);
  if (problem) return problem === "problem_dark" ? "error_no_face_dark" : "error_no_face_bright";
  return width * height >= LARGE_PHOTO ? "error_no_face_small" : "error_no_face";
}

function faceSize({ landmarks: [left, right, , one, other] }) {
  const eyes = [(left[0] + right[0]) / 2, (left[1] + right[1]) / 2];
  const mouth = [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2];
  return Math.max(Math.hypot(right[0] - left[0], right[1] - left[1]), Math.hypot(mouth[0] - eyes[0], mouth[1] - eyes[1]));
}

/** Return the share of a face's contrast in fine detail: what a Gaussian blur of two pixels removes. */
function sharpness(gray) {
  const blurred = blur(blur(gray));
  return spread(gray.data.map((value, i) => value - blurred.data[i])) / Math.max(spread(gray.data), 1e-3);
}

/** Return the picture blurred along its rows and turned over; twice is a Gaussian blur. */
function blur({ data, width, height }) {
  const kernel = Array.from({ length: 2 * RADIUS + 1 }, (_, i) => Math.exp(-((i - RADIUS) ** 2) / (2 * SIGMA ** 2)));
  const whole = kernel.reduce((sum, weight) => sum + weight);
  const turned = new Float32Array(data.length); // (width, height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let i = 0; i < kernel.length; i++) {
        const place = Math.abs(x + i - RADIUS);
        sum += kernel[i] * data[y * width + (place < width ? place : 2 * width - 2 - place)];
      }
      turned[x * height + y] = sum / whole;
    }
  }
  return { data: turned, width: height, height: width };
}

/** Return the middle of an aligned face in gray, without hair and background. */
function withoutHair({ data, width }) {
  const gray = { data: new Float32Array(80 * 72), width: 72, height: 80 };
  for (let i = 0; i < gray.data.length; i++) {
    gray.data[i] = grayAt(data, (20 + Math.floor(i / 72)) * width + 20 + (i % 72));
  }
  return gray;
}

function exposureProblem(gray) {
  const share = (test) => gray.reduce((count, value) => count + test(value), 0) / gray.length;
  if (share((value) => value >= DARK) < 0.05) return "problem_dark";
  return share((value) => value >= WHITE) > OVEREXPOSED ? "problem_bright" : "";
}

function spread(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

const grayAt = (data, pixel) =>
  Math.round(0.299 * data[3 * pixel] + 0.587 * data[3 * pixel + 1] + 0.114 * data[3 * pixel + 2]);
