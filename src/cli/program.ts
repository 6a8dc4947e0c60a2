import { Command } from 'commander';
import { createColors } from 'picocolors';
import { causalTracerVersion } from '../version.js';
import { demoCommand } from './commands/demo.js';
import { doctorCommand } from './commands/doctor.js';
import { exportCommand } from './commands/export.js';
import { inspectCommand } from './commands/inspect.js';
import { installCommand } from './commands/install.js';
import { traceCommand } from './commands/trace.js';
import { uninstallCommand } from './commands/uninstall.js';
import { detectColorSupport } from './terminal-colors.js';

const DESCRIPTION =
  'Find out which activations, at which layer and token, make a language model give its answer.';

const GETTING_STARTED = `
Getting started:
  $ causal-tracer doctor                 is everything there?
  $ causal-tracer demo                   trace facts on the models that come along
  $ causal-tracer export gpt2 my-gpt2    make a model folder of a Hugging Face model
  $ causal-tracer inspect my-gpt2        what is in it
  $ causal-tracer trace my-gpt2 --prompt "The Colosseum is in the city of"

"causal-tracer <command> --help" explains a command, with examples.
Results go to standard output, messages to standard error.
Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.`;

/** The whole command line. Instead of ending the process, it throws a `CommanderError`. */
export function createProgram(): Command {
  const program = new Command('causal-tracer')
    .description(DESCRIPTION)
    .version(causalTracerVersion, '-V, --version', 'print the version')
    .option('--verbose', 'on failure, say where in the program it came from')
    .helpCommand('help [command]', 'explain a command')
    .addHelpText('after', GETTING_STARTED);
  const commands = [traceCommand, exportCommand, inspectCommand, demoCommand, doctorCommand];
  for (const create of [...commands, installCommand, uninstallCommand]) program.addCommand(create());
  for (const command of [program, ...program.commands]) setUpMessages(command);
  return program;
}

function setUpMessages(command: Command): void {
  const { red } = createColors(detectColorSupport(process.stderr, process.env) !== 'none');
  command
    .exitOverride()
    .optionsGroup('Options:')
    .helpOption('-h, --help', 'explain this command')
    .showHelpAfterError(`(for help: ${pathOf(command)} --help)`)
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      outputError: (text, write) => {
        write(text.replace(/^error:/, red('error:')));
      },
    });
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
