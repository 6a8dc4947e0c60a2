import { expect } from 'chai';
import { TracedModel } from '../../src/index.js';
import { loadAddon } from '../../src/native/addon.js';
import {
  conformanceModelFolder,
  makeConformanceModels,
  type ConformanceFamily,
} from './conformance-models.js';

const { families } = await makeConformanceModels();
const exported = families.filter(({ refused }) => !refused);

/**
 * The meta device has shapes but no numbers, and refuses to mix with tensors of the CPU: a model whose graph runs there
 * leaves nothing behind on the CPU on its way to a GPU.
 */
describe('every family can leave the CPU', () => {
  for (const family of exported) it(family.name, () => checkFamily(family));
});

async function checkFamily(family: ConformanceFamily): Promise<void> {
  const folder = conformanceModelFolder(family);
  using model = await TracedModel.load(folder, { threads: 1 });
  const native = await loadAddon().addon.loadModel({
    path: `${folder}/model.pt`,
    inputs: model.manifest!.inputs,
    device: 'cpu',
    allowTf32: false,
    threads: 1,
    kernels: 'default',
  });
  try {
    const shape = await native.logitsShapeOnMeta({ batch: 3, length: 7 }, {});
    expect(shape).to.deep.equal([3, 7, model.vocabularySize]);
  } finally {
    native.dispose();
  }
}
