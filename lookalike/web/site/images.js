/**
 * Decoding: a file, a picture or a camera's frame becomes an upright RGB image. Mirrors lookalike/images.py.
 *
 * An image is { data, width, height }; `data` is a Uint8Array of rows of R, G, B.
 */
import { LookalikeError } from "./errors.js";

const MAX_PIXELS = 50_000_000;
const MAX_BYTES = 40_000_000;
const CANVAS_PIXELS = 16_000_000; // Safari's canvases hold no more; a larger photo is shrunk
const BACKGROUND = "#ffffff";
const OPAQUE = 0xff000000; // alpha, in the order of bytes of every browser
const HEIC = ["heic", "heix", "heim", "heis", "mif1", "msf1"];

/** Return the image in a Blob, rotated by its EXIF orientation; throw a LookalikeError if there is none. */
export async function readImage(blob) {
  if (!blob.size) throw new LookalikeError("error_empty_photo");
  if (blob.size > MAX_BYTES) throw new LookalikeError("error_photo_bytes", { megabytes: MAX_BYTES / 1e6 });
  const options = { imageOrientation: "from-image", colorSpaceConversion: "none" };
  const bitmap = await createImageBitmap(blob, options).catch(async () => {
    throw new LookalikeError((await isHeic(blob)) ? "web_heic" : "error_unreadable_photo");
  });
  try {
    const pixels = bitmap.width * bitmap.height;
    if (pixels > MAX_PIXELS) throw new LookalikeError("error_photo_pixels", { megapixels: MAX_PIXELS / 1e6 });
    return fromSource(bitmap, bitmap.width, bitmap.height);
  } finally {
    bitmap.close();
  }
}

/** Return what a bitmap, a canvas or a video shows, as an image. */
export function fromSource(source, width, height) {
  const scale = Math.min(1, Math.sqrt(CANVAS_PIXELS / (width * height)));
  [width, height] = [width, height].map((side) => Math.max(1, Math.floor(side * scale)));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const pen = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  pen.fillStyle = BACKGROUND;
  pen.fillRect(0, 0, width, height);
  pen.drawImage(source, 0, 0, width, height);
  const { data: rgba } = pen.getImageData(0, 0, width, height);
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < data.length; from += 4) {
    data[to++] = rgba[from];
    data[to++] = rgba[from + 1];
    data[to++] = rgba[from + 2];
  }
  return { data, width, height };
}

/** Return a canvas that shows an image. */
export function toCanvas({ data, width, height }) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const pixels = new ImageData(width, height);
  const rgba = new Uint32Array(pixels.data.buffer);
  for (let to = 0, from = 0; to < rgba.length; to++, from += 3) {
    rgba[to] = data[from] | (data[from + 1] << 8) | (data[from + 2] << 16) | OPAQUE;
  }
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}

async function isHeic(blob) {
  const head = new TextDecoder("latin1").decode(await blob.slice(4, 12).arrayBuffer());
  return head.startsWith("ftyp") && HEIC.includes(head.slice(4));
}
