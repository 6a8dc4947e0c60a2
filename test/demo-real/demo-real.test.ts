import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import { facts, kinds } from '../../scripts/demo-real/facts.mjs';
import { requireSha256 } from '../../scripts/demo-real/fetch-model.mjs';
import { describeRun } from '../../scripts/demo-real/report.mjs';
import { requireAnswer, requireEqualScores } from '../../scripts/demo-real/trace-facts.mjs';
import { withFolder } from '../support/cli.js';
import { syntheticFlow } from '../plotting/synthetic-flow.js';

const [fact] = facts;
const [hidden, mlp, attention] = kinds as [(typeof kinds)[0], (typeof kinds)[0], (typeof kinds)[0]];

describe('the demo on a real model', () => {
  it('has facts whose subject stands in the prompt', () => {
    expect(facts.length).to.be.at.least(4);
    for (const { prompt, subject } of facts) expect(prompt).to.include(subject);
    expect(new Set(facts.map(({ name }) => name)).size).to.equal(facts.length);
  });

  it('fails where the model answers something else', () => {
    expect(() => {
      requireAnswer(fact, [{ answer: ' Paris' }, { answer: ' Rome' }]);
    }).to.throw('answers " Rome" to "The Eiffel Tower is located in the city of", not "Paris"');
    requireAnswer(fact, [{ answer: ' Paris' }]);
  });

  it('fails where a score is not the Python package’s', () => {
    requireEqualScores(hidden, 1e-5);
    for (const difference of [1.1e-5, Number.NaN]) {
      expect(() => {
        requireEqualScores(hidden, difference);
      }).to.throw(/Scores of hidden differ by/);
    }
  });

  it('refuses a model file with other content', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'model.gguf');
      await writeFile(file, 'abc');
      const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
      await requireSha256(file, sha256);
      await writeFile(file, 'abd');
      let failure = '';
      await requireSha256(file, sha256).catch((error: unknown) => (failure = String(error)));
      expect(failure).to.match(/model\.gguf is not what is expected: its SHA-256 is a52d159f/);
    });
  });

  it('prints each fact, and the comparison with its sums', () => {
    const flow = { ...syntheticFlow(), answer: ' Paris', highScore: 0.7015, lowScore: 0.0312 };
    const text = describeRun({
      manifest: { layerCount: 30, hiddenSize: 576, dtype: 'float32', quantization: { type: 'Q4_1' } },
      libtorch: '2.13.0+cpu',
      versions: { 'causal-tracer': '1.1.0' },
      traced: [{ fact, flows: [flow], seconds: 30.04, picture: 'out/real/eiffel-tower.png' }],
      comparison: [
        { ...hidden, packageSeconds: 50, ownSeconds: 10, difference: 2e-7 },
        { ...mlp, packageSeconds: 60, ownSeconds: 12, difference: 3e-7 },
        { ...attention, packageSeconds: 70, ownSeconds: 8, difference: 1e-7 },
      ],
    });
    expect(text).to.match(/^SmolLM2-135M-Instruct: 30 layers, 576 wide, Q4_1 dequantized to float32$/m);
    expect(text).to.match(/^eiffel-tower +\d+ +Paris +0\.70[12] +0\.031 +30\.0$/m);
    expect(text).to.match(/^mlp, window 10 +60\.0 +12\.0 +5\.0$/m);
    expect(text).to.match(/^together +180\.0 +30\.0 +6\.0$/m);
    expect(text).to.include('Largest difference of a score: 3.0e-7\n');
  });
});
