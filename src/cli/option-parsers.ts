import { InvalidArgumentError } from 'commander';
import { nearestNames } from '../model/near-names.js';
import { LAYER_KINDS, type LayerKind } from '../tracing/hidden-flow.js';

const WHOLE_NUMBER = /^[+-]?\d+$/;
const DECIMAL_NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Text that is no whole number is wrong usage; whether the number is allowed is for the library to say. */
export function parseInteger(text: string): number {
  if (WHOLE_NUMBER.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}

/** Text that is no number is wrong usage; whether the number is allowed is for the library to say. */
export function parseDecimal(text: string): number {
  if (DECIMAL_NUMBER.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a number.');
}

/** `auto`, or a whole number. */
export function parseBatchSize(text: string): number | 'auto' {
  if (text === 'auto') return text;
  if (WHOLE_NUMBER.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number, or auto.');
}

/** One kind, several separated by commas, or `all`, in the order of the panels. */
export function parseKinds(text: string): readonly LayerKind[] {
  if (text === 'all') return LAYER_KINDS;
  const given = text.split(',').map(parseKind);
  return LAYER_KINDS.filter((kind) => given.includes(kind));
}

/** Layers restored together: one number for all kinds, or one for some of them. */
export type Windows = number | Readonly<Partial<Record<LayerKind, number>>>;

/** `5`, or `mlp=5,attention=3`. */
export function parseWindows(text: string): Windows {
  if (!text.includes('=')) return parseInteger(text);
  const windows: Partial<Record<LayerKind, number>> = {};
  for (const part of text.split(',')) {
    const [kind = '', window = ''] = part.split('=', 2);
    windows[parseKind(kind)] = parseInteger(window);
  }
  return windows;
}

/** The window of a kind; 1 where none is given. */
export function windowOf(windows: Windows | undefined, kind: LayerKind): number {
  if (typeof windows === 'number') return windows;
  return windows?.[kind] ?? 1;
}

function parseKind(text: string): LayerKind {
  const found = LAYER_KINDS.find((kind) => kind === text.trim());
  if (found !== undefined) return found;
  const [near] = nearestNames(text, LAYER_KINDS, 1);
  throw new InvalidArgumentError(
    `There is no kind ${JSON.stringify(text)}; did you mean ${near ?? 'hidden'}? The kinds are ${LAYER_KINDS.join(', ')}.`,
  );
}
