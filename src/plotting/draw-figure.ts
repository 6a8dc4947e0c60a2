import { heatmapFigure } from './figure.js';
import type { PlottedFlow } from './flow-check.js';
import type { ResolvedOptions } from './plot-options.js';
import { renderChart } from './render.js';

/** Lays results out, draws them, and gives the picture's bytes. */
export async function drawFigure(flows: readonly PlottedFlow[], options: ResolvedOptions): Promise<Buffer> {
  const { chart, surface } = heatmapFigure(flows, options);
  return await renderChart(chart, surface);
}
