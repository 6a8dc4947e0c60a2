// Loads a model on CUDA, which fails, then on the CPU; prints the error's code, then the libtorch of the other.
import { CausalTracerError } from '../../src/errors.js';
import { TracedModel } from '../../src/model/traced-model.js';
import { modelFolder } from './models.js';

const folder = modelFolder('tiny-gpt2');
const error = await TracedModel.load(folder, { device: 'cuda' }).then(
  () => null,
  (reason: unknown) => reason,
);
const model = await TracedModel.load(folder);
const outcome = error instanceof CausalTracerError ? error.code : String(error);
process.stdout.write(`${outcome} ${model.libtorchVersion}\n`);
model.dispose();
