import { Command, Option } from 'commander';
import { CausalTracerError } from '../../errors.js';
import { loadModelFile } from '../../model/load-model-file.js';
import { openModelSource } from '../../model/model-source.js';
import { loadAddon } from '../../native/addon.js';
import type { NativeModule } from '../../native/binding.js';
import type { CausalTracer } from '../../tracing/causal-tracer.js';
import { untilAborted, withInterrupt } from '../interrupt.js';
import { isFile, loadTracer, type ModelFlags } from '../load-tracer.js';
import { say, writeResult } from '../messages.js';
import { describeModel, type ModelReport, reportModel } from '../model-report.js';
import { addModelOptions } from '../model-options.js';
import { drawModuleTree, listModules } from '../module-listing.js';

type ModuleStyle = 'tree' | 'list';

interface InspectFlags extends ModelFlags {
  readonly modules?: ModuleStyle | true;
  readonly json?: boolean;
}

const DESCRIPTION = `Show what is in a model: its sizes, its layer config and the modules that it names, versions, and the checks.

Loading a model folder replays the check that was recorded at export; a model that computes other numbers is refused.`;

const EXAMPLES = `
Examples:
  $ causal-tracer inspect models/demo-gpt2
  $ causal-tracer inspect models/demo-gpt2 --modules
      All modules, as a tree.
  $ causal-tracer inspect my-model.pt --modules list
      The names in a TorchScript file, to write a layer config from.
  $ causal-tracer inspect models/demo-gpt2 --json`;

/** Failures of a layer config, after which a look at the modules helps. */
const LAYER_FAILURES: readonly string[] = [
  'MODULE_NOT_FOUND',
  'MODULE_NOT_HOOKABLE',
  'LAYER_TEMPLATE_INVALID',
];

/** `causal-tracer inspect`. */
export function inspectCommand(): Command {
  const command = new Command('inspect')
    .summary('show the modules, layer config, versions and check of a model')
    .description(DESCRIPTION)
    .argument('<model>', 'a model folder, or a TorchScript file')
    .addOption(
      new Option('--modules [style]', 'list all modules, as a tree or a list')
        .choices(['tree', 'list'])
        .preset('tree'),
    )
    .option('--json', 'print everything as JSON');
  return addModelOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (model: string, flags: InspectFlags) => {
      await withInterrupt((signal) => runInspect(model, flags, signal));
    });
}

async function runInspect(model: string, flags: InspectFlags, signal: AbortSignal): Promise<void> {
  if (flags.layerConfig === undefined && (await isFile(model))) {
    await showBareModules(model, flags, signal);
    return;
  }
  let tracer: CausalTracer;
  try {
    tracer = await loadTracer(model, flags, signal);
  } catch (error) {
    if (!(error instanceof CausalTracerError && LAYER_FAILURES.includes(error.code))) throw error;
    if (flags.modules !== undefined) {
      const file = (await isFile(model)) ? model : (await openModelSource(model)).modelFile;
      await writeResult(drawModules(await readModules(file, flags, signal), flags.modules));
    }
    throw error;
  }
  try {
    const report = reportModel(model, tracer);
    await writeResult(flags.json === true ? `${JSON.stringify(report, null, 2)}\n` : describe(report, flags));
  } finally {
    tracer.dispose();
  }
}

function describe(report: ModelReport, { modules }: InspectFlags): string {
  const listing = modules === undefined ? '' : `\n${drawModules(report.modules, modules)}`;
  return describeModel(report) + listing;
}

function drawModules(modules: readonly NativeModule[], style: InspectFlags['modules']): string {
  return style === 'list' ? listModules(modules) : drawModuleTree(modules);
}

/** A TorchScript file without a layer config has nothing to show but its modules. */
async function showBareModules(file: string, flags: InspectFlags, signal: AbortSignal): Promise<void> {
  const modules = await readModules(file, flags, signal);
  if (flags.json === true) await writeResult(`${JSON.stringify({ model: file, modules }, null, 2)}\n`);
  else await writeResult(drawModules(modules, flags.modules));
  say(`${file} is a TorchScript file: give --layer-config and --tokenizer to see what they find in it.`);
}

async function readModules(
  file: string,
  { device = 'cpu', threads = 0, allowUntrusted }: ModelFlags,
  signal: AbortSignal,
): Promise<readonly NativeModule[]> {
  const { addon } = loadAddon({ cuda: device !== 'cpu' });
  const options = { path: file, inputs: [], device, allowTf32: false, threads, kernels: 'default' } as const;
  const loading = loadModelFile(addon, options, { allowUntrusted });
  const native = await untilAborted(signal, loading, (late) => {
    late.dispose();
  });
  const { modules } = native;
  native.dispose();
  return modules;
}
