import type { HiddenFlowOptions } from '../../src/index.js';

export const LONG_PROMPT = 'The Golden Gate Bridge and the tower of the old city stand in the country of';

/** Makes a trace of {@link LONG_PROMPT} that takes about a thousand forward passes. */
export const LONG_TRACE: HiddenFlowOptions = { samples: 40, batchSize: 4, window: 3, kind: 'mlp' };
