import { expect } from 'chai';
import { CausalTracerError, TracedModel, type HookAt } from '../../src/index.js';
import { Comparison } from '../parity/comparison.js';
import {
  conformanceModelFolder,
  makeConformanceModels,
  readRecord,
  type ConformanceFamily,
} from './conformance-models.js';

/** The vector that the reference adds; see `edit_vector` in scripts/conformance/reference_hooks.py. */
function editVector(size: number): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => (((i * 7) % 11) - 5) / 10);
}

/** What a router hands back first, its logits, nobody uses: tracing drops them, and its weights come first. */
const OTHER_OUTPUT = /\.(gate|router)$/;

/** Modules whose first argument in use is ids, positions or indices. */
const NO_ACTIVATION =
  /(^|[._])(transformer|gpt_neox|biogpt|wte|wpe|embed_in|embed_tokens|embed_positions|word_embeddings|rotary_emb|experts)$/;

const { families } = await makeConformanceModels();
const exported = families.filter(({ refused }) => !refused);
const total = new Comparison();

describe('forward hooks equal those of PyTorch in every family', () => {
  for (const family of exported) it(family.name, () => checkFamily(family));

  after(() => {
    process.stdout.write(`    Largest relative difference: ${total.tensors.toString()}\n`);
  });
});

async function checkFamily(family: ConformanceFamily): Promise<void> {
  const hooks = readRecord(family).hooks!;
  using model = await TracedModel.load(conformanceModelFolder(family), { threads: 1 });
  const inputIds = model.manifest!.check.inputIds;
  const infos = new Map(model.modules().map((info) => [info.name, info]));
  const canHook = (module: string, at: HookAt): boolean => {
    const info = infos.get(module);
    if (info === undefined || info.calls === 0) return false;
    return (at === 'input' ? info.unhookableInput : info.unhookable) === '';
  };
  const seen = hooks.modules.flatMap(({ module, input, output }) => [
    ...(input !== null && canHook(module, 'input') ? [{ module, at: 'input' as const, tensor: input }] : []),
    ...(output !== null && canHook(module, 'output')
      ? [{ module, at: 'output' as const, tensor: output }]
      : []),
  ]);
  const comparison = new Comparison();
  for (const { module, at, tensor } of seen) {
    const isOther = at === 'output' && OTHER_OUTPUT.test(module);
    const capture = [{ module, at }];
    const run = await model.run(inputIds, { capture, logits: 'none' }).catch((error: unknown) => {
      const isRefused = error instanceof CausalTracerError && error.code === 'MODULE_NOT_HOOKABLE';
      if (isRefused && at === 'input' && NO_ACTIVATION.test(module)) return null;
      throw error;
    });
    if (run === null) continue;
    const found = (at === 'input' ? run.capturedInputs : run.captured).get(module);
    if (isOther && found?.shape.join() !== tensor.shape.join()) continue;
    comparison.tensor(`the ${at} of ${module}`, found, tensor);
  }
  for (const { module, at, logits } of hooks.edits) {
    const size = hooks.modules.find((entry) => entry.module === module)?.[at]?.shape.at(-1) ?? 0;
    const edit = { module, at, rows: [hooks.row], positions: [hooks.position], add: editVector(size) };
    const edited = await model.run(inputIds, { edits: [edit], logits: 'all' });
    comparison.tensor(`the logits after an edit of the ${at} of ${module}`, edited.logits!, logits);
  }
  expect(seen.length).to.be.above(model.layerCount * 6);
  expect(hooks.edits).to.have.length(13);
  total.include(comparison, family.name);
  comparison.requireNone();
}
