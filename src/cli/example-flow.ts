import type { HiddenFlow } from '../tracing/hidden-flow.js';

/** A small made-up result, to find out whether pictures can be drawn. */
export const EXAMPLE_FLOW: HiddenFlow = {
  scores: [
    [0.1, 0.2],
    [0.8, 0.3],
    [0.1, 0.7],
  ],
  lowScore: 0.1,
  highScore: 0.9,
  inputIds: [0, 1, 2],
  inputTokens: ['The', ' subject', ' is'],
  subjectRange: [1, 2],
  answer: ' answer',
  answerId: 3,
  kind: 'hidden',
  window: 1,
  provenance: {
    prompt: 'The subject is',
    subject: 'subject',
    samples: 1,
    patchSeed: 1,
    noise: 0.1,
    startLayer: 0,
    endLayer: 2,
    patchSubjectTokensOnly: false,
    engine: 'none',
    engineReason: null,
    device: 'cpu',
    dtype: 'float32',
    family: null,
    modelSha256: '0'.repeat(64),
    versions: { causalTracer: 'none', libtorch: 'none' },
  },
};
