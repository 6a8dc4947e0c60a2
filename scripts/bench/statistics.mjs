// @ts-check

/** @param {readonly number[]} values at least one */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}

/**
 * The exponent `b` of the power law `y = a * x ** b` that fits best in the logarithms.
 * @param {readonly { x: number, y: number }[]} points at least two, positive
 */
export function fitExponent(points) {
  const xs = points.map(({ x }) => Math.log(x));
  const ys = points.map(({ y }) => Math.log(y));
  const mean = (/** @type {readonly number[]} */ values) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(xs), mean(ys)];
  let [covariance, variance] = [0, 0];
  for (const [i, x] of xs.entries()) {
    covariance += (x - meanX) * ((ys[i] ?? 0) - meanY);
    variance += (x - meanX) ** 2;
  }
  return covariance / variance;
}
