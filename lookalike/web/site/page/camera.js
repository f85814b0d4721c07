/** The live camera: the best match of each frame, steadied by a running mean. Mirrors lookalike/space/page/live.py. */
import { LookalikeError } from "../errors.js";
import { fromSource } from "../images.js";
import { dot, unit } from "../numbers.js";
import { element, meter, name, shown } from "./results.js";
import { joined, text } from "./texts.js";

const COUNT = 3;
const NEW_FRAME_WEIGHT = 0.2;
const SAME_FACE_COSINE = 0.25;
const MAX_MISSED_FRAMES = 8;

export class Camera {
  /** `video` shows the camera, `answer` its matches; `finder` is a Lookalikes. */
  constructor(video, answer, finder) {
    Object.assign(this, { video, answer, finder, run: null, mean: null, missed: 0 });
  }

  /** Open the camera and answer its frames until `stop`; throw a LookalikeError if it cannot be opened or ends. */
  async start() {
    const run = (this.run = {}); // it may be stopped, and another one started, while this one waits for something
    try {
      const stream = await openCamera();
      if (this.run !== run) return close(stream);
      this.video.srcObject = stream;
      await this.video.play();
      while (this.run === run) {
        if (!stream.active) throw new LookalikeError("script_no_camera");
        await this.#frame(run);
        await new Promise(requestAnimationFrame);
      }
    } catch (error) {
      if (this.run === run) throw error;
    }
  }

  /** Switch the camera off. */
  stop() {
    close(this.video.srcObject);
    this.run = this.mean = this.video.srcObject = null;
    this.answer.replaceChildren();
  }

  async #frame(run) {
    const { video, finder } = this;
    if (!video.videoWidth) return;
    const image = fromSource(video, video.videoWidth, video.videoHeight);
    const [face] = await finder.detector.detect(image);
    const embedding = face && (await finder.embedder.embed(image, face));
    if (this.run !== run) return;
    if (!face) return this.#miss();
    [this.mean, this.missed] = [runningMean(this.mean, embedding), 0];
    this.#show(finder.lookup(face, unit(this.mean), COUNT).matches);
  }

  #miss() {
    if (this.mean && this.missed++ < MAX_MISSED_FRAMES) return;
    this.mean = null;
    this.answer.replaceChildren(element("p", { class: "words" }, text("live_no_face")));
  }

  #show([best, ...others]) {
    const then = joined(others.map((match) => `${shown(match.name)} ${Math.round(match.similarity)} %`));
    const behind = element("p", { class: "who" }, then && text("live_then", { others: then }));
    this.answer.replaceChildren(element("p", { class: "best" }, name(best)), meter(best.similarity, best.name), behind);
  }
}

async function openCamera() {
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480, facingMode: "user" } });
  } catch {
    throw new LookalikeError("script_no_camera");
  }
}

const close = (stream) => stream?.getTracks().forEach((track) => track.stop());

/** Return the running mean after one more embedding; another face starts it anew. */
function runningMean(mean, embedding) {
  if (!mean || dot(unit(mean), embedding) < SAME_FACE_COSINE) return embedding;
  return mean.map((value, i) => (1 - NEW_FRAME_WEIGHT) * value + NEW_FRAME_WEIGHT * embedding[i]);
}
