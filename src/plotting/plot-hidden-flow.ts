import { CausalTracerError } from '../errors.js';
import type { HiddenFlow } from '../tracing/hidden-flow.js';
import { checkFlow, type PlottedFlow } from './flow-check.js';
import {
  checkPanelTitles,
  resolveOptions,
  type HeatmapOptions,
  type HeatmapPanelsOptions,
  type ResolvedOptions,
} from './plot-options.js';
import { writePicture } from './write-picture.js';

/**
 * Draws a result as a heatmap: tokens down the side, those of the subject marked with `*`, layers along the bottom. Colors
 * begin at the low score (what lies below looks like it) and end at the highest score.
 *
 * @param flow - A result, or what `JSON.parse` makes of its JSON: the picture is the same, byte for byte.
 * @returns The bytes of the picture: a PNG, an SVG (texts as outlines, so that no font is needed to look at it) or a PDF.
 * @throws CausalTracerError `FLOW_INVALID` for something that is not a result; `INVALID_OPTION`, also where `width` or
 *   `height` leave less than a pixel for a cell; `OUTPUT_NOT_WRITABLE`; `CANVAS_NOT_AVAILABLE`.
 */
export async function plotHiddenFlowHeatmap(flow: HiddenFlow, options: HeatmapOptions = {}): Promise<Buffer> {
  const resolved = resolveOptions(options);
  const panelTitles = resolved.title === undefined ? undefined : [resolved.title];
  return drawPanels([checkFlow(flow, 'The flow')], { ...resolved, title: undefined, panelTitles });
}

/**
 * Draws several results side by side in one picture, for example the three kinds for one prompt. Each panel has its own
 * color bar; the tokens are written once where neighbours have the same ones.
 *
 * @param flows - At least one result.
 * @returns The bytes of the picture, as {@link plotHiddenFlowHeatmap}.
 * @throws CausalTracerError as {@link plotHiddenFlowHeatmap}.
 */
export async function plotHiddenFlows(
  flows: readonly HiddenFlow[],
  options: HeatmapPanelsOptions = {},
): Promise<Buffer> {
  const resolved = resolveOptions(options);
  if (!Array.isArray(flows) || flows.length === 0) {
    throw new CausalTracerError(
      'FLOW_INVALID',
      'There is nothing to draw: give a list of at least one flow.',
    );
  }
  checkPanelTitles(options.panelTitles, flows.length);
  return drawPanels(
    flows.map((flow, index) => checkFlow(flow, `flows[${index}]`)),
    resolved,
  );
}

async function drawPanels(flows: readonly PlottedFlow[], options: ResolvedOptions): Promise<Buffer> {
  const { drawFigure } = await loadDrawing();
  const bytes = await drawFigure(flows, options);
  if (options.savePath !== undefined) {
    await writePicture(options.savePath, bytes);
  }
  return bytes;
}

/** Loads the canvas and the charts, which only pictures need, when the first one is drawn. */
async function loadDrawing(): Promise<typeof import('./draw-figure.js')> {
  try {
    return await import('./draw-figure.js');
  } catch (cause) {
    throw new CausalTracerError(
      'CANVAS_NOT_AVAILABLE',
      `Pictures are drawn with @napi-rs/canvas, which cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}\n` +
        'Its binaries are optional dependencies: install them with "npm install --include=optional".',
      { cause },
    );
  }
}
