import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { LayerKind } from '../../src/index.js';
import { projectRoot, virtualEnvironment, virtualEnvironmentPython } from '../../scripts/setup/paths.mjs';
import { isQuick } from '../../scripts/setup/quick.mjs';

/** What scripts/conformance/make_models.py writes of every family. */
export interface ConformanceFamily {
  readonly name: string;
  readonly folder: string;
  readonly special: string;
  readonly refused: boolean;
  readonly quick: boolean;
}

/** One trace of the Python package. */
export interface ReferenceFlow {
  readonly prompt: string;
  readonly options: {
    readonly subject: string;
    readonly kind: LayerKind;
    readonly samples: number;
    readonly window: number;
  };
  readonly inputIds: readonly number[];
  readonly subjectRange: readonly [number, number];
  readonly answer: string;
  readonly lowScore: number;
  readonly highScore: number;
  readonly scores: readonly (readonly number[])[];
}

/** A tensor's shape and checksum; see `manifestSchema` in src/model/manifest.ts. */
export interface ReferenceTensor {
  readonly shape: readonly number[];
  readonly checksum: { readonly mean: number; readonly norm: number; readonly projection: number };
}

/** What PyTorch's forward hooks see and do; see scripts/conformance/reference_hooks.py. */
export interface ReferenceHooks {
  /** Of every module that is called: what goes in and comes out at its last call. */
  readonly modules: readonly {
    readonly module: string;
    readonly input: ReferenceTensor | null;
    readonly output: ReferenceTensor | null;
  }[];
  /** Logits `[batch, position, vocabulary]` after a vector is added at `[row, position]`. */
  readonly edits: readonly {
    readonly module: string;
    readonly at: 'input' | 'output';
    readonly logits: ReferenceTensor;
  }[];
  readonly row: number;
  readonly position: number;
}

export interface ConformanceRecord {
  /** The Hugging Face config's `model_type`. */
  readonly family: string;
  /** Of models that are exported. */
  readonly flows?: readonly ReferenceFlow[];
  readonly hooks?: ReferenceHooks;
  /** Of models that the exporter refuses. */
  readonly refusal?: { readonly code: string; readonly message: string };
}

export interface ConformanceModels {
  readonly families: readonly ConformanceFamily[];
  /** Why the models could not be made; empty if they were. */
  readonly problem: string;
}

export const conformanceFolder = fileURLToPath(new URL('../../build/conformance', import.meta.url));

let made: Promise<ConformanceModels> | undefined;

/** Makes what is missing of the models, once, and lists the families of this run. */
export function makeConformanceModels(): Promise<ConformanceModels> {
  made ??= make();
  return made;
}

async function make(): Promise<ConformanceModels> {
  const parameters = ['--out', conformanceFolder, ...(isQuick() ? ['--quick'] : [])];
  const problem = await runConformanceScript('make_models.py', parameters);
  if (problem !== '') return { families: [], problem };
  const index = readJson('index.json') as ConformanceFamily[];
  return { families: index.filter(({ quick }) => quick || !isQuick()), problem };
}

/** Runs a script of scripts/conformance, and returns what went wrong; empty if nothing did. */
export async function runConformanceScript(name: string, parameters: readonly string[]): Promise<string> {
  const script = path.join(projectRoot, 'scripts', 'conformance', name);
  try {
    await promisify(execFile)(virtualEnvironmentPython(virtualEnvironment), [script, ...parameters], {
      env: { ...process.env, OMP_NUM_THREADS: '1' },
    });
    return '';
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    return `${error instanceof Error ? error.message : String(error)}\n${stderr}`;
  }
}

/** Path of an exported family's model folder. */
export function conformanceModelFolder({ folder }: ConformanceFamily): string {
  return path.join(conformanceFolder, folder);
}

export function readRecord({ folder }: ConformanceFamily): ConformanceRecord {
  return readJson(`${folder}.json`) as ConformanceRecord;
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(path.join(conformanceFolder, file), 'utf8'));
}
