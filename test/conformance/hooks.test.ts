import { expect } from 'chai';
import { TracedModel, type HookAt } from '../../src/index.js';
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
  const run = await model.run(inputIds, { capture: seen, logits: 'none' });
  const comparison = new Comparison();
  for (const { module, at, tensor } of seen) {
    const found = (at === 'input' ? run.capturedInputs : run.captured).get(module);
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
