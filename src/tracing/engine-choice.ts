import { CausalTracerError } from '../errors.js';
import { requireOneOf } from '../model/one-of.js';
import type { TracedModel } from '../model/traced-model.js';
import { LAYER_KINDS, type LayerKind } from './hidden-flow.js';

/**
 * How traces are computed: `incremental` computes only what a restored activation changes; `layers` runs whole layers
 * from the first restored one on; `full` runs the whole model for each score. `auto` takes the first that proves
 * itself on the loaded model.
 */
export const ENGINES = ['auto', 'incremental', 'layers', 'full'] as const;
export type EngineRequest = (typeof ENGINES)[number];

/** The engine that traces one kind of layer. */
export interface EngineChoice {
  readonly engine: string;
  /** Why a faster engine was not taken; null where it was, or was not asked for. */
  readonly reason: string | null;
}

export type EngineChoices = ReadonlyMap<LayerKind, EngineChoice>;

/** Type of the package's process warnings; each has a `code`. */
export const WARNING_TYPE = 'CausalTracerWarning';

/** Type and code of the process warning that a slower engine is used than was hoped for. */
export const ENGINE_WARNING = { type: WARNING_TYPE, code: 'ENGINE_STEPPED_DOWN' } as const;

/** @throws CausalTracerError `INVALID_OPTION`, listing the engines. */
export function requireEngine(engine: string): EngineRequest {
  return requireOneOf('engine', engine, ENGINES);
}

/**
 * Has the model prove its engines on random tokens, and chooses one for each kind whose modules it has.
 *
 * @throws CausalTracerError `ENGINE_NOT_PROVEN` if the engine that was asked for gives other numbers than the model.
 */
export async function chooseEngines(model: TracedModel, engine: EngineRequest): Promise<EngineChoices> {
  const found = LAYER_KINDS.flatMap((kind) => {
    const layerModules = findModules(model, kind);
    return layerModules === null ? [] : [{ kind, layerModules }];
  });
  const choices = await model.prepareEngines({
    engine,
    embeddingModule: model.layerConfig.embeddingLayer,
    kinds: found.map(({ layerModules }) => ({ layerModules })),
  });
  return new Map(
    found.flatMap(({ kind }, i) => {
      const choice = choices[i];
      return choice === undefined
        ? []
        : [[kind, { engine: choice.engine, reason: choice.reason === '' ? null : choice.reason }]];
    }),
  );
}

/** Null where the layer config names modules that the model lacks: tracing that kind says so. */
function findModules(model: TracedModel, kind: LayerKind): string[] | null {
  try {
    return model.layerModuleNames(kind);
  } catch (error) {
    if (error instanceof CausalTracerError) return null;
    throw error;
  }
}

/** Warns, once for a model, of the kinds that are not traced by the fastest engine. */
export function warnOfSlowEngines(model: string, choices: EngineChoices): void {
  const kindsOf = new Map<string, LayerKind[]>();
  for (const [kind, { engine, reason }] of choices) {
    if (reason === null) continue;
    const why = `by the engine "${engine}", since a faster one cannot be used: ${reason}`;
    kindsOf.set(why, [...(kindsOf.get(why) ?? []), kind]);
  }
  if (kindsOf.size === 0) return;
  const parts = [...kindsOf].map(([why, kinds]) => `${kinds.join(', ')} ${why}`);
  process.emitWarning(
    `${model} is traced more slowly than other models are: ${parts.join('; ')}. The results are the same.`,
    ENGINE_WARNING,
  );
}
