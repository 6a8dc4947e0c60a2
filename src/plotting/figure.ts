import type { ChartConfiguration } from 'chart.js';
import type { MatrixDataPoint } from 'chartjs-chart-matrix';
import { heatmapChart, type PanelCells } from './chart-config.js';
import { colorRange, colorScale, KIND_COLOR_SCALES } from './color-scale.js';
import type { PlottedFlow } from './flow-check.js';
import { fontStack, glyphCheck, textMeasure } from './fonts.js';
import { layoutFigure } from './layout.js';
import type { FigureLayout, PanelContent } from './layout-types.js';
import type { ResolvedOptions } from './plot-options.js';
import type { SurfaceOptions } from './surface.js';
import { tokenLabel, tokenLabels, visibleText, type VisibleTextOptions } from './token-labels.js';

/** A picture ready to be drawn. */
export interface Figure {
  readonly layout: FigureLayout;
  readonly chart: ChartConfiguration<'matrix', MatrixDataPoint[]>;
  readonly surface: SurfaceOptions;
}

/** In vector pictures cells reach this many CSS pixels under their neighbours. */
const VECTOR_OVERLAP = 0.3;

/** Lays out a picture of one panel a result. */
export function heatmapFigure(flows: readonly PlottedFlow[], options: ResolvedOptions): Figure {
  const { format, scale, tickInterval, skipFinalLabelsPortion, width, height } = options;
  const fontFamily = fontStack(options.fontFamily);
  const visible: VisibleTextOptions = { canDraw: glyphCheck(fontFamily) };
  const contents = flows.map((flow, index) => panelContent(flow, index, options, visible));
  const layout = layoutFigure(
    contents,
    { ...visible, width, height, scale, title: options.title ?? '', tickInterval, skipFinalLabelsPortion },
    textMeasure(fontFamily),
  );
  const overlap = format === 'png' ? 0 : VECTOR_OVERLAP;
  const cells = flows.map((flow) => panelCells(flow, options));
  const titles = [options.title ?? '', ...contents.map(({ title }) => title)].filter((title) => title !== '');
  return {
    layout,
    chart: heatmapChart(layout, cells, { fontFamily, scale, overlap }),
    surface: {
      format,
      width: layout.width,
      height: layout.height,
      scale,
      title: visibleText(titles.join('; ').replace(/\s+/g, ' ')),
      description: contents.map(describe).join(' '),
    },
  };
}

function panelCells({ scores, lowScore, kind }: PlottedFlow, { color }: ResolvedOptions): PanelCells {
  return { scores, range: colorRange(lowScore, scores), color: colorScale(color ?? KIND_COLOR_SCALES[kind]) };
}

function panelContent(
  flow: PlottedFlow,
  index: number,
  { panelTitles, xLabel }: ResolvedOptions,
  visible: VisibleTextOptions,
): PanelContent {
  const { scores, lowScore, inputTokens, subjectRange, answer, kind } = flow;
  return {
    tokens: tokenLabels(inputTokens, subjectRange, visible),
    subjectRange,
    layerCount: scores[0]?.length ?? 0,
    title: panelTitles?.[index] ?? `Impact of restoring ${kind} after corrupted input`,
    xLabel: xLabel ?? `center of interval of restored ${kind} layers`,
    answer: tokenLabel(answer.trim() === '' ? answer : answer.trim(), visible),
    range: colorRange(lowScore, scores),
  };
}

function describe({ tokens, layerCount, answer, range }: PanelContent): string {
  const words = tokens.map(({ text, mark }) => text + mark).join(' ');
  return (
    `p(${answer}) from ${range.low.toPrecision(3)} to ${range.high.toPrecision(3)} for ${tokens.length} tokens ` +
    `(${words}) and ${layerCount} layers.`
  );
}
