import { createCanvas, PDFDocument, SvgExportFlag, type SKRSContext2D } from '@napi-rs/canvas';
import { CausalTracerError } from '../errors.js';
import type { PictureFormat } from './picture-format.js';
import { withResolution } from './png.js';
import { finishSvg } from './svg.js';

/** What a picture is drawn on. */
export interface SurfaceOptions {
  readonly format: PictureFormat;
  /** In CSS pixels: 96 of them are an inch. */
  readonly width: number;
  readonly height: number;
  /** Device pixels a CSS pixel. */
  readonly scale: number;
  /** What the picture is, for readers that do not see it and for the document's properties. */
  readonly title: string;
  readonly description: string;
}

/** As much of a canvas element as chart.js and chartjs-node-canvas use. */
export interface Surface {
  width: number;
  height: number;
  readonly style: object;
  readonly getContext: (type: '2d') => SKRSContext2D;
  readonly toBuffer: (callback: (error: Error | null, bytes?: Buffer) => void) => void;
}

const PIXELS_PER_INCH = 96;
const POINTS_PER_INCH = 72;

/** An empty surface of a format. */
export function createSurface(options: SurfaceOptions): Surface {
  const surfaces: Readonly<Record<PictureFormat, (options: SurfaceOptions) => Surface>> = {
    png: pngSurface,
    svg: svgSurface,
    pdf: pdfSurface,
  };
  return surfaces[options.format](options);
}

/** Limits of the canvas library (side) and of memory (about half a gigabyte). */
const LARGEST_SIDE = 32_767;
const LARGEST_AREA = 2 ** 27;

function pngSurface({ width, height, scale }: SurfaceOptions): Surface {
  const [columns, rows] = [Math.floor(width * scale), Math.floor(height * scale)];
  if (Math.max(columns, rows) > LARGEST_SIDE || columns * rows > LARGEST_AREA) {
    throw new CausalTracerError(
      'INVALID_OPTION',
      `A PNG of ${columns} x ${rows} pixels is too large. Give a lower scale, width or height, or take svg or pdf.`,
    );
  }
  const canvas = createCanvas(width, height);
  return Object.assign(canvas, {
    style: {},
    toBuffer: (callback: (error: Error | null, bytes?: Buffer) => void): void => {
      // Encoding is left to another thread.
      canvas.encode('png').then(
        (bytes) => callback(null, withResolution(bytes, PIXELS_PER_INCH * scale)),
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
      );
    },
  });
}

function svgSurface(options: SurfaceOptions): Surface {
  const canvas = createCanvas(options.width, options.height, SvgExportFlag.ConvertTextToPaths);
  return vectorSurface(options, canvas.getContext('2d'), () =>
    finishSvg(canvas.getContent().toString('utf8'), options),
  );
}

function pdfSurface(options: SurfaceOptions): Surface {
  const { width, height, title, description } = options;
  const document = new PDFDocument({ title, subject: description, creator: 'causal-tracer' });
  const points = POINTS_PER_INCH / PIXELS_PER_INCH;
  const context = document.beginPage(width * points, height * points) as SKRSContext2D;
  context.scale(points, points);
  return vectorSurface(options, context, () => {
    document.endPage();
    return document.close();
  });
}

/** A canvas in front of a context that draws vector graphics, and knows neither resolution nor clearing. */
function vectorSurface(
  { width, height }: SurfaceOptions,
  context: SKRSContext2D,
  finish: () => Buffer,
): Surface {
  const surface: Surface = {
    width,
    height,
    style: {},
    getContext: () => context,
    toBuffer: (callback) => {
      callback(null, finish());
    },
  };
  const ignore = (): void => undefined;
  // Chart.js scales to device pixels by setting the transform, and clears before drawing and when it is done: in vector
  // graphics the first would undo the unit of the page, and the second would leave a shape or a mask behind.
  Object.defineProperties(context, {
    canvas: { value: surface },
    setTransform: { value: ignore },
    resetTransform: { value: ignore },
    clearRect: { value: ignore },
  });
  return surface;
}
