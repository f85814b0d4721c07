/** Boxes [left, top, right, bottom] and squares [left, top, side]. Mirrors lookalike/faces/mtcnn_boxes.py. */

/** Return the box of a square whose four edges move by these shares of its side. */
export function moveEdges([left, top, side], offsets) {
  return [left, top, left + side, top + side].map((edge, i) => edge + offsets[i] * side);
}

/** Return the square with the centre and the longer side of a box. */
export function squareAround([left, top, right, bottom]) {
  const side = Math.max(right - left, bottom - top);
  return [(left + right - side) / 2, (top + bottom - side) / 2, side];
}

/**
 * Non-maximum suppression: return at most `most` of the candidates { box, score }, best score first. One is
 * dropped if it overlaps a better one by more than `overlap`: intersection over union, or over the smaller
 * box if `nested`.
 */
export function suppress(candidates, overlap, most, nested = false) {
  let left = [...candidates].sort((a, b) => b.score - a.score);
  const kept = [];
  while (left.length && kept.length < most) {
    const best = left.shift();
    kept.push(best);
    left = left.filter((other) => {
      const shared = sharedArea(best.box, other.box);
      const areas = [area(best.box), area(other.box)];
      return shared <= overlap * (nested ? Math.min(...areas) : areas[0] + areas[1] - shared);
    });
  }
  return kept;
}

const area = ([left, top, right, bottom]) => (right - left) * (bottom - top);

function sharedArea(one, other) {
  const width = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
  const height = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  return Math.max(width, 0) * Math.max(height, 0);
}
