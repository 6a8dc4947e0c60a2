import { expect } from 'chai';
import { TracedModel, vectorAt, type Edit, type Tensor } from '../../src/index.js';
import { expectError } from '../support/errors.js';
import { modelFolder, TINY_MODELS } from '../support/models.js';

/** The manifest's summary of a tensor, computed anew; see `manifestSchema`. */
function checksum(data: Float32Array): { mean: number; norm: number; projection: number } {
  let sum = 0;
  let squares = 0;
  let projection = 0;
  data.forEach((value, i) => {
    sum += value;
    squares += value * value;
    projection += value * (Number((BigInt(i) * 2654435761n) % 4294967296n) / 4294967296 - 0.5);
  });
  return { mean: sum / data.length, norm: Math.sqrt(squares), projection };
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).to.equal(b.length);
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (b[i] ?? Number.NaN))), 0);
}

/** Changes that no layer norm takes out again: `[hidden]`, rising from -1. */
function ramp(hidden: number): Float32Array {
  return Float32Array.from({ length: hidden }, (_, i) => i / 4 - 1);
}

for (const name of TINY_MODELS) {
  describe(`forward hooks of ${name}`, () => {
    let model: TracedModel;
    let sites: string[];
    const text = 'The bridge over the river was built by masons';
    let ids: number[];
    before(async () => {
      model = await TracedModel.load(modelFolder(name), { threads: 1 });
      sites = model.sites().map((site) => site.module);
      ids = model.tokenizer.encode(text);
    });
    after(() => {
      model.dispose();
    });

    async function run(
      capture: string[],
      edits: Edit[] = [],
      input: readonly (readonly number[])[] = [ids],
    ): Promise<{ logits: Float32Array; captured: ReadonlyMap<string, Tensor> }> {
      const { logits, captured } = await model.run(input, { capture, edits, logits: 'all' });
      return { logits: logits!.data, captured };
    }

    it('see at every site what PyTorch forward hooks saw at export', async () => {
      const { check } = model.manifest!;
      const { captured } = await run(sites, [], check.inputIds);
      expect(check.sites.map((site) => site.module)).to.have.members(sites);
      for (const site of check.sites) {
        const { data, shape } = captured.get(site.module)!;
        expect(shape, site.module).to.deep.equal(site.shape);
        const found = checksum(data);
        const bound = 1e-5 * site.checksum.norm;
        expect(found.mean, site.module).to.be.closeTo(site.checksum.mean, bound);
        expect(found.norm, site.module).to.be.closeTo(site.checksum.norm, bound);
        expect(found.projection, site.module).to.be.closeTo(site.checksum.projection, bound);
      }
    });

    it('change nothing when every site is overwritten with its own value', async () => {
      const clean = await run(sites);
      for (const site of sites) {
        const { logits } = await run([], [{ module: site, set: clean.captured.get(site)! }]);
        expect(largestDifference(logits, clean.logits), site).to.equal(0);
      }
    });

    it('change only the chosen row and position, and nothing before it', async () => {
      const batch = [ids, ids];
      const clean = await run(sites, [], batch);
      const vocabulary = clean.logits.length / (2 * ids.length);
      const position = 3;
      for (const site of sites) {
        const hidden = clean.captured.get(site)!.shape[2]!;
        const edit = { module: site, rows: [1], positions: [position], add: ramp(hidden) };
        const { logits } = await run([], [edit], batch);
        const start = (ids.length + position) * vocabulary;
        expect(largestDifference(logits.slice(0, start), clean.logits.slice(0, start)), site).to.be.below(
          1e-6,
        );
        expect(largestDifference(logits.slice(start), clean.logits.slice(start)), site).to.be.above(1e-4);
      }
    });

    it('give the clean logits when every corrupted embedding is restored', async () => {
      const embedding = model.layerConfig.embeddingLayer;
      const clean = await run([embedding]);
      const { data, shape } = clean.captured.get(embedding)!;
      const values = ramp(shape[2]!);
      const corrupt: Edit = { module: embedding, positions: [1], add: values };
      const corrupted = await run([embedding], [corrupt]);
      expect(largestDifference(corrupted.logits, clean.logits)).to.be.above(1e-2);
      const sum = Math.fround(data[shape[2]!]! + values[0]!);
      expect(vectorAt(corrupted.captured.get(embedding)!, 0, 1)[0]).to.equal(sum);
      const restored = await run([], [corrupt, { module: embedding, set: clean.captured.get(embedding)! }]);
      expect(largestDifference(restored.logits, clean.logits)).to.equal(0);
    });

    it('name a module that is not there', async () => {
      await expectError(() => run(['no.such']), 'MODULE_NOT_FOUND', 'no.such');
    });
  });
}
