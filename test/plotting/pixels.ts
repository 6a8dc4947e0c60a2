import { createCanvas, loadImage } from '@napi-rs/canvas';

/** The pixels of a picture. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** The color of a device pixel as `#rrggbb`. */
  readonly colorAt: (x: number, y: number) => string;
  /** Whether a device pixel is not plain white. */
  readonly isInk: (x: number, y: number) => boolean;
}

/** Decodes a PNG or SVG. */
export async function decode(bytes: Buffer): Promise<Pixels> {
  const image = await loadImage(bytes);
  const { width, height } = image;
  const context = createCanvas(width, height).getContext('2d');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const colorAt = (x: number, y: number): string => {
    const start = (y * width + x) * 4;
    return `#${Buffer.from(data.subarray(start, start + 3)).toString('hex')}`;
  };
  return { width, height, colorAt, isInk: (x, y) => colorAt(x, y) !== '#ffffff' };
}
