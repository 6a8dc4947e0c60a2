import { expect } from 'chai';
import { parseHiddenFlow, type HiddenFlow } from '../../src/index.js';
import { expectError } from '../support/errors.js';

const flow: HiddenFlow = {
  scores: [
    [0.1, 0.2],
    [0.3, 1.0000001],
    [0, 0.1],
  ],
  lowScore: 0.1,
  highScore: 0.9,
  inputIds: [4, 5, 6],
  inputTokens: ['The', ' Tower', ' is'],
  subjectRange: [1, 2],
  answer: ' in',
  answerId: 7,
  kind: 'mlp',
  window: 3,
  layerOutputs: { 'h.0.mlp': [[1], [2], [3]] },
  provenance: {
    prompt: 'The Tower is',
    subject: 'Tower',
    samples: 10,
    patchSeed: 1,
    noise: 0.5,
    startLayer: 0,
    endLayer: 2,
    patchSubjectTokensOnly: false,
    engine: 'full',
    engineReason: null,
    device: 'cpu',
    dtype: 'float32',
    family: null,
    modelSha256: 'a'.repeat(64),
    versions: { causalTracer: '0.1.0', libtorch: '2.13.0' },
  },
};

describe('parseHiddenFlow', () => {
  it('takes a flow as it is, with and without layer outputs', () => {
    expect(parseHiddenFlow(JSON.parse(JSON.stringify(flow)))).to.deep.equal(flow);
    const { layerOutputs, ...without } = flow;
    expect(layerOutputs).to.not.equal(undefined);
    expect(parseHiddenFlow(without)).to.deep.equal(without);
  });

  it('takes a flow of a version that did not say why its engine was taken', () => {
    const { engineReason, ...provenance } = flow.provenance;
    expect(engineReason).to.equal(null);
    expect(parseHiddenFlow({ ...flow, provenance })).to.deep.equal(flow);
  });

  for (const [what, changes, part] of [
    ['a kind that is none', { kind: 'heads' }, 'kind'],
    [
      'scores that are no numbers',
      {
        scores: [
          [0.1, null],
          [0, 0],
          [0, 0],
        ],
      },
      'scores.0.1',
    ],
    [
      'scores that are no probabilities',
      {
        scores: [
          [0.1, 2],
          [0, 0],
          [0, 0],
        ],
      },
      'scores.0.1',
    ],
    ['rows of different lengths', { scores: [[0.1, 0.2], [0], [0, 0]] }, 'rows differ'],
    ['too few tokens', { inputTokens: ['The'] }, 'inputTokens: it has 1 entries, but scores has 3 rows'],
    ['a subject past the end', { subjectRange: [1, 4] }, 'subjectRange: [1, 4)'],
    ['an empty subject', { subjectRange: [1, 1] }, 'subjectRange'],
    ['no provenance', { provenance: undefined }, 'provenance'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await expectError(() => parseHiddenFlow({ ...flow, ...changes }), 'FLOW_INVALID', part);
    });
  }

  it('refuses what is no object', async () => {
    for (const value of [null, 3, 'flow', []])
      await expectError(() => parseHiddenFlow(value), 'FLOW_INVALID', 'the whole');
  });
});
