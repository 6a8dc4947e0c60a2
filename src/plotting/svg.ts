import { createHash } from 'node:crypto';

/** What a picture is, for readers that do not see it. */
export interface PictureText {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly description: string;
}

/**
 * Completes an SVG file as the canvas library wrote it: a view box, so that it can be resized; title and description; and
 * ids that depend on nothing but the picture (the library counts them through the whole process) and do not clash with
 * those of another picture in the same page.
 */
export function finishSvg(source: string, { width, height, title, description }: PictureText): Buffer {
  const ids = [...source.matchAll(/ id="([^"]+)"/g)].map((match) => match[1] ?? '');
  const prefix = `heatmap-${contentHash(source.replace(/ id="[^"]+"|url\(#[^)]+\)/g, ''))}`;
  const names = new Map(ids.map((id, index) => [id, `${prefix}-${index + 1}`]));
  const renamed = source
    .replace(/ id="([^"]+)"/g, (_whole, id: string) => ` id="${names.get(id) ?? id}"`)
    .replace(/url\(#([^)]+)\)/g, (_whole, id: string) => `url(#${names.get(id) ?? id})`);
  const text = `<title>${escapeXml(title)}</title>\n<desc>${escapeXml(description)}</desc>`;
  return Buffer.from(
    renamed.replace(/<svg ([^>]*)>/, (_whole, attributes: string) => {
      return `<svg ${attributes} viewBox="0 0 ${width} ${height}" role="img">\n${text}`;
    }),
    'utf8',
  );
}

function contentHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
