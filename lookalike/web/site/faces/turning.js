/** Photos that lie on a side or upside down. Mirrors lookalike/faces/turning.py. */
import { eyeAngle } from "./mtcnn.js";
import { halvingFor, halvings, resize, warp } from "./mtcnn_inputs.js";

const CERTAIN = 0.995;
const MAX_ROLL = Math.PI / 4;
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

const isRolled = ({ landmarks }) => Math.abs(eyeAngle(landmarks)) > MAX_ROLL;

async function isDoubtful(detector, image, face) {
  return isRolled(face) || (face.confidence < CERTAIN && !(await detector.isUpright(image, face)));
}

const rating = ([face]) => (face ? face.confidence - (isRolled(face) ? ROLL_COST : 0) : 0);

function shrunk(image) {
  const scale = Math.min(1, SEARCH_SIDE / Math.sqrt(image.width * image.height));
  const [width, height] = [image.width, image.height].map((side) => Math.max(1, Math.round(side * scale)));
  const photo = halvings(image);
  return scale < 1 ? resize(photo[halvingFor(photo, scale)], width, height) : image;
}

/** Return the image after that many quarter turns counter-clockwise. */
function turned(image, turns) {
  if (!turns) return image;
  return turned(warp(image, [0, -1, image.width - 1, 1, 0, 0], image.height, image.width, 0), turns - 1);
}
