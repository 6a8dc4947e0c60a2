import type { SKRSContext2D } from '@napi-rs/canvas';
import type { Chart, Plugin } from 'chart.js';
import type { ColorScale } from './color-scale.js';
import type { FigureLayout, PanelLayout, Rect } from './layout-types.js';
import type { TextBox } from './text-block.js';

/** Ink of texts, ticks and frames. */
export const INK = '#1a1a1a';

// As faint as in the Python package: a hint of an edge, which leaves the cell's color as it is.
const CELL_EDGE = 'rgba(0, 0, 0, 0.0627)';
/** Cells smaller than this many CSS pixels have no edges: they would be more edge than cell. */
const SMALLEST_CELL_WITH_EDGES = 4;
const GRADIENT_STOPS = 64;

/** The ids of the axes of a panel. */
export function axisIds(panel: number): { readonly x: string; readonly y: string } {
  return { x: `x${panel}`, y: `y${panel}` };
}

/** The context that a chart is drawn on; chart.js types it as the browser's, whose types are not loaded here. */
function contextOf(chart: Chart): SKRSContext2D {
  return chart.ctx as SKRSContext2D;
}

/** Puts every panel's axes where the layout wants them: chart.js would stack them all around a single area. */
export function placementPlugin(layout: FigureLayout): Plugin {
  return {
    id: 'placement',
    afterLayout: (chart) => {
      layout.panels.forEach(({ plot }, index) => {
        const bottom = plot.top + plot.height;
        const { x, y } = axisIds(index);
        placeAxis(chart, x, { ...plot, top: bottom, height: layout.height - bottom });
        placeAxis(chart, y, { ...plot, left: 0, width: plot.left });
      });
    },
  };
}

function placeAxis(chart: Chart, id: string, rect: Rect): void {
  const scale = chart.scales[id];
  if (scale !== undefined) {
    const { left, top, width, height } = rect;
    Object.assign(scale, { left, top, width, height, right: left + width, bottom: top + height });
    scale.configure();
  }
}

/** Fills the picture with white before anything is drawn. */
export function backgroundPlugin(layout: FigureLayout): Plugin {
  return {
    id: 'background',
    beforeDraw: (chart) => {
      const ctx = contextOf(chart);
      ctx.fillStyle = '#ffffff';
      ctx.fillRect(0, 0, layout.width, layout.height);
    },
  };
}

/** Draws the faint edges of the cells, and a frame around them. */
export function framePlugin(layout: FigureLayout, scale: number): Plugin {
  return {
    id: 'frame',
    afterDatasetsDraw: (chart) => {
      const ctx = contextOf(chart);
      for (const panel of layout.panels) {
        drawCellEdges(ctx, panel, scale);
        drawFrame(ctx, panel.plot, scale);
      }
    },
  };
}

function drawCellEdges(ctx: SKRSContext2D, panel: PanelLayout, scale: number): void {
  const { plot, columnEdges, rowEdges } = panel;
  const thickness = lineWidth(0.35, scale);
  ctx.fillStyle = CELL_EDGE;
  if (plot.width / (columnEdges.length - 1) >= SMALLEST_CELL_WITH_EDGES) {
    for (const x of columnEdges.slice(1, -1)) {
      ctx.fillRect(x, plot.top, thickness, plot.height);
    }
  }
  if (plot.height / (rowEdges.length - 1) >= SMALLEST_CELL_WITH_EDGES) {
    for (const y of rowEdges.slice(1, -1)) {
      ctx.fillRect(plot.left, y, plot.width, thickness);
    }
  }
}

/** Draws a frame just outside a rectangle. */
function drawFrame(ctx: SKRSContext2D, { left, top, width, height }: Rect, scale: number): void {
  const thickness = lineWidth(0.8, scale);
  ctx.strokeStyle = INK;
  ctx.lineWidth = thickness;
  ctx.strokeRect(left - thickness / 2, top - thickness / 2, width + thickness, height + thickness);
}

/** A line width near the wanted one that is a whole number of device pixels. */
export function lineWidth(wanted: number, scale: number): number {
  return Math.max(1, Math.round(wanted * scale)) / scale;
}

/** Draws each panel's color bar and the marks beside it. */
export function colorBarPlugin(layout: FigureLayout, colors: readonly ColorScale[], scale: number): Plugin {
  return {
    id: 'colorBar',
    afterDatasetsDraw: (chart) => {
      const ctx = contextOf(chart);
      layout.panels.forEach((panel, index) => {
        const color = colors[index];
        if (color !== undefined) {
          drawColorBar(ctx, panel, color, layout.style.tickLength, scale);
        }
      });
    },
  };
}

function drawColorBar(
  ctx: SKRSContext2D,
  { colorBar, colorBarTicks }: PanelLayout,
  color: ColorScale,
  tickLength: number,
  scale: number,
): void {
  const { left, top, width, height } = colorBar;
  const gradient = ctx.createLinearGradient(0, top + height, 0, top);
  for (let stop = 0; stop <= GRADIENT_STOPS; stop++) {
    gradient.addColorStop(stop / GRADIENT_STOPS, color(stop / GRADIENT_STOPS));
  }
  ctx.fillStyle = gradient;
  ctx.fillRect(left, top, width, height);
  drawFrame(ctx, colorBar, scale);
  const thickness = lineWidth(0.8, scale);
  ctx.fillStyle = INK;
  for (const y of colorBarTicks) {
    const onPixel = Math.round((y - thickness / 2) * scale) / scale;
    ctx.fillRect(left + width, onPixel, tickLength, thickness);
  }
}

/** Draws the texts that are not axis labels: titles, x labels, the color bars' numbers, the answers. */
export function textPlugin(layout: FigureLayout, fontFamily: string): Plugin {
  return {
    id: 'texts',
    afterDraw: (chart) => {
      const ctx = contextOf(chart);
      ctx.fillStyle = INK;
      ctx.textBaseline = 'middle';
      for (const text of [...layout.texts, ...layout.panels.flatMap((panel) => panel.texts)]) {
        drawText(ctx, text, fontFamily);
      }
    },
  };
}

function drawText(ctx: SKRSContext2D, box: TextBox, fontFamily: string): void {
  ctx.font = `${box.fontSize}px ${fontFamily}`;
  ctx.textAlign = box.align;
  const x = box.align === 'center' ? box.left + box.width / 2 : box.left;
  ctx.fillText(box.text, x, box.top + box.height / 2);
}
