import { crc32 } from 'node:zlib';

const SIGNATURE_AND_HEADER_LENGTH = 8 + 25;
const INCHES_PER_METER = 1 / 0.0254;
const UNIT_METER = 1;

/** A PNG with its resolution noted in it (a `pHYs` chunk), so that programs show it in its intended size. */
export function withResolution(png: Buffer, pixelsPerInch: number): Buffer {
  const pixelsPerMeter = Math.round(pixelsPerInch * INCHES_PER_METER);
  const content = Buffer.alloc(4 + 9);
  content.write('pHYs', 0, 'latin1');
  content.writeUInt32BE(pixelsPerMeter, 4);
  content.writeUInt32BE(pixelsPerMeter, 8);
  content.writeUInt8(UNIT_METER, 12);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length - 4);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(content));
  return Buffer.concat([
    png.subarray(0, SIGNATURE_AND_HEADER_LENGTH),
    length,
    content,
    checksum,
    png.subarray(SIGNATURE_AND_HEADER_LENGTH),
  ]);
}
