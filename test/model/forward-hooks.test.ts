import { expect } from 'chai';
import { TracedModel } from '../../src/model/traced-model.js';
import type { NativeEdit, NativeTensor } from '../../src/native/binding.js';
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

/** Edits that overwrite a module's whole output with `tensor`, `[row, position, hidden]`. */
function setAll(
  module: string,
  { data, shape: [rows = 0, length = 0, hidden = 0] }: NativeTensor,
): NativeEdit[] {
  return Array.from({ length: rows * length }, (_, i) => ({
    module,
    row: Math.floor(i / length),
    position: i % length,
    operation: 'set' as const,
    values: data.slice(i * hidden, (i + 1) * hidden),
  }));
}

for (const name of TINY_MODELS) {
  describe(`forward hooks of ${name}`, () => {
    let model: TracedModel;
    let sites: string[];
    const text = 'The bridge over the river was built by masons';
    let ids: Int32Array;
    before(async () => {
      model = await TracedModel.load(modelFolder(name), { threads: 1 });
      sites = model.sites().map((site) => site.module);
      ids = Int32Array.from(model.tokenizer.encode(text));
    });
    after(() => {
      model.dispose();
    });

    function run(
      capture: string[],
      edits: NativeEdit[] = [],
      inputIds = ids,
      batch = 1,
    ): Promise<{ logits: Float32Array; captured: Readonly<Record<string, NativeTensor>> }> {
      return model
        .run({ inputIds, batch, capture, edits, logits: 'all' })
        .then(({ logits, captured }) => ({ logits: logits!.data, captured }));
    }

    it('see at every site what PyTorch forward hooks saw at export', async () => {
      const { check } = model.manifest!;
      const inputIds = Int32Array.from(check.inputIds.flat());
      const { captured } = await run(sites, [], inputIds, check.inputIds.length);
      expect(check.sites.map((site) => site.module)).to.have.members(sites);
      for (const site of check.sites) {
        const { data, shape } = captured[site.module]!;
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
        const { logits } = await run([], setAll(site, clean.captured[site]!));
        expect(largestDifference(logits, clean.logits), site).to.equal(0);
      }
    });

    it('change only the chosen row and position, and nothing before it', async () => {
      const batch = Int32Array.from([...ids, ...ids]);
      const clean = await run(sites, [], batch, 2);
      const vocabulary = clean.logits.length / batch.length;
      const position = 3;
      for (const site of sites) {
        const hidden = clean.captured[site]!.shape[2]!;
        const values = ramp(hidden);
        const { logits } = await run(
          [],
          [{ module: site, row: 1, position, operation: 'add', values }],
          batch,
          2,
        );
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
      const { shape } = clean.captured[embedding]!;
      const corrupt: NativeEdit = {
        module: embedding,
        row: 0,
        position: 1,
        operation: 'add',
        values: ramp(shape[2]!),
      };
      const corrupted = await run([embedding], [corrupt]);
      expect(largestDifference(corrupted.logits, clean.logits)).to.be.above(1e-2);
      const [first] = ramp(1);
      const before = clean.captured[embedding]!.data[shape[2]!]!;
      expect(corrupted.captured[embedding]!.data[shape[2]!]).to.equal(Math.fround(before + first!));
      const restored = await run([], [corrupt, ...setAll(embedding, clean.captured[embedding]!)]);
      expect(largestDifference(restored.logits, clean.logits)).to.equal(0);
    });

    it('name a module that is not there', async () => {
      await expectError(() => run(['no.such']), 'MODULE_NOT_FOUND', 'no.such');
    });
  });
}
