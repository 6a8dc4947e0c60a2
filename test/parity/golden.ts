import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LayerKind, HiddenFlowOptions, HiddenFlowQuery, TraceOptions } from '../../src/index.js';
import { TINY_MODELS } from '../support/models.js';

/** Models with golden flows: a folder of test/fixtures/models or of models. */
export const FLOW_MODELS = [...TINY_MODELS, 'demo-gpt2', 'demo-llama'] as const;

export type Versions = Readonly<Record<string, string>>;

/** What is kept of a tensor; `samples` are `[index in row-major order, value]`. */
export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly checksum: { readonly mean: number; readonly norm: number; readonly projection: number };
  readonly samples?: readonly (readonly [index: number, value: number])[];
}

export interface GoldenOutcome {
  readonly subjectRange: readonly [number, number];
  readonly answer: string;
  readonly lowScore: number;
  readonly highScore: number;
  readonly scores: readonly (readonly number[])[];
}

export interface GoldenResult extends GoldenOutcome {
  readonly inputIds: readonly number[];
  readonly inputTokens: readonly string[];
  readonly answerId: number;
  readonly layerOutputs?: Readonly<Record<string, GoldenTensor>>;
}

export interface GoldenFlow {
  readonly name: string;
  readonly prompt: string;
  /** Null for the default noise. */
  readonly noise: number | null;
  readonly options: HiddenFlowOptions & {
    readonly kind: LayerKind;
    readonly window: number;
    readonly samples: number;
    readonly startLayer: number;
    readonly patchSubjectTokensOnly: boolean;
  };
  readonly result: GoldenResult;
}

export interface GoldenFlows {
  readonly versions: Versions;
  readonly model: string;
  readonly modelSha256: string;
  readonly layerCount: number;
  readonly defaultNoise: number;
  readonly flows: readonly GoldenFlow[];
  readonly batch: {
    readonly queries: readonly HiddenFlowQuery[];
    readonly options: TraceOptions;
    readonly results: readonly GoldenOutcome[];
  };
  readonly baseOutputs: readonly {
    readonly prompts: readonly string[];
    readonly options: {
      readonly kind: LayerKind;
      readonly batchSize: number;
      readonly answerIdOverrides: readonly (readonly [number, number])[];
    };
    readonly answerIds: readonly number[];
    readonly baseScores: readonly number[];
    readonly layerOutputs: readonly Readonly<Record<string, GoldenTensor>>[];
  }[];
}

export interface GoldenHooks {
  readonly model: string;
  readonly modelSha256: string;
  readonly inputIds: readonly (readonly number[])[];
  readonly logits: GoldenTensor;
  readonly modules: readonly (GoldenTensor & { readonly module: string })[];
  readonly edits: readonly {
    readonly module: string;
    readonly operation: 'add' | 'set';
    readonly row: number;
    readonly position: number;
    readonly logits: GoldenTensor;
  }[];
}

export interface GoldenTokens {
  readonly texts: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly tokens: readonly string[];
  }[];
  readonly ranges: readonly {
    readonly prompt: string;
    readonly subject: string;
    readonly range: readonly [number, number] | null;
  }[];
}

/** Numbers are text, so that JSON does not round them. */
export interface GoldenRandomState {
  readonly cases: readonly {
    readonly seed: number;
    readonly count: number;
    readonly first: readonly string[];
    readonly last: readonly string[];
    readonly sum: string;
  }[];
}

export interface GoldenGuesses {
  readonly guesses: readonly { readonly prompt: string; readonly guess: string | null }[];
}

interface GoldenFiles {
  readonly flows: GoldenFlows;
  readonly hooks: GoldenHooks;
  readonly tokens: GoldenTokens;
  readonly 'random-state': GoldenRandomState;
  readonly guesses: GoldenGuesses;
}

/** Reads what scripts/parity/make_golden.py wrote. */
export function readGolden<Name extends keyof GoldenFiles>(name: Name, model?: string): GoldenFiles[Name] {
  const file = model === undefined ? `${name}.json` : `${name}-${model}.json`;
  const url = new URL(`golden/${file}`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as GoldenFiles[Name];
}

/** Path of a model folder that golden numbers were made of. */
export function goldenModelFolder(model: string): string {
  const parent = model.startsWith('tiny-') ? '../fixtures/models' : '../../models';
  return fileURLToPath(new URL(`${parent}/${model}`, import.meta.url));
}

/** Golden numbers belong to weights: without this a changed model would look like a wrong tracer. */
export function requireSameWeights(golden: { model: string; modelSha256: string }, sha256: string): void {
  if (golden.modelSha256 === sha256) return;
  throw new Error(
    `The golden numbers of ${golden.model} were made with other weights. ` +
      `Make them again: python scripts/parity/make_golden.py ${golden.model}`,
  );
}
