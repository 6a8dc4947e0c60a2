// @ts-check

/** @typedef {{ name: string, prompt: string, subject: string, answer: string }} Fact */
/** @typedef {{ kind: 'hidden' | 'mlp' | 'attention', window: number }} TracedKind */

export const modelName = 'SmolLM2-135M-Instruct';

/**
 * What the model knows. The Python package traces the first one, too.
 * @type {readonly [Fact, ...Fact[]]}
 */
export const facts = [
  {
    name: 'eiffel-tower',
    prompt: 'The Eiffel Tower is located in the city of',
    subject: 'The Eiffel Tower',
    answer: 'Paris',
  },
  {
    name: 'colosseum',
    prompt: 'The Colosseum is located in the city of',
    subject: 'The Colosseum',
    answer: 'Rome',
  },
  {
    name: 'machu-picchu',
    prompt: 'Machu Picchu is located in the country of',
    subject: 'Machu Picchu',
    answer: 'Peru',
  },
  {
    name: 'charles-darwin',
    prompt: 'Charles Darwin developed the theory of',
    subject: 'Charles Darwin',
    answer: 'evolution',
  },
];

/**
 * Contributions of single MLP and attention layers are small.
 * @type {readonly TracedKind[]}
 */
export const kinds = [
  { kind: 'hidden', window: 1 },
  { kind: 'mlp', window: 10 },
  { kind: 'attention', window: 10 },
];

/** Corrupted runs a score. */
export const samples = 10;

/** Threads inside an operator, here and in Python. */
export const threads = 2;

/** The most that a score may differ from the Python package's. */
export const tolerance = 1e-5;
