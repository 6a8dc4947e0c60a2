import type { ChartConfiguration, ChartDataset, ChartOptions } from 'chart.js';
import type { MatrixDataPoint } from 'chartjs-chart-matrix';
import {
  axisIds,
  backgroundPlugin,
  colorBarPlugin,
  framePlugin,
  INK,
  lineWidth,
  placementPlugin,
  textPlugin,
} from './chart-plugins.js';
import { positionInRange, type ColorRange, type ColorScale } from './color-scale.js';
import type { AxisTick, FigureLayout, PanelLayout } from './layout-types.js';
import { LINE_HEIGHT } from './text-block.js';

/** What the cells of a panel show. */
export interface PanelCells {
  readonly scores: readonly (readonly number[])[];
  readonly range: ColorRange;
  readonly color: ColorScale;
}

type AxisOptions = NonNullable<NonNullable<ChartOptions<'matrix'>['scales']>[string]>;
type PanelDataset = ChartDataset<'matrix', MatrixDataPoint[]> & {
  readonly xAxisID: string;
  readonly yAxisID: string;
};

/** How to draw a laid out picture. */
export interface DrawingOptions {
  /** A CSS font-family list. */
  readonly fontFamily: string;
  readonly scale: number;
  /**
   * CSS pixels that each cell reaches under its right and lower neighbours, so that viewers of vector pictures show no
   * hairline between two cells.
   */
  readonly overlap: number;
}

/** The chart.js configuration of a picture: one matrix and one pair of axes a panel. */
export function heatmapChart(
  layout: FigureLayout,
  panels: readonly PanelCells[],
  options: DrawingOptions,
): ChartConfiguration<'matrix', MatrixDataPoint[]> {
  const { fontFamily, scale } = options;
  const { tokenSize, labelSize } = layout.style;
  const scales = layout.panels.flatMap((panel, index): [string, AxisOptions][] => [
    [axisIds(index).x, axis('x', panel.columnEdges.length - 1, panel.layerTicks, labelSize, layout, options)],
    [axisIds(index).y, axis('y', panel.rowEdges.length - 1, panel.tokenTicks, tokenSize, layout, options)],
  ]);
  return {
    type: 'matrix',
    data: {
      datasets: layout.panels.flatMap((panel, index) => {
        const shown = panels[index];
        return shown === undefined ? [] : [matrix(panel, shown, axisIds(index), options.overlap)];
      }),
    },
    options: {
      devicePixelRatio: scale,
      events: [],
      layout: { autoPadding: false },
      plugins: { legend: { display: false }, tooltip: { enabled: false } },
      scales: Object.fromEntries(scales),
    },
    plugins: [
      placementPlugin(layout),
      backgroundPlugin(layout),
      framePlugin(layout, scale),
      colorBarPlugin(
        layout,
        panels.map(({ color }) => color),
        scale,
      ),
      textPlugin(layout, fontFamily),
    ],
  };
}

function matrix(
  { plot, columnEdges, rowEdges }: PanelLayout,
  { scores, range, color }: PanelCells,
  axes: { readonly x: string; readonly y: string },
  overlap: number,
): PanelDataset {
  // Cells hang from their top left corner, which may lie up to half a device pixel beside the exact position.
  const columns = intervals(columnEdges, plot.left, plot.width);
  const rows = intervals(rowEdges, plot.top, plot.height);
  const cells = rows.flatMap((row, token) =>
    columns.map((column, layer) => ({ row, column, score: scores[token]?.[layer] ?? range.low })),
  );
  return {
    data: cells.map(({ row, column, score }) => ({ x: column.position, y: row.position, v: score })),
    backgroundColor: cells.map(({ score }) => color(positionInRange(score, range))),
    width: cells.map(({ column }) => column.size + overlap),
    height: cells.map(({ row }) => row.size + overlap),
    anchorX: 'left',
    anchorY: 'top',
    borderWidth: 0,
    clip: 0,
    xAxisID: axes.x,
    yAxisID: axes.y,
  };
}

/** Sizes of the cells along an axis, and their beginnings in the axis' unit, where cell i reaches from i - ½ to i + ½. */
function intervals(
  edges: readonly number[],
  start: number,
  length: number,
): { position: number; size: number }[] {
  const count = edges.length - 1;
  return edges.slice(0, -1).map((edge, index) => ({
    position: ((edge - start) / length) * count - 0.5,
    size: (edges[index + 1] ?? edge) - edge,
  }));
}

function axis(
  direction: 'x' | 'y',
  count: number,
  ticks: readonly AxisTick[],
  fontSize: number,
  { style }: FigureLayout,
  { fontFamily, scale }: DrawingOptions,
): AxisOptions {
  const labels = new Map(ticks.map(({ index, label }) => [index, label]));
  return {
    type: 'linear',
    axis: direction,
    position: direction === 'x' ? 'bottom' : 'left',
    reverse: direction === 'y',
    offset: false,
    min: -0.5,
    max: count - 0.5,
    border: { display: false },
    grid: {
      drawOnChartArea: false,
      tickColor: INK,
      tickLength: style.tickLength,
      tickWidth: lineWidth(0.8, scale),
    },
    ticks: {
      autoSkip: false,
      maxRotation: 0,
      color: INK,
      padding: style.tickPadding,
      font: { family: fontFamily, size: fontSize, lineHeight: LINE_HEIGHT },
      callback: (value) => labels.get(Number(value)) ?? '',
    },
    afterBuildTicks: (scaleToFill) => {
      scaleToFill.ticks = ticks.map(({ index }) => ({ value: index }));
    },
  };
}
