import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { projectRoot, virtualEnvironment, virtualEnvironmentPython } from '../../../scripts/setup/paths.mjs';
import type { ErrorCode } from '../../../src/errors.js';

/** A file of scripts/hostile-models, and how it is refused. */
export interface HostileModel {
  readonly file: string;
  readonly code: ErrorCode;
  /** Words of the message. */
  readonly finding: string;
  /** A file that appears where the model is loaded after all. */
  readonly writes: string | null;
}

/** Has the hostile models made in a new folder, and gives it. */
export async function makeHostileModels(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'causal-tracer-hostile-'));
  const script = path.join(projectRoot, 'scripts', 'hostile-models', 'make_hostile_models.py');
  await promisify(execFile)(virtualEnvironmentPython(virtualEnvironment), [script, folder], {
    env: { ...process.env, OMP_NUM_THREADS: '1' },
  });
  return folder;
}

/** The models in a folder that {@link makeHostileModels} gave. */
export async function listHostileModels(folder: string): Promise<readonly HostileModel[]> {
  return JSON.parse(await readFile(path.join(folder, 'index.json'), 'utf8')) as HostileModel[];
}

export async function removeHostileModels(folder: string): Promise<void> {
  await rm(folder, { recursive: true });
}
