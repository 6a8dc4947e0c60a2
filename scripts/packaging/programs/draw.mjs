// A user's program that draws a result of another day, without tracing anything.
import { plotHiddenFlowHeatmap } from 'causal-tracer';

const flow = {
  scores: [[0.1, 0.4]],
  lowScore: 0.1,
  highScore: 0.5,
  inputIds: [1],
  inputTokens: ['Paris'],
  subjectRange: [0, 1],
  answer: ' France',
  answerId: 2,
  kind: 'hidden',
  window: 1,
  provenance: {
    prompt: 'Paris',
    subject: 'Paris',
    samples: 1,
    patchSeed: 1,
    noise: 0.1,
    startLayer: 0,
    endLayer: 2,
    patchSubjectTokensOnly: false,
    engine: 'full',
    engineReason: null,
    device: 'cpu',
    dtype: 'float32',
    family: null,
    modelSha256: '0'.repeat(64),
    versions: { causalTracer: '0.1.0', libtorch: '2.13.0+cpu' },
  },
};
await plotHiddenFlowHeatmap(flow, { savePath: 'flow.png' });
