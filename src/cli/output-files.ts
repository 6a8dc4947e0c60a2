import { mkdtemp, open, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { CausalTracerError } from '../errors.js';
import { reasonOf } from './json-files.js';

const NUMBER_PLACEHOLDER = '{n}';

/**
 * The picture files of several prompts: `{n}` in `file` becomes the prompt's number, counted from 1 and padded with zeros to
 * one width; without `{n}` the number goes before the ending. One prompt's file keeps its name.
 */
export function numberedFiles(file: string, count: number): string[] {
  const { dir, name, ext } = path.parse(file);
  const pattern =
    file.includes(NUMBER_PLACEHOLDER) || count === 1
      ? file
      : path.join(dir, `${name}-${NUMBER_PLACEHOLDER}${ext}`);
  const width = String(count).length;
  return Array.from({ length: count }, (_, i) =>
    pattern.replaceAll(NUMBER_PLACEHOLDER, String(i + 1).padStart(width, '0')),
  );
}

/**
 * Checks that a file can be written, or made together with its folders, before long work whose result it is to hold. Nothing
 * is left behind.
 *
 * @param what what the file is, for messages: `picture`.
 * @throws CausalTracerError `OUTPUT_NOT_WRITABLE`.
 */
export async function requireWritableFile(file: string, what: string): Promise<void> {
  const problem = await findProblem(file);
  if (problem === null) return;
  throw new CausalTracerError(
    'OUTPUT_NOT_WRITABLE',
    `Cannot write the ${what} to ${path.resolve(file)}: ${problem}. Choose a file in a folder that you may write to.`,
  );
}

async function findProblem(file: string): Promise<string | null> {
  const found = await statOrNull(file);
  if (found?.isDirectory() === true || /[/\\]$/.test(file)) return 'that is a folder, not a file';
  try {
    if (found === null) return await tryFolder(await nearestExisting(path.dirname(path.resolve(file))));
    await (await open(file, 'r+')).close();
    return null;
  } catch (cause) {
    return reasonOf(cause);
  }
}

/** Makes something in a folder and removes it: only that tells for sure whether it is allowed. */
async function tryFolder(folder: string): Promise<string | null> {
  if ((await statOrNull(folder))?.isDirectory() !== true) return `${folder} is not a folder`;
  try {
    await rmdir(await mkdtemp(path.join(folder, '.causal-tracer-')));
    return null;
  } catch (cause) {
    // Some systems say of a folder that they manage themselves that there is no such file.
    const reason = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'refused' : reasonOf(cause);
    return `nothing can be made in ${folder} (${reason})`;
  }
}

async function nearestExisting(folder: string): Promise<string> {
  let place = folder;
  while ((await statOrNull(place)) === null && path.dirname(place) !== place) place = path.dirname(place);
  return place;
}

async function statOrNull(place: string): Promise<Awaited<ReturnType<typeof stat>> | null> {
  try {
    return await stat(place);
  } catch {
    return null;
  }
}
