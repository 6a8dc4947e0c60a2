import path from 'node:path';
import { Command, Option } from 'commander';
import { CausalTracerError } from '../../errors.js';
import { requireTracedModelArchive } from '../../model/archive/check-archive.js';
import { runExporter, type ExportSummary } from '../exporter-process.js';
import { untilAborted, withInterrupt } from '../interrupt.js';
import { say, writeResult } from '../messages.js';
import { requirePython } from '../python.js';
import { sayWarning } from '../warnings.js';

interface ExportFlags {
  readonly python?: string;
  readonly layerConfig?: string;
  readonly dtype?: string;
  readonly attention?: string;
  readonly revision?: string;
  readonly trustRemoteCode?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

const DESCRIPTION = `Make a model folder from a Hugging Face model or a GGUF file, with Python.

The model is traced to TorchScript, and the trace is compared with the model itself on other batch sizes, lengths and paddings; one that differs is not written. The folder then needs no Python any more.`;

const EXAMPLES = `
Examples:
  $ causal-tracer export gpt2 models/gpt2
      From the hub.
  $ causal-tracer export ./my-finetuned-llama models/mine
      From a folder that save_pretrained wrote.
  $ causal-tracer export model.Q4_K_M.gguf models/mine
      From a GGUF file, dequantized to --dtype.
  $ causal-tracer export ./big-model models/big --dtype bfloat16 \\
      --python ~/venv/bin/python

Python is taken from --python, else CAUSAL_TRACER_PYTHON, else the first that has
torch and transformers of: the .venv of this package, the active virtual
environment, python3, python. "causal-tracer doctor" says which one that is.

A layer config names the modules, with {num} in place of the layer:
  {"hiddenLayersMatcher": "transformer.h.{num}",
   "attentionLayersMatcher": "transformer.h.{num}.attn",
   "mlpLayersMatcher": "transformer.h.{num}.mlp",
   "embeddingLayer": "transformer.wte"}
Without one, it is found from the model's family or from its modules.

Only export models that you trust: --trust-remote-code runs Python code of theirs.
Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.`;

/** `causal-tracer export`. */
export function exportCommand(): Command {
  return new Command('export')
    .summary('make a model folder from a Hugging Face model or a GGUF file')
    .description(DESCRIPTION)
    .argument('<model>', 'a local Hugging Face folder, a GGUF file, or a model id on the hub')
    .argument('<out>', 'the model folder to write')
    .option('--python <path>', 'the Python to run the exporter with')
    .option('--layer-config <file>', "JSON file that names the layers' modules (default: found)")
    .addOption(
      new Option('--dtype <type>', 'number format that the model will run in')
        .choices(['float32', 'bfloat16', 'float16'])
        .default('float32'),
    )
    .addOption(
      new Option('--attention <kind>', 'attention implementation (default: sdpa where it works)').choices([
        'sdpa',
        'eager',
      ]),
    )
    .option('--revision <name>', 'branch, tag or commit of a model on the hub')
    .option('--trust-remote-code', "run the model's own Python code")
    .option('--force', 'replace an existing model folder')
    .option('--json', 'print what was written as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (model: string, out: string, flags: ExportFlags) => {
      await withInterrupt((signal) => runExport(model, out, flags, signal));
    });
}

async function runExport(model: string, out: string, flags: ExportFlags, signal: AbortSignal): Promise<void> {
  const python = await untilAborted(signal, requirePython(flags.python));
  say(
    `Exporting with ${python.executable} (torch ${python.torch ?? ''}, transformers ${python.transformers ?? ''})`,
  );
  const summary = await runExporter(
    python.executable,
    exporterParameters(model, out, flags),
    signal,
    (text) => process.stderr.write(text),
  );
  await writeResult(flags.json === true ? `${JSON.stringify(summary)}\n` : describeSummary(summary));
  await warnIfRefused(path.join(summary.out, 'model.pt'));
}

/** The exporter does not know which operators are allowed: better said now than when the model is opened. */
async function warnIfRefused(modelFile: string): Promise<void> {
  try {
    await requireTracedModelArchive(modelFile);
  } catch (error) {
    if (!(error instanceof CausalTracerError) || error.code !== 'MODEL_FILE_UNTRUSTED') throw error;
    sayWarning(error.code, error.message);
  }
}

/** The exporter's command line. */
export function exporterParameters(model: string, out: string, flags: ExportFlags): string[] {
  const values = [
    ['--layer-config', flags.layerConfig],
    ['--dtype', flags.dtype],
    ['--attention', flags.attention],
    ['--revision', flags.revision],
  ] as const;
  return [
    ...values.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])),
    ...(flags.trustRemoteCode === true ? ['--trust-remote-code'] : []),
    ...(flags.force === true ? ['--force'] : []),
    '--',
    model,
    out,
  ];
}

function describeSummary(summary: ExportSummary): string {
  const { out, family, layerCount, hiddenSize, attentionImplementation, bytes } = summary;
  const dtype =
    summary.quantization === null ? summary.dtype : `${summary.dtype} from ${summary.quantization}`;
  return (
    `${out}: ${family}, ${layerCount} layers, hidden size ${hiddenSize}, ${dtype}, ${attentionImplementation} attention, ` +
    `${(bytes / 1e6).toFixed(1)} MB\n` +
    `Equal to the model in Python: largest difference of a logit ${summary.worstDifference.toExponential(1)} ` +
    `(allowed: ${summary.tolerance.toExponential(1)})\n`
  );
}
