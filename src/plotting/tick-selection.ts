/**
 * The layers that get a number: every `interval`-th, leaving out the last `skipFinalPortion` of the layers, as in the
 * Python package. Where numbers would touch, only every second, third, … of these remains.
 *
 * @param labelWidth - Width of a layer's number, the gap to its neighbour included.
 */
export function selectLayers(options: {
  readonly layerCount: number;
  readonly interval: number;
  readonly skipFinalPortion: number;
  readonly cellWidth: number;
  readonly labelWidth: (layer: number) => number;
}): number[] {
  const { layerCount, interval, skipFinalPortion, cellWidth, labelWidth } = options;
  const end = layerCount - Math.ceil(layerCount * skipFinalPortion);
  for (let step = interval; ; step += interval) {
    const layers: number[] = [];
    for (let layer = 0; layer < end; layer += step) {
      layers.push(layer);
    }
    const apart = layers.every((layer, index) => {
      const next = layers[index + 1];
      return next === undefined || (labelWidth(layer) + labelWidth(next)) / 2 <= (next - layer) * cellWidth;
    });
    if (apart) {
      return layers;
    }
  }
}

/**
 * The rows that get a label: all of them where rows are high enough, else as many as fit without touching. The last
 * subject token, the last token and the first one come first, then the rest of the subject, then evenly spaced rows.
 */
export function selectTokens(options: {
  readonly tokenCount: number;
  readonly subjectRange: readonly [start: number, end: number];
  readonly cellHeight: number;
  readonly labelHeight: number;
}): number[] {
  const { tokenCount, subjectRange, cellHeight, labelHeight } = options;
  const all = Array.from({ length: tokenCount }, (_, index) => index);
  const rowsApart = Math.ceil(labelHeight / cellHeight - 1e-9);
  if (rowsApart <= 1) {
    return all;
  }
  const [start, end] = subjectRange;
  const subject = all.slice(start, end);
  const candidates = [...subject.slice(-1), tokenCount - 1, 0, ...subject.reverse(), ...all];
  const free = new Array<boolean>(tokenCount).fill(true);
  const selected = new Set<number>();
  for (const row of candidates) {
    if (free[row] === true) {
      selected.add(row);
      free.fill(false, Math.max(0, row - rowsApart + 1), row + rowsApart);
    }
  }
  return [...selected].sort((a, b) => a - b);
}
