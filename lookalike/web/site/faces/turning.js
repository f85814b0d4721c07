/** Photos that lie on a side or upside down. Mirrors lookalike/faces/turning.py. */
import { halvingFor, halvings, resize } from "./mtcnn_inputs.js";

const CERTAIN = 0.995;
const MAX_ROLL = 45; // degrees
const ROLL_COST = 0.2;
const ADVANTAGE = 0.01;
const SEARCH_SIDE = 832;

/** Return the image, turned upright by its largest face, and its faces, largest first. */
export async function detectUpright(detector, image) {
  const faces = await detector.detect(image);
  if (faces.length && !(await isDoubtful(detector, image, faces[0]))) return { image, faces };
  const small = shrunk(image);
  let best = { turns: 0, rating: rating(faces) + ADVANTAGE };
  for (const turns of [1, 2, 3]) {
    const found = rating(await detector.detect(turned(small, turns)));
    if (found > best.rating) best = { turns, rating: found };
  }
  if (!best.turns) return { image, faces };
  const upright = turned(image, best.turns);
  const found = await detector.detect(upright);
  const sure = found.length && !(await isDoubtful(detector, upright, found[0]));
  return sure ? { image: upright, faces: found } : { image, faces };
}

/** Return the angle of the line from the left to the right eye in degrees, clockwise. */
export function roll({ landmarks: [one, other] }) {
  return (Math.atan2(other[1] - one[1], other[0] - one[0]) * 180) / Math.PI;
}

async function isDoubtful(detector, image, face) {
  if (Math.abs(roll(face)) > MAX_ROLL) return true;
  return face.confidence < CERTAIN && !(await detector.isUpright(image, face));
}

function rating([face]) {
  if (!face) return 0;
  return face.confidence - (Math.abs(roll(face)) > MAX_ROLL ? ROLL_COST : 0);
}

function shrunk(image) {
  const scale = Math.min(1, SEARCH_SIDE / Math.sqrt(image.width * image.height));
  const [width, height] = [image.width, image.height].map((side) => Math.max(1, Math.round(side * scale)));
  const photo = halvings(image);
  return scale < 1 ? resize(photo[halvingFor(photo, scale)], width, height) : image;
}

/** Return the image after that many quarter turns counter-clockwise. */
function turned({ data, width, height }, turns) {
  if (!turns) return { data, width, height };
  const quarter = new Uint8Array(data.length); // (width, height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 3 * (y * width + x);
      quarter.set(data.subarray(from, from + 3), 3 * ((width - 1 - x) * height + y));
    }
  }
  return turned({ data: quarter, width: height, height: width }, turns - 1);
}
