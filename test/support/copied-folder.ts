import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { modelFolder, type TinyModel } from './models.js';

/** Runs `work` on a copy of a tiny model's folder, which is removed afterwards. */
export async function withCopy(name: TinyModel, work: (folder: string) => Promise<void>): Promise<void> {
  const parent = await mkdtemp(path.join(tmpdir(), 'causal-tracer-'));
  try {
    const folder = path.join(parent, name);
    await cp(modelFolder(name), folder, { recursive: true });
    await work(folder);
  } finally {
    await rm(parent, { recursive: true });
  }
}

/** Changes a JSON file in place. */
export async function changeJson(
  file: string,
  change: (content: Record<string, unknown>) => void,
): Promise<void> {
  const content = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  change(content);
  await writeFile(file, JSON.stringify(content));
}
