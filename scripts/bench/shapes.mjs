// @ts-check
import { existsSync } from 'node:fs';
import path from 'node:path';
import { buildFolder } from '../setup/paths.mjs';
import { runStep } from '../setup/run.mjs';

/**
 * @typedef {object} Shape of a random model
 * @property {'gpt2' | 'llama'} family
 * @property {number} layers
 * @property {number} width
 * @property {number} heads
 * @property {number} keyValueHeads
 * @property {number} inner width inside the MLP
 * @property {number} vocabulary
 */

/** @type {Shape} */
export const gpt2Shape = {
  ...{ family: 'gpt2', layers: 12, width: 768, heads: 12, keyValueHeads: 12, inner: 3072 },
  vocabulary: 50257,
};
/** @type {Shape} */
export const llamaShape = {
  ...{ family: 'llama', layers: 12, width: 768, heads: 12, keyValueHeads: 4, inner: 2048 },
  vocabulary: 32000,
};
/** @type {Shape} */
export const quickGpt2Shape = {
  ...gpt2Shape,
  layers: 4,
  width: 128,
  heads: 4,
  keyValueHeads: 4,
  inner: 512,
  vocabulary: 2000,
};
/** @type {Shape} */
export const quickLlamaShape = {
  ...llamaShape,
  layers: 4,
  width: 128,
  heads: 4,
  keyValueHeads: 2,
  inner: 344,
  vocabulary: 2000,
};

/** @param {Shape} shape */
export function shapeName({ family, layers, width }) {
  return `${family}-${layers}x${width}`;
}

/** @param {Shape} shape */
export function describeShape({ family, layers, width, heads, keyValueHeads, inner, vocabulary }) {
  const shared = keyValueHeads === heads ? '' : ` over ${keyValueHeads} key-value heads`;
  return (
    `${family === 'gpt2' ? 'GPT-2' : 'Llama'} shape: ${layers} layers, ${width} wide, ${heads} heads${shared}, ` +
    `${inner} inside the MLP, ${vocabulary} tokens, random weights, float32`
  );
}

/**
 * Multiplications (each with its addition) that one token takes in all linear layers of the model, the vocabulary
 * projection included.
 * @param {Shape} shape
 */
export function multiplicationsPerToken({ family, layers, width, heads, keyValueHeads, inner, vocabulary }) {
  const keysAndValues = 2 * width * (width / heads) * keyValueHeads;
  const attention = 2 * width * width + keysAndValues;
  const mlp = (family === 'gpt2' ? 2 : 3) * width * inner;
  return layers * (attention + mlp) + width * vocabulary;
}

/**
 * Multiplications in the linear layers that the Python package takes: it runs the whole model, for every token up to the
 * logits, once clean, and for each sample once corrupted and once for each cell.
 * @param {Shape} shape
 * @param {{ tokens: number, samples: number }} trace of every token and layer
 */
export function packageMultiplications(shape, { tokens, samples }) {
  const rows = 1 + samples * (1 + tokens * shape.layers);
  return rows * tokens * multiplicationsPerToken(shape);
}

/**
 * The folder of a random model, made if it is missing.
 * @param {Shape} shape
 * @param {string} python
 */
export async function ensureModel(shape, python) {
  const folder = path.join(buildFolder, 'bench', shapeName(shape));
  if (existsSync(path.join(folder, 'causal-tracer.json'))) return folder;
  const sizes = [
    ...['--family', shape.family, '--layers', shape.layers, '--width', shape.width, '--heads', shape.heads],
    ...['--key-value-heads', shape.keyValueHeads, '--inner', shape.inner, '--vocabulary', shape.vocabulary],
  ];
  await runStep({
    title: `Make a random model ${shapeName(shape)}`,
    command: python,
    parameters: [path.join('scripts', 'bench', 'make_bench_model.py'), folder, ...sizes.map(String)],
  });
  return folder;
}
