import { expect } from 'chai';
import { TracedModel, vectorAt, type FunctionHook, type Tensor } from '../../src/index.js';
import { expectError } from '../support/errors.js';
import { modelFolder } from '../support/models.js';

const TEXT = 'The bridge over the river';

describe('TracedModel.run', () => {
  let model: TracedModel;
  before(async () => {
    model = await TracedModel.load(modelFolder('tiny-gpt2'), { threads: 1 });
  });
  after(() => {
    model.dispose();
  });

  function difference(a: Tensor, b: Tensor): number {
    expect(a.shape).to.deep.equal(b.shape);
    return a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - (b.data[i] ?? Number.NaN))), 0);
  }

  async function logitsWith(hook: FunctionHook): Promise<Tensor> {
    return (await model.run(TEXT, { hooks: [hook] })).logits!;
  }

  it('takes text, texts, ids and rows of ids', async () => {
    const ids = model.tokenizer.encode(TEXT);
    const { logits, inputIds } = await model.run(TEXT);
    expect(inputIds).to.deep.equal([ids]);
    expect(logits!.shape).to.deep.equal([1, model.vocabularySize]);
    for (const input of [[TEXT], ids, [ids], Int32Array.from(ids)]) {
      expect(difference((await model.run(input)).logits!, logits!)).to.equal(0);
    }
    const two = await model.run([ids, ids], { logits: 'all' });
    expect(two.logits!.shape).to.deep.equal([2, ids.length, model.vocabularySize]);
    expect((await model.run(TEXT, { logits: 'none' })).logits).to.equal(null);
  });

  it('expands a template to the modules of all layers, and tells inputs from outputs', async () => {
    const { captured, capturedInputs } = await model.run(TEXT, {
      capture: [
        'transformer.h.{num}.mlp',
        'transformer.h.{num}.mlp',
        'transformer.h.1',
        { module: 'transformer.h.{num}', at: 'input' },
      ],
    });
    const layers = Array.from({ length: model.layerCount }, (_, i) => i);
    expect([...captured.keys()]).to.deep.equal([
      ...layers.map((layer) => `transformer.h.${layer}.mlp`),
      'transformer.h.1',
    ]);
    expect(difference(capturedInputs.get('transformer.h.2')!, captured.get('transformer.h.1')!)).to.equal(0);
  });

  it('refuses an input that holds ids', async () => {
    const capture = [{ module: 'transformer.wte', at: 'input' as const }];
    await expectError(() => model.run(TEXT, { capture }), 'MODULE_NOT_HOOKABLE', 'whole numbers');
  });

  it('sets, adds, scales and zeroes', async () => {
    const module = 'transformer.h.1.mlp';
    const clean = (await model.run(TEXT, { capture: [module] })).captured.get(module)!;
    const captureWith = async (edit: object): Promise<Tensor> => {
      const run = await model.run(TEXT, { edits: [{ module, ...edit } as never], capture: [module] });
      return run.captured.get(module)!;
    };
    const [, length = 0, hidden = 0] = clean.shape;
    expect([...new Set((await captureWith({ set: 2 })).data)]).to.deep.equal([2]);
    expect([...new Set((await captureWith({ zero: true })).data)]).to.deep.equal([0]);
    const scaled = await captureWith({ scale: 3, positions: [-1] });
    expect([...vectorAt(scaled, 0, -1)]).to.deep.equal(
      [...vectorAt(clean, 0, -1)].map((x) => Math.fround(3 * x)),
    );
    expect([...vectorAt(scaled, 0, 0)]).to.deep.equal([...vectorAt(clean, 0, 0)]);
    const steps = Array.from({ length: hidden }, (_, i) => i);
    const added = await captureWith({ add: steps, positions: [0, 1] });
    expect([...vectorAt(added, 0, 1)]).to.deep.equal(
      [...vectorAt(clean, 0, 1)].map((x, i) => Math.fround(x + i)),
    );
    expect([...vectorAt(added, 0, 2)]).to.deep.equal([...vectorAt(clean, 0, 2)]);
    const set = await captureWith({ set: { data: [5, 6], shape: [2, 1] }, positions: [0, length - 1] });
    expect([vectorAt(set, 0, 0)[0], vectorAt(set, 0, -1)[hidden - 1]]).to.deep.equal([5, 6]);
  });

  describe('a function hook', () => {
    it('sees what passes, in order, and may replace it', async () => {
      const seen: string[] = [];
      const { captured } = await model.run(TEXT, {
        capture: ['transformer.h.{num}'],
        hooks: [
          {
            module: 'transformer.h.{num}',
            forward: ({ shape, data }, { name, layer, at }) => {
              seen.push(`${at} ${name} ${String(layer)}`);
              return layer === 2 ? { shape, data: data.map((x) => x + 1) } : undefined;
            },
          },
          {
            module: 'transformer.h.2',
            at: 'input',
            forward: (_, { name, layer, at }) => {
              seen.push(`${at} ${name} ${String(layer)}`);
            },
          },
        ],
      });
      expect(seen).to.deep.equal([
        'output transformer.h.0 0',
        'output transformer.h.1 1',
        'input transformer.h.2 null',
        'output transformer.h.2 2',
        'output transformer.h.3 3',
        'output transformer.h.4 4',
      ]);
      const clean = await model.run(TEXT, { capture: ['transformer.h.{num}'] });
      expect(difference(captured.get('transformer.h.1')!, clean.captured.get('transformer.h.1')!)).to.equal(
        0,
      );
      const changed = captured.get('transformer.h.2')!.data;
      const expected = clean.captured.get('transformer.h.2')!.data.map((x) => x + 1);
      expect([...changed]).to.deep.equal([...expected]);
    });

    it('equals the native edit that does the same', async () => {
      const module = 'transformer.h.3.attn';
      const byFunction = await logitsWith({
        module,
        forward: ({ data, shape }) => ({ data: data.map((x) => 2 * x), shape }),
      });
      const native = (await model.run(TEXT, { edits: [{ module, scale: 2 }] })).logits!;
      const clean = (await model.run(TEXT)).logits!;
      expect(difference(byFunction, native)).to.equal(0);
      expect(difference(byFunction, clean)).to.be.above(1e-3);
    });

    it('gets a copy, so that writing into it changes nothing', async () => {
      const written = await logitsWith({
        module: 'transformer.h.0',
        forward: ({ data }) => void data.fill(7),
      });
      expect(difference(written, (await model.run(TEXT)).logits!)).to.equal(0);
    });

    it('ends the run with the very error that it throws; the model can be used afterwards', async () => {
      const thrown = new Error('enough');
      const hook: FunctionHook = {
        module: 'transformer.h.1',
        forward: () => {
          throw thrown;
        },
      };
      const error: unknown = await model.run(TEXT, { hooks: [hook] }).catch((caught: unknown) => caught);
      expect(error).to.equal(thrown);
      expect((await model.run(TEXT)).logits!.shape[0]).to.equal(1);
    });

    it('may start other runs, and waits for a busy event loop', async () => {
      let other: Promise<unknown> = Promise.resolve();
      await logitsWith({
        module: 'transformer.h.1',
        forward: () => {
          other = model.run(TEXT, { logits: 'none' });
          const end = Date.now() + 50;
          while (Date.now() < end);
        },
      });
      expect(await other).to.have.property('logits', null);
    });

    it('is not waited for once the run is aborted or the model disposed of', async () => {
      const controller = new AbortController();
      const reason = new Error('stop');
      const abort = (): undefined => {
        controller.abort(reason);
      };
      const hooks: FunctionHook[] = [{ module: 'transformer.h.{num}', forward: abort }];
      const error: unknown = await model
        .run(TEXT, { hooks, signal: controller.signal })
        .catch((caught: unknown) => caught);
      expect(error).to.equal(reason);
      const other = await TracedModel.load(modelFolder('tiny-gpt2'), { threads: 1 });
      await expectError(
        () =>
          other.run(TEXT, {
            hooks: [
              {
                module: 'transformer.h.0',
                forward: () => {
                  other.dispose();
                },
              },
            ],
          }),
        'DISPOSED',
      );
    });

    it('must return a tensor of the same shape, not a promise', async () => {
      const run = (forward: unknown) => (): Promise<Tensor> =>
        logitsWith({ module: 'transformer.h.1', forward: forward as FunctionHook['forward'] });
      await expectError(
        run(() => ({ data: new Float32Array(2), shape: [2] })),
        'INVALID_OPTION',
        'shape [2]',
      );
      await expectError(
        run(() => Promise.resolve()),
        'INVALID_OPTION',
        'promise',
      );
      await expectError(
        run(() => 5),
        'INVALID_OPTION',
        'number',
      );
      await expectError(run(undefined), 'INVALID_OPTION', 'no function "forward"');
    });
  });

  describe('refuses', () => {
    const edit = (fields: object) => (): Promise<unknown> =>
      model.run(TEXT, { edits: [{ module: 'transformer.h.1', ...fields } as never] });

    it('what is no input', async () => {
      await expectError(() => model.run(''), 'EMPTY_PROMPT');
      await expectError(() => model.run([]), 'EMPTY_PROMPT');
      await expectError(() => model.run([[]]), 'EMPTY_PROMPT');
      await expectError(() => model.run([[1, 2], [3]]), 'INVALID_OPTION', '2, 1');
      await expectError(() => model.run([1, -1]), 'INVALID_OPTION', '-1');
      await expectError(() => model.run([model.vocabularySize]), 'INVALID_OPTION', 'no token id');
      await expectError(() => model.run([1.5]), 'INVALID_OPTION', '1.5');
      await expectError(() => model.run(new Array<number>(10_000).fill(1)), 'PROMPT_TOO_LONG', '10000');
      await expectError(() => model.run({} as never), 'INVALID_OPTION', 'list of texts');
      await expectError(() => model.run([null] as never), 'INVALID_OPTION', 'null');
    });

    it('modules that are not there or cannot be hooked, listing near names', async () => {
      const capture = (target: unknown) => (): Promise<unknown> =>
        model.run(TEXT, { capture: [target as string] });
      await expectError(capture('transformer.h.1.mpl'), 'MODULE_NOT_FOUND', 'transformer.h.1.mlp');
      await expectError(capture('transformer.h.{num}.mpl'), 'MODULE_NOT_FOUND', 'transformer.h.{num}.mlp');
      await expectError(
        capture({ module: 'transformer.h.1', at: 'middle' }),
        'INVALID_OPTION',
        "'input' | 'output'",
      );
      await expectError(capture({}), 'INVALID_OPTION');
    });

    it('edits that do not fit', async () => {
      await expectError(edit({}), 'INVALID_OPTION', 'one of set, add, scale, zero, not none');
      await expectError(edit({ set: 1, add: 1 }), 'INVALID_OPTION', 'set and add');
      await expectError(edit({ set: 1, positions: [] }), 'INVALID_OPTION', 'positions');
      await expectError(edit({ set: 1, rows: [0.5] }), 'INVALID_OPTION', 'rows');
      await expectError(edit({ set: 1, rows: [1] }), 'INVALID_OPTION', 'no row 1');
      await expectError(edit({ set: 1, positions: [99] }), 'INVALID_OPTION', 'no position 99');
      await expectError(edit({ set: [1, 2] }), 'INVALID_OPTION', 'values of shape [2]');
      await expectError(edit({ set: { data: [1, 2], shape: [3] } }), 'INVALID_OPTION', '2 values');
      for (const shape of [[-1, -2], [2 ** 31, 2], [0, 2], [1.5], [2 ** 16, 2 ** 16, 2 ** 16, 2 ** 16]]) {
        const tensor = { data: [1, 2], shape };
        await expectError(edit({ set: tensor }), 'INVALID_OPTION', '2 values', JSON.stringify(shape));
      }
      await expectError(edit({ add: { data: [1, 2] } }), 'INVALID_OPTION', 'add of an edit');
      await expectError(edit({ set: undefined }), 'INVALID_OPTION', 'not none');
      await expectError(edit({ set: ['1'] }), 'INVALID_OPTION', 'list of numbers');
      await expectError(edit({ zero: false }), 'INVALID_OPTION', 'zero', 'only be true');
      await expectError(
        edit({ zero: true, positions: [2 ** 32] }),
        'INVALID_OPTION',
        'positions',
        '4294967296',
      );
      await expectError(edit({ zero: true, rows: [-(2 ** 31) - 1] }), 'INVALID_OPTION', 'rows');
      await expectError(() => model.run(TEXT, { logits: 'some' as never }), 'INVALID_OPTION', 'some');
    });

    it('lists and signals that are none', async () => {
      for (const wrong of [{ capture: 'transformer.h.1' }, { edits: {} }, { hooks: 5 }, { signal: {} }]) {
        const [name = ''] = Object.keys(wrong);
        await expectError(() => model.run(TEXT, wrong as never), 'INVALID_OPTION', `${name} must be`);
      }
    });
  });
});
