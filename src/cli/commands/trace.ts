import path from 'node:path';
import { Command, Option } from 'commander';
import { LAYER_KINDS, type LayerKind } from '../../tracing/hidden-flow.js';
import {
  jsonFileOutput,
  jsonLinesOnStdout,
  pictureOutput,
  terminalOutput,
  type FlowOutput,
} from '../flow-output.js';
import { untilAborted, withInterrupt } from '../interrupt.js';
import { loadTracer, type ModelFlags } from '../load-tracer.js';
import { addModelOptions } from '../model-options.js';
import {
  parseBatchSize,
  parseDecimal,
  parseInteger,
  parseKinds,
  parseWindows,
  windowOf,
  type Windows,
} from '../option-parsers.js';
import { numberedFiles } from '../output-files.js';
import { readQueries, type Query } from '../queries-file.js';
import { detectColorSupport } from '../terminal-colors.js';
import { traceQueries } from '../trace-queries.js';

interface TraceFlags extends ModelFlags {
  readonly prompt?: string;
  readonly subject?: string;
  readonly queries?: string;
  readonly kind: readonly LayerKind[];
  readonly window?: Windows;
  readonly samples?: number;
  readonly batchSize?: number | 'auto';
  readonly patchSeed?: number;
  readonly noise?: number;
  readonly startLayer?: number;
  readonly endLayer?: number;
  readonly subjectTokensOnly?: boolean;
  readonly answer?: string;
  readonly answerId?: number;
  readonly output?: string;
  readonly json?: string;
  readonly title?: string;
  readonly width?: number;
  readonly height?: number;
  readonly scale?: number;
  readonly colorScale?: string;
}

const DESCRIPTION = `Trace which activations make a model give its answer.

The subject's token embeddings are corrupted with noise, which makes the answer less probable. Then one clean activation (or, with --window, those of neighbouring layers) is put back at one token, and the answer's probability is measured again: for every token and every layer. Without --output and --json the result is drawn in the terminal.`;

const EXAMPLES = `
Examples:
  $ causal-tracer trace my-model --prompt "The Colosseum is in the city of"
      Guesses the subject, takes the most probable next token as the answer,
      and draws in the terminal.
  $ causal-tracer trace my-model --prompt "The Eiffel Tower is in" \\
      --subject "Eiffel Tower" --answer Paris -o eiffel.png
      Names subject and answer, and writes a picture.
  $ causal-tracer trace my-model --prompt "The Eiffel Tower is in" \\
      --kind all --window mlp=5,attention=5 -o eiffel.pdf
      Three panels in one picture.
  $ causal-tracer trace my-model --queries facts.jsonl --json results.jsonl \\
      -o "pictures/{n}.png"
      Many prompts: a line of JSON and a picture each, as soon as they are there.

A queries file has a JSON object a line. Only the prompt is needed:
  {"prompt": "The Louvre is in", "subject": "Louvre", "answer": "Paris"}
  {"prompt": "The Colosseum is in the city of", "answerId": 4881}
"text" may stand for "prompt", and "overrideAnswerId" for "answerId".

Pictures of several prompts: "{n}" in the name becomes the prompt's number;
without it the number goes before the ending (out-1.png, out-2.png, ...).
JSON: a file whose name ends with .jsonl or .ndjson, and standard output ("-"),
get one result a line, as soon as it is there. Any other file gets one document
at the end: the result, or an array with --queries or several kinds.
Colors in the terminal: NO_COLOR=1 draws digits, FORCE_COLOR=3 colors always.

Exit status: 0 done; 1 failed, with "error [CODE]: ..." on standard error;
2 wrong usage, such as a window that is no number (a number that is not allowed,
such as a window of 0, is a failure: 1); 130 interrupted.`;

/** `causal-tracer trace`. */
export function traceCommand(): Command {
  const command = new Command('trace')
    .summary('trace a prompt, and draw or save the result')
    .description(DESCRIPTION)
    .argument('<model>', 'a model folder, as "causal-tracer export" writes it, or a TorchScript file')
    .optionsGroup('What to trace:')
    .option('-p, --prompt <text>', 'the prompt; the model is asked for the token after it')
    .option('-s, --subject <text>', 'the words to corrupt (default: the first run of capitalised words)')
    .addOption(
      new Option(
        '--answer <text>',
        'trace this answer, which must be one token (default: the most probable)',
      ).conflicts('answerId'),
    )
    .option('--answer-id <id>', 'trace the answer with this token id', parseInteger)
    .addOption(
      new Option(
        '-q, --queries <file>',
        'read prompts from a JSON Lines file ("-": standard input)',
      ).conflicts(['prompt', 'subject', 'answer', 'answerId']),
    )
    .optionsGroup('How to trace:')
    .addOption(
      new Option(
        '-k, --kind <kinds>',
        'what is restored: hidden, mlp, attention, several with commas, or all',
      )
        .argParser(parseKinds)
        .default(['hidden'], 'hidden'),
    )
    .option(
      '-w, --window <n>',
      'neighbouring layers restored together; for single kinds: mlp=5,attention=5 (default: 1)',
      parseWindows,
    )
    .option('--samples <n>', 'noisy runs averaged in each score (default: 10)', parseInteger)
    .option(
      '--batch-size <n>',
      'runs in flight at once, which bounds the memory (default: auto)',
      parseBatchSize,
    )
    .option('--patch-seed <n>', 'seed of the noise (default: 1)', parseInteger)
    .option(
      '--noise <x>',
      "standard deviation of the noise (default: three of the embedding's weights)",
      parseDecimal,
    )
    .option('--start-layer <n>', 'first layer traced (default: 0)', parseInteger)
    .option('--end-layer <n>', 'one past the last layer traced (default: all)', parseInteger)
    .option('--subject-tokens-only', "restore at the subject's tokens only")
    .optionsGroup('Output:')
    .option('-o, --output <file>', 'write a picture: .png, .svg or .pdf')
    .option('--json <file>', 'write the numbers as JSON ("-": standard output)')
    .option('--title <text>', "the picture's title")
    .option('--width <pixels>', "the picture's width (default: as the layers need)", parseInteger)
    .option('--height <pixels>', "the picture's height (default: as the tokens need)", parseInteger)
    .option('--scale <x>', 'device pixels a pixel of a PNG (default: 3)', parseDecimal)
    .option('--color-scale <name>', 'Purples, Greens, Blues, Viridis, ... (default: by kind)');
  return addModelOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (model: string, flags: TraceFlags) => {
      requireUsage(command, flags);
      await withInterrupt((signal) => runTrace(model, flags, signal));
    });
}

function requireUsage(command: Command, flags: TraceFlags): void {
  const { prompt, queries, output, json, kind, window } = flags;
  if (prompt === undefined && queries === undefined) {
    command.error(
      'error: a prompt is needed: --prompt "The Eiffel Tower is in", or --queries with a file of prompts',
    );
  }
  if (output !== undefined && isSameFile(output, json)) {
    command.error(`error: --output and --json cannot both write to ${output}`);
  }
  if (queries !== undefined && (isSameFile(queries, json) || isSameFile(queries, output))) {
    command.error(`error: the results would overwrite the queries in ${queries}; name another file`);
  }
  const windows = typeof window === 'object' ? window : {};
  const other = LAYER_KINDS.find((each) => each in windows && !kind.includes(each));
  if (other !== undefined) {
    command.error(`error: --window names ${other}, but only ${kind.join(', ')} is traced; see --kind`);
  }
  if (output !== undefined && !/\.(png|svg|pdf)$/i.test(output)) {
    command.error(`error: the name of a picture must end with .png, .svg or .pdf, unlike ${output}`);
  }
}

function isSameFile(one: string, other: string | undefined): boolean {
  return one !== '-' && other !== undefined && path.resolve(one) === path.resolve(other);
}

async function runTrace(model: string, flags: TraceFlags, signal: AbortSignal): Promise<void> {
  const queries = await untilAborted(signal, listQueries(flags));
  const outputs = await openOutputs(flags, queries.length);
  const tracer = await loadTracer(model, flags, signal);
  try {
    const { samples, batchSize, patchSeed, startLayer, endLayer } = flags;
    const setting = {
      kinds: flags.kind,
      windowOf: (kind: LayerKind) => windowOf(flags.window, kind),
      options: {
        samples,
        batchSize,
        patchSeed,
        startLayer,
        endLayer,
        patchSubjectTokensOnly: flags.subjectTokensOnly,
      },
      signal,
    };
    try {
      await traceQueries(tracer, queries, setting, async (flows, prompt) => {
        for (const output of outputs) await output.add(flows, prompt);
      });
    } finally {
      // Results that are there are kept, also where a picture or a later prompt failed.
      for (const output of outputs) await output.end();
    }
  } finally {
    tracer.dispose();
  }
}

async function listQueries({ prompt, subject, answer, answerId, queries }: TraceFlags): Promise<Query[]> {
  if (queries !== undefined) return readQueries(queries);
  return [{ place: null, text: prompt ?? '', subject, answer, answerId }];
}

async function openOutputs(flags: TraceFlags, promptCount: number): Promise<FlowOutput[]> {
  const { output, json, queries, kind, title, width, height, scale, colorScale } = flags;
  const outputs: FlowOutput[] = [];
  if (json === '-') outputs.push(jsonLinesOnStdout());
  else if (json !== undefined) {
    outputs.push(await jsonFileOutput(json, queries !== undefined || kind.length > 1));
  }
  if (output !== undefined) {
    const options = { title, width, height, scale, color: colorScale };
    outputs.push(await pictureOutput(numberedFiles(output, promptCount), options));
  }
  if (outputs.length > 0) return outputs;
  const columns = process.stdout.columns || Number(process.env['COLUMNS']) || 100;
  const colors = detectColorSupport(process.stdout, process.env);
  return [terminalOutput(promptCount, { colors, columns, scale: colorScale })];
}
