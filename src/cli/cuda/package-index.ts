import { z } from 'zod';
import { CausalTracerError } from '../../errors.js';
import type { Wheel } from './wheels.js';

/** The public Python package index; `--index-url` or `PIP_INDEX_URL` name another. */
export const PUBLIC_INDEX = 'https://pypi.org/simple';

/** Where a wheel lies. */
export interface WheelAddress {
  readonly url: string;
  /** In bytes; null if the index does not say. */
  readonly size: number | null;
}

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json';

const pageSchema = z.object({
  files: z.array(z.object({ filename: z.string(), url: z.string(), size: z.number().nullish() })),
});

/**
 * Asks an index of the kind that pip uses (PEP 503 and 691) where a wheel lies. Its hash is not asked: it is pinned.
 *
 * @throws CausalTracerError `DOWNLOAD_FAILED` if the index cannot be read or does not have the wheel.
 */
export async function findWheel(
  { project, file }: Wheel,
  index: string,
  signal: AbortSignal,
): Promise<WheelAddress> {
  const page = `${index.replace(/\/$/, '')}/${project}/`;
  const response = await request(page, { accept: `${JSON_TYPE}, text/html;q=0.5` }, signal);
  const text = await response.text();
  const found = response.headers.get('content-type')?.startsWith(JSON_TYPE)
    ? fromJson(text, file)
    : fromHtml(text, file);
  if (found === null) {
    throw new CausalTracerError(
      'DOWNLOAD_FAILED',
      `${page} has no ${file}. Name another index with --index-url.`,
    );
  }
  return { ...found, url: new URL(found.url, response.url).href };
}

/**
 * Asks for a page or file.
 *
 * @throws CausalTracerError `DOWNLOAD_FAILED` if there is no answer, or one that says no; `signal.reason` when aborted.
 */
export async function request(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { headers, signal });
  } catch (cause) {
    signal.throwIfAborted();
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    throw new CausalTracerError(
      'DOWNLOAD_FAILED',
      `${url} cannot be reached: ${String(reason)}. Without a connection, fetch the wheels elsewhere and use --from.`,
      { cause },
    );
  }
  if (response.ok) return response;
  await response.body?.cancel();
  throw new CausalTracerError('DOWNLOAD_FAILED', `${url} answers with status ${response.status}.`);
}

function fromJson(text: string, file: string): WheelAddress | null {
  const page = pageSchema.safeParse(JSON.parse(text));
  const found = page.data?.files.find(({ filename }) => filename === file);
  return found === undefined ? null : { url: found.url, size: found.size ?? null };
}

function fromHtml(text: string, file: string): WheelAddress | null {
  for (const [, href = ''] of text.matchAll(/<a\s[^>]*href="([^"]+)"/gi)) {
    const url = href.replaceAll('&amp;', '&').replace(/#.*$/, '');
    if (decodeURIComponent(url.slice(url.lastIndexOf('/') + 1)) === file) return { url, size: null };
  }
  return null;
}
