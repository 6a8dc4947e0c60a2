import type { Command } from 'commander';
import { parseInteger } from './option-parsers.js';

/** Adds the options of every command that loads a model. */
export function addModelOptions(command: Command): Command {
  return command
    .optionsGroup('Model:')
    .option('--device <name>', 'where the model runs (default: cpu)')
    .option(
      '--threads <n>',
      'threads of one operation (default: the number of processor cores)',
      parseInteger,
    )
    .option(
      '--layer-config <file>',
      "JSON file that names the layers' modules, in place of the model folder's own",
    )
    .option('--tokenizer <path>', 'for a TorchScript file: its tokenizer.json, or the folder that has it');
}
