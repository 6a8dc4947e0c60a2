import { CausalTracerError } from '../errors.js';

/**
 * Names the module of a layer: a template with `{num}` (`transformer.h.{num}.mlp`), or a function of the layer's
 * number, counted from 0.
 */
export type LayerMatcher = string | ((layer: number) => string);

/** Where the traced activations of a model are. */
export interface LayerConfig {
  /** The blocks; their outputs are the residual stream after each layer. */
  readonly hiddenLayersMatcher: LayerMatcher;
  readonly attentionLayersMatcher: LayerMatcher;
  readonly mlpLayersMatcher: LayerMatcher;
  /** The token embedding, whose output is corrupted at the subject's positions. */
  readonly embeddingLayer: string;
}

/** GPT-2 (`GPT2LMHeadModel`). */
export const GPT2_LAYER_CONFIG: LayerConfig = {
  hiddenLayersMatcher: 'transformer.h.{num}',
  attentionLayersMatcher: 'transformer.h.{num}.attn',
  mlpLayersMatcher: 'transformer.h.{num}.mlp',
  embeddingLayer: 'transformer.wte',
};

/** GPT-J (`GPTJForCausalLM`): its modules are named as those of GPT-2. */
export const GPTJ_LAYER_CONFIG: LayerConfig = { ...GPT2_LAYER_CONFIG };

/** Llama, and the many families that name their modules as it does (Mistral, Qwen, Gemma, ...). */
export const LLAMA_LAYER_CONFIG: LayerConfig = {
  hiddenLayersMatcher: 'model.layers.{num}',
  attentionLayersMatcher: 'model.layers.{num}.self_attn',
  mlpLayersMatcher: 'model.layers.{num}.mlp',
  embeddingLayer: 'model.embed_tokens',
};

/** GPT-NeoX and Pythia (`GPTNeoXForCausalLM`). */
export const GPT_NEOX_LAYER_CONFIG: LayerConfig = {
  hiddenLayersMatcher: 'gpt_neox.layers.{num}',
  attentionLayersMatcher: 'gpt_neox.layers.{num}.attention',
  mlpLayersMatcher: 'gpt_neox.layers.{num}.mlp',
  embeddingLayer: 'gpt_neox.embed_in',
};

/** What a module is within its layer. */
export type LayerRole = 'hidden' | 'attention' | 'mlp';
export const LAYER_ROLES: readonly LayerRole[] = ['hidden', 'attention', 'mlp'];

/** The field of a {@link LayerConfig} that names the modules of a role. */
export type MatcherField = `${LayerRole}LayersMatcher`;

export function matcherField(role: LayerRole): MatcherField {
  return `${role}LayersMatcher`;
}

const NUMBER_PLACEHOLDER = '{num}';

/**
 * Checks the form of a layer config that a user gave; whether its modules exist is for `resolveLayers`.
 *
 * @throws CausalTracerError `LAYER_CONFIG_INVALID` for a missing field or one of a wrong type;
 *   `LAYER_TEMPLATE_INVALID` for a template without `{num}`.
 */
export function validateLayerConfig(config: unknown): LayerConfig {
  if (typeof config !== 'object' || config === null) {
    throw new CausalTracerError(
      'LAYER_CONFIG_INVALID',
      `The layer config must be an object with ${[...LAYER_ROLES.map(matcherField), 'embeddingLayer'].join(', ')}, not ${describe(config)}.`,
    );
  }
  const fields = config as Readonly<Record<string, unknown>>;
  const matcher = (field: MatcherField): LayerMatcher => {
    const value = fields[field];
    if (typeof value === 'function') return value as (layer: number) => string;
    if (typeof value !== 'string') {
      throw new CausalTracerError(
        'LAYER_CONFIG_INVALID',
        `The layer config's ${field} must be a template such as "transformer.h.{num}" or a function of the ` +
          `layer's number, not ${describe(value)}.`,
      );
    }
    if (!value.includes(NUMBER_PLACEHOLDER)) {
      throw new CausalTracerError(
        'LAYER_TEMPLATE_INVALID',
        `The layer config's ${field}, "${value}", has no {num}. Write {num} where the layer's number stands in ` +
          'the module name, as in "transformer.h.{num}.mlp".',
      );
    }
    return value;
  };
  const embeddingLayer = fields['embeddingLayer'];
  if (typeof embeddingLayer !== 'string' || embeddingLayer === '') {
    throw new CausalTracerError(
      'LAYER_CONFIG_INVALID',
      `The layer config's embeddingLayer must be the name of the token embedding, such as "transformer.wte", ` +
        `not ${describe(embeddingLayer)}.`,
    );
  }
  return {
    hiddenLayersMatcher: matcher('hiddenLayersMatcher'),
    attentionLayersMatcher: matcher('attentionLayersMatcher'),
    mlpLayersMatcher: matcher('mlpLayersMatcher'),
    embeddingLayer,
  };
}

/**
 * The module name that a matcher gives to a layer.
 *
 * @throws CausalTracerError `LAYER_TEMPLATE_INVALID` if the matcher is a function that gives no string.
 */
export function moduleNameOf(matcher: LayerMatcher, layer: number): string {
  if (typeof matcher === 'string') return matcher.replaceAll(NUMBER_PLACEHOLDER, String(layer));
  const name: unknown = matcher(layer);
  if (typeof name !== 'string') {
    throw new CausalTracerError(
      'LAYER_TEMPLATE_INVALID',
      `A layer matcher function must return a module name, but for layer ${layer} it returned ${describe(name)}.`,
    );
  }
  return name;
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `"${value}"`;
  return value === undefined || value === null ? String(value) : `a value of type ${typeof value}`;
}
