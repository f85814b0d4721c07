/** Small functions of numbers and vectors, for all modules. */

export const clip = (value, low, high) => Math.min(Math.max(value, low), high);

/** Return the dot product of a vector and row `row` of a table with rows of its length. */
export function dot(vector, table, row = 0) {
  let sum = 0;
  for (let i = 0, at = row * vector.length; i < vector.length; i++) sum += vector[i] * table[at++];
  return sum;
}

/** Return a vector scaled to unit length. */
export function unit(vector) {
  const length = Math.max(Math.sqrt(dot(vector, vector)), 1e-12);
  return Float32Array.from(vector, (value) => value / length);
}

/** Return a table, a Float32Array with rows of `dim` numbers, whose rows are scaled to unit length. */
export function unitRows(table, dim) {
  for (let at = 0; at < table.length; at += dim) table.set(unit(table.subarray(at, at + dim)), at);
  return table;
}

/** Return the mean and the standard deviation of numbers. */
export function meanAndSpread(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return [mean, Math.sqrt(variance)];
}

/** Return the number at a place of a list, 0 to its last, interpolated between two neighbours. */
export function valueAt(list, place) {
  const inside = clip(place, 0, list.length - 1);
  const low = Math.floor(inside);
  return list[low] + (inside - low) * ((list[low + 1] ?? list[low]) - list[low]);
}
