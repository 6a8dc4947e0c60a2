import { Option, type Command } from 'commander';
import { KERNELS, type KernelRequest } from '../model/traced-model.js';
import { ENGINES, type EngineRequest } from '../tracing/engine-choice.js';
import { parseInteger } from './option-parsers.js';

/** How a command is told to compute. */
export interface EngineFlags {
  readonly engine?: EngineRequest;
  readonly kernels?: KernelRequest;
}

/** Adds the options that say how traces are computed; they change the speed, not the results. */
export function addEngineOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--engine <name>', 'how traces are computed (default: auto, the fastest proven)').choices(
        ENGINES,
      ),
    )
    .addOption(
      new Option('--kernels <name>', 'matrix products (default: auto, the fastest measured)').choices(
        KERNELS,
      ),
    );
}

/** Adds the options of every command that loads a model. */
export function addModelOptions(command: Command): Command {
  command
    .optionsGroup('Model:')
    .option('--device <name>', 'where the model runs: cpu, cuda, cuda:<n> or auto (default: cpu)')
    .option(
      '--threads <n>',
      'threads of one operation (default: the number of processor cores)',
      parseInteger,
    )
    .option(
      '--layer-config <file>',
      "JSON file that names the layers' modules, in place of the model folder's own",
    )
    .option('--tokenizer <path>', 'for a TorchScript file: its tokenizer.json, or the folder that has it')
    .option(
      '--allow-untrusted',
      'load a TorchScript file without checking that it is just a traced model (it is a program: only if you trust its source)',
    );
  return addEngineOptions(command);
}
