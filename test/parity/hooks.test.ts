import { expect } from 'chai';
import { TracedModel } from '../../src/index.js';
import { TINY_MODELS } from '../support/models.js';
import { Comparison } from './comparison.js';
import { goldenModelFolder, readGolden, requireSameWeights } from './golden.js';

/** The vector that the golden edits add or set; see `edit_vector` in scripts/parity/golden_hooks.py. */
function editVector(size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => (((i * 7) % 11) - 5) / 10);
}

for (const name of TINY_MODELS) {
  describe(`hooks on every module of ${name} equal PyTorch forward hooks`, () => {
    const golden = readGolden('hooks', name);
    const { inputIds } = golden;
    const total = new Comparison();
    let model: TracedModel;
    before(async () => {
      model = await TracedModel.load(goldenModelFolder(name), { threads: 1 });
      requireSameWeights(golden, model.sha256);
    });
    after(() => {
      model.dispose();
    });

    it('can be set on each module that PyTorch calls', () => {
      const hookable = model
        .modules()
        .filter(({ calls, unhookable }) => calls > 0 && unhookable === '')
        .map((module) => module.name);
      expect(hookable).to.include.members(golden.modules.map(({ module }) => module));
    });

    it('see the same outputs, all in one run', async () => {
      const capture = golden.modules.map(({ module }) => module);
      const { captured, logits } = await model.run(inputIds, { capture, logits: 'all' });
      const comparison = new Comparison();
      comparison.tensor('logits', logits!, golden.logits);
      for (const expected of golden.modules) {
        comparison.tensor(expected.module, captured.get(expected.module), expected);
      }
      total.include(comparison, 'outputs');
      comparison.requireNone();
    });

    it('change the logits in the same way, one module at a time', async () => {
      const sizes = new Map(golden.modules.map(({ module, shape }) => [module, shape.at(-1)!]));
      const comparison = new Comparison();
      for (const { module, operation, row, position, logits: expected } of golden.edits) {
        const values = editVector(sizes.get(module)!);
        const place = { module, rows: [row], positions: [position] };
        const edit = operation === 'add' ? { ...place, add: values } : { ...place, set: values };
        const { logits } = await model.run(inputIds, { edits: [edit], logits: 'all' });
        comparison.tensor(`logits after ${operation} at ${module}`, logits!, expected);
      }
      expect(golden.edits).to.have.length(2 * golden.modules.length);
      total.include(comparison, 'edits');
      comparison.requireNone();
    });

    it('worst difference', function () {
      expect(total.tensors.compared).to.be.above(golden.modules.length);
      this.test!.title = `worst difference, relative: ${total.tensors.toString()}`;
    });
  });
}
