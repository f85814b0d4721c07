/**
 * At which sizes and angles MTCNN searches a photo, and in which order. Mirrors lookalike/faces/mtcnn_attempts.py,
 * which gives the reasons for the numbers.
 */
const attempt = (degrees, smallest, proposals = 32) => ({ degrees, smallest, proposals });

const UPRIGHT = [attempt(0, 1 / 12), attempt(0, 1 / 18)];
const FINE = [attempt(0, 1 / 24, 256), attempt(0, 1 / 48, 256), attempt(0, 1 / 96, 256)];
const TILTED = [attempt(35, 1 / 12), attempt(-35, 1 / 12)];
const FINEST = 24; // pixels
const NEAR = 2;

/** Return the attempts for an image; the first one that finds a face ends the search. */
export function attemptsFor(image) {
  return [...UPRIGHT, ...largeEnough(FINE, image), ...TILTED];
}

/** Return the attempts that look for smaller faces beside those that an attempt has found. */
export function crowdAttempts(image, foundBy) {
  const [first, second] = FINE;
  return [first, ...largeEnough([second], image)].filter((each) => each.smallest < foundBy.smallest);
}

/** Return whether the faces that an attempt found make smaller ones likely. */
export function hasSmaller(faces, image, foundBy) {
  const smallest = Math.min(...faces.map(({ box }) => Math.max(box[2], box[3])));
  return smallest < NEAR * foundBy.smallest * sideOf(image);
}

const largeEnough = (attempts, image) => attempts.filter((each) => each.smallest * sideOf(image) >= FINEST);
const sideOf = ({ width, height }) => Math.sqrt(width * height);
