/**
 * The inputs of MTCNN's networks: image pyramids, patches, rotated photos. Mirrors lookalike/faces/mtcnn_inputs.py,
 * which gives the reasons for the numbers.
 *
 * Coordinates are edges. A matrix is [a, b, c, d, e, f]: x' = a x + b y + c, y' = d x + e y + f.
 */
import { clip, valueAt } from "../numbers.js";

const PYRAMID_STEP = 0.709;
const SHORTEST_LEVEL = 8;
export const MARGIN = 4;
const GREY = 127;
const DARK = 128;
const BRIGHT = 220;
const DARK_SAMPLES = 64;
const ROTATED_SIDE = 416;

/** Return a dark photo brightened, any other unchanged. */
export function brighten(image) {
  const brightest = sampled(image, DARK_SAMPLES, (data, at) => Math.max(data[at], data[at + 1], data[at + 2])).sort();
  const level = valueAt(brightest, 0.99 * (brightest.length - 1)); // ignore 1 %, which may be lamps
  if (level >= DARK) return image;
  const factor = BRIGHT / Math.max(level, 1);
  return { ...image, data: Uint8ClampedArray.from(image.data, (value) => value * factor) };
}

/** Return `valueOf` (data, place) of pixels in equal steps: about `count` along the image's shorter side. */
export function sampled({ data, width, height }, count, valueOf) {
  const step = Math.max(1, Math.floor(Math.min(width, height) / count));
  const values = [];
  for (let y = 0; y < height; y += step) {
    for (let x = 0; x < width; x += step) values.push(valueOf(data, 3 * (y * width + x)));
  }
  return Float32Array.from(values);
}

/** Return the photo and its successive halvings. */
export function halvings(image) {
  const pictures = [image];
  for (let last = image; Math.min(last.width, last.height) >= 2; pictures.push(last)) last = shrink(last, 2);
  return pictures;
}

/** Return an image in which one pixel is the mean of factor x factor pixels. */
export function shrink({ data, width, height }, factor) {
  const [columns, rows] = [Math.floor(width / factor), Math.floor(height / factor)];
  const shrunk = new Uint8Array(columns * rows * 3);
  for (let y = 0, to = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = (factor * factor) >> 1; // rounds the mean
        for (let row = 0; row < factor; row++) {
          const from = 3 * ((y * factor + row) * width + x * factor) + channel;
          for (let column = 0; column < factor; column++) sum += data[from + 3 * column];
        }
        shrunk[to++] = sum / factor / factor;
      }
    }
  }
  return { data: shrunk, width: columns, height: rows };
}

/** Return [width, height] of the levels, from `scale` times the photo's down to the last a face can fill. */
export function pyramidSizes(width, height, scale) {
  const sizes = [];
  for (; Math.min(width, height) * scale >= SHORTEST_LEVEL; scale *= PYRAMID_STEP) {
    sizes.push([Math.round(width * scale), Math.round(height * scale)]);
  }
  return sizes;
}

/** Place all levels on one grey canvas, in rows; return it and the { left, top, width, height } of each level. */
export function pack(photo, sizes) {
  const shelves = []; // the free space in each row
  const right = sizes[0][0] + 2 * MARGIN;
  let bottom = MARGIN;
  const levels = sizes.map(([width, height]) => {
    let shelf = shelves.find(({ left }) => left + width + MARGIN <= right);
    if (!shelf) {
      shelves.push((shelf = { left: MARGIN, top: bottom }));
      bottom += height + MARGIN;
    }
    const { left, top } = shelf;
    shelf.left += width + MARGIN;
    return { left, top, width, height };
  });
  const canvas = { data: new Uint8Array(right * bottom * 3).fill(GREY), width: right, height: bottom };
  for (const { left, top, width, height } of levels) {
    paste(resize(photo[halvingFor(photo, width / photo[0].width)], width, height), canvas, left, top);
  }
  return { canvas, levels };
}

/** Return a part of an image. */
export function cut(image, left, top, right, bottom) {
  const [width, height] = [right - left, bottom - top];
  const part = { data: new Uint8Array(width * height * 3), width, height };
  paste(image, part, -left, -top);
  return part;
}

/** Copy an image to a place of another, which may be smaller. */
function paste({ data, width, height }, target, left, top) {
  const [first, last] = [Math.max(-left, 0), Math.min(width, target.width - left)];
  for (let y = Math.max(-top, 0); y < Math.min(height, target.height - top); y++) {
    const row = data.subarray(3 * (y * width + first), 3 * (y * width + last));
    target.data.set(row, 3 * ((y + top) * target.width + left + first));
  }
}

/**
 * Cut squares [left, top, side] out of the photo, grey outside it, each rotated clockwise around its centre by
 * its angle in radians; return (n, side, side, 3) bytes.
 */
export function patches(photo, squares, side, angles) {
  const all = new Uint8Array(squares.length * side * side * 3);
  squares.forEach(([left, top, length], i) => {
    const [a, b, c, d] = rotation(angles[i]).map((value) => (value * length) / side);
    const [x, y] = [left + length / 2 - ((a + b) * side) / 2, top + length / 2 - ((c + d) * side) / 2];
    all.set(sample(photo, side / length, [a, b, x, c, d, y], side, side).data, i * side * side * 3);
  });
  return all;
}

/** Return the photo rotated clockwise on grey, as a pyramid, and the matrix from there back to the photo. */
export function rotate(photo, degrees) {
  if (!degrees) return { rotated: photo, back: [1, 0, 0, 0, 1, 0] };
  const { width, height } = photo[0];
  const scale = Math.min(1, ROTATED_SIDE / Math.sqrt(width * height));
  const [a, b, c, d] = rotation((degrees * Math.PI) / 180).map((value) => value * scale);
  const columns = Math.ceil(Math.abs(a) * width + Math.abs(b) * height);
  const rows = Math.ceil(Math.abs(c) * width + Math.abs(d) * height);
  const shift = [(columns - a * width - b * height) / 2, (rows - c * width - d * height) / 2];
  const back = invert([a, b, shift[0], c, d, shift[1]]);
  return { rotated: halvings(sample(photo, scale, back, columns, rows)), back };
}

/** Return the photo at a scale, grey outside it; `matrix` leads from the edges of the result to the photo's. */
function sample(photo, scale, matrix, width, height) {
  const index = halvingFor(photo, scale);
  const [a, b, x, c, d, y] = matrix.map((value) => value / 2 ** index);
  const atCentres = [a, b, x + (a + b) / 2 - 0.5, c, d, y + (c + d) / 2 - 0.5];
  return warp(photo[index], atCentres, width, height, GREY);
}

/** Return [a, b, c, d], which rotates [x, y] by `angle` radians, clockwise because y points down. */
export function rotation(angle) {
  return [Math.cos(angle), -Math.sin(angle), Math.sin(angle), Math.cos(angle)];
}

/** Return an image resized with bilinear interpolation, rounded as OpenCV's cv2.resize does. */
export function resize({ data, width, height }, columns, rows) {
  const resized = new Uint8Array(columns * rows * 3);
  const across = linear(columns, width);
  const blend = (at, next, share) => ((2048 - share) * data[at] + share * data[next]) >> 4;
  let to = 0;
  for (const [upper, lower, down] of linear(rows, height)) {
    for (const [left, right, share] of across) {
      for (let channel = 0; channel < 3; channel++) {
        const [west, east] = [3 * left + channel, 3 * right + channel];
        const [above, below] = [3 * width * upper, 3 * width * lower];
        const one = ((2048 - down) * blend(above + west, above + east, share)) >> 16;
        const other = (down * blend(below + west, below + east, share)) >> 16;
        resized[to++] = (one + other + 2) >> 2;
      }
    }
  }
  return { data: resized, width: columns, height: rows };
}

/** Return for each place of `count` the two pixels of `length` beside it and the second's share of 2048. */
function linear(count, length) {
  return Array.from({ length: count }, (_, i) => {
    const place = clip(((i + 0.5) * length) / count - 0.5, 0, length - 1);
    const first = Math.floor(place);
    return [first, Math.min(first + 1, length - 1), Math.round((place - first) * 2048)];
  });
}

/**
 * Return a (height, width) image whose pixel at (x, y) is the photo's at `matrix` (x, y), bilinear between
 * thirty-seconds of a pixel as in cv2.warpAffine. Outside the photo is `border`.
 */
export function warp({ data, width: columns, height: rows }, [a, b, c, d, e, f], width, height, border) {
  const warped = new Uint8Array(width * height * 3);
  const at = (x, y) => (x < 0 || y < 0 || x >= columns || y >= rows ? -1 : 3 * (y * columns + x));
  for (let y = 0, to = 0; y < height; y++) {
    const [firstAcross, firstDown] = [Math.round(1024 * (b * y + c)) + 16, Math.round(1024 * (e * y + f)) + 16];
    for (let x = 0; x < width; x++) {
      const across = (firstAcross + Math.round(1024 * a * x)) >> 5;
      const down = (firstDown + Math.round(1024 * d * x)) >> 5;
      const [left, top, right, low] = [across >> 5, down >> 5, across & 31, down & 31];
      const corners = [at(left, top), at(left + 1, top), at(left, top + 1), at(left + 1, top + 1)];
      const shares = [(32 - right) * (32 - low), right * (32 - low), (32 - right) * low, right * low];
      for (let channel = 0; channel < 3; channel++) {
        let sum = 512;
        for (let i = 0; i < 4; i++) sum += shares[i] * (corners[i] < 0 ? border : data[corners[i] + channel]);
        warped[to++] = sum >> 10;
      }
    }
  }
  return { data: warped, width, height };
}

/** Return the inverse of a matrix. */
export function invert([a, b, c, d, e, f]) {
  const [p, q, r, s] = [e, -b, -d, a].map((value) => value / (a * e - b * d));
  return [p, q, -p * c - q * f, r, s, -r * c - s * f];
}

/** Return the point to which a matrix maps another. */
export const transform = ([a, b, c, d, e, f], [x, y]) => [a * x + b * y + c, d * x + e * y + f];

/** Return the index of the smallest halving that is at least `scale` of the photo. */
export const halvingFor = (photo, scale) => clip(Math.floor(-Math.log2(scale)), 0, photo.length - 1);
