import stringWidth from 'string-width';
import {
  colorRange,
  colorScale,
  KIND_COLOR_SCALES,
  positionInRange,
  type ColorRange,
} from '../plotting/color-scale.js';
import { shortenInMiddle } from '../plotting/token-labels.js';
import type { HiddenFlow } from '../tracing/hidden-flow.js';
import { formatProbability, markedToken, summarize } from './flow-summary.js';
import { onBackground, type ColorSupport } from './terminal-colors.js';

export interface TerminalHeatmapOptions {
  readonly colors: ColorSupport;
  /** Width of the terminal in characters; layers that do not fit are drawn below. */
  readonly columns: number;
  /** Name of a color scale of d3-scale-chromatic; default: that of the flow's kind. */
  readonly scale?: string | undefined;
}

/** Draws one cell, `width` characters wide, for a position from 0 (low) to 1 (high) of the scale. */
type CellPainter = (position: number, width: number) => string;

const SHADES = '.123456789';
const LARGEST_CELL = 3;
const LARGEST_LABEL = 28;
const LAYER_WORD = 'layer';
const LEGEND_STEPS = 20;

/**
 * Draws a result for a terminal: a line a token (`*` marks the subject), a cell a layer, the layers' numbers below, then the
 * scale and the answer's probabilities. Without colors a cell is a digit: tenths of the way from the low score (`.`) to the
 * highest score (`9`).
 *
 * @returns lines that end with a line break, none wider than `columns` unless that is too narrow for a single layer.
 */
export function drawHiddenFlow(flow: HiddenFlow, options: TerminalHeatmapOptions): string {
  const { colors, columns } = options;
  const range = colorRange(flow.lowScore, flow.scores);
  const paint = cellPainter(colors, options.scale ?? KIND_COLOR_SCALES[flow.kind]);
  const labels = tokenLabels(flow, Math.min(LARGEST_LABEL, Math.floor(columns / 3)));
  const labelWidth = Math.max(LAYER_WORD.length, ...labels.map((label) => stringWidth(label)));
  const layerCount = flow.scores[0]?.length ?? 0;
  const room = Math.max(1, columns - labelWidth - 2);
  const cellWidth = Math.min(LARGEST_CELL, Math.max(1, Math.floor(room / layerCount)));
  const layersInBand = Math.max(1, Math.floor(room / cellWidth));
  const lines = [title(flow), ''];
  for (let start = 0; start < layerCount; start += layersInBand) {
    const end = Math.min(start + layersInBand, layerCount);
    for (const [token, row] of flow.scores.entries()) {
      const cells = row.slice(start, end).map((score) => paint(positionInRange(score, range), cellWidth));
      lines.push(`${padLabel(labels[token] ?? '', labelWidth)}  ${cells.join('')}`.trimEnd());
    }
    lines.push(`${padLabel(LAYER_WORD, labelWidth)}  ${ruler(start, end, cellWidth)}`, '');
  }
  lines.push(legend(range, paint, colors), summarize(flow));
  return `${lines.join('\n')}\n`;
}

function title({ kind, window, provenance }: HiddenFlow): string {
  const layers = window === 1 ? '' : `window of ${window} layers, `;
  const samples = provenance.samples === 1 ? '1 sample' : `${provenance.samples} samples`;
  return `Impact of restoring ${kind} after corrupted input (${layers}${samples})`;
}

function cellPainter(colors: ColorSupport, scaleName: string): CellPainter {
  if (colors === 'none') {
    return (position, width) => (SHADES[Math.min(9, Math.floor(position * 10))] ?? '').padEnd(width);
  }
  const scale = colorScale(scaleName);
  return (position, width) => onBackground(' '.repeat(width), scale(position), colors);
}

function tokenLabels(flow: HiddenFlow, widest: number): string[] {
  const fits = (text: string): boolean => stringWidth(text) <= Math.max(widest, LAYER_WORD.length);
  return flow.scores.map((_, token) => {
    const label = markedToken(flow, token);
    if (!label.endsWith('*')) return shortenInMiddle(label, fits);
    return shortenInMiddle(label.slice(0, -1), (text) => fits(`${text}*`)) + '*';
  });
}

function padLabel(label: string, width: number): string {
  return ' '.repeat(Math.max(0, width - stringWidth(label))) + label;
}

/** Numbers of the layers from `start` to `end`, as many as fit with a space between them. */
function ruler(start: number, end: number, cellWidth: number): string {
  const needed = String(end - 1).length + 1;
  const interval = [1, 2, 5, 10, 20, 50, 100].find((each) => each * cellWidth >= needed) ?? 100;
  let line = '';
  for (let layer = start; layer < end; layer += 1) {
    if (layer % interval === 0) line = line.padEnd((layer - start) * cellWidth) + String(layer);
  }
  return line;
}

function legend({ low, high }: ColorRange, paint: CellPainter, colors: ColorSupport): string {
  const [from, to] = [formatProbability(low), formatProbability(high)];
  if (colors === 'none') return `scale: ${SHADES.at(0) ?? ''} is ${from}, ${SHADES.at(-1) ?? ''} is ${to}`;
  const steps = Array.from({ length: LEGEND_STEPS }, (_, i) => paint(i / (LEGEND_STEPS - 1), 1));
  return `scale: ${from} ${steps.join('')} ${to}`;
}
