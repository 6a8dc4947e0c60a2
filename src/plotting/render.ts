import type { createCanvas } from '@napi-rs/canvas';
import { Chart, LinearScale, type ChartConfiguration } from 'chart.js';
import { MatrixController, MatrixElement, type MatrixDataPoint } from 'chartjs-chart-matrix';
import { ChartJSNodeCanvas } from '#chartjs-node-canvas';
import { createSurface, type Surface, type SurfaceOptions } from './surface.js';

/**
 * Draws charts through chartjs-node-canvas, with two differences: the surfaces are our own, because they can also be SVG
 * and PDF and differ in size from picture to picture; and chart.js is loaded once, where the base class loads a fresh
 * copy for every renderer, which is never freed.
 */
class PictureRenderer extends ChartJSNodeCanvas {
  #surface: Surface | undefined;

  protected override readonly _createCanvas = (() => this.#surface) as unknown as typeof createCanvas;

  constructor() {
    super({ width: 1, height: 1 });
  }

  protected override initialize(): typeof Chart {
    Chart.register(LinearScale, MatrixController, MatrixElement);
    return Chart;
  }

  draw(
    configuration: ChartConfiguration<'matrix', MatrixDataPoint[]>,
    options: SurfaceOptions,
  ): Promise<Buffer> {
    this.#surface = createSurface(options);
    // Draws before it returns: only the encoding of the pixels is left to wait for.
    const bytes = this.renderToBuffer(configuration);
    this.#surface = undefined;
    return bytes;
  }
}

let renderer: PictureRenderer | undefined;

/** Draws a chart and gives the picture's bytes; the chart is destroyed. */
export function renderChart(
  configuration: ChartConfiguration<'matrix', MatrixDataPoint[]>,
  options: SurfaceOptions,
): Promise<Buffer> {
  renderer ??= new PictureRenderer();
  return renderer.draw(configuration, options);
}
