import path from 'node:path';
import { Command } from 'commander';
import { CausalTracer } from '../../tracing/causal-tracer.js';
import { LAYER_KINDS, type HiddenFlow } from '../../tracing/hidden-flow.js';
import { DEMO_FACTS, DEMO_WINDOWS, type DemoFact } from '../demo-facts.js';
import { answerLabel, bestCell, formatProbability, markedToken } from '../flow-summary.js';
import { untilAborted, withInterrupt } from '../interrupt.js';
import { say, sayOnTerminal, writeResult } from '../messages.js';
import { addEngineOptions, type EngineFlags } from '../model-options.js';
import { requireWritableFile } from '../output-files.js';
import { packagePath } from '../package-root.js';
import { createProgressBar } from '../progress-bar.js';
import { formatTable } from '../text-table.js';

const DESCRIPTION = `Trace known facts on the small models that come with this package, and draw what is found. For each fact: one picture for each kind (hidden, mlp, attention), and one with all three side by side.`;

interface DemoFlags extends EngineFlags {
  readonly output: string;
}

/** A fact, traced in all kinds. */
interface DemoTrace {
  readonly fact: DemoFact;
  readonly flows: readonly HiddenFlow[];
  readonly seconds: number;
}

/** `causal-tracer demo`. */
export function demoCommand(): Command {
  const command = new Command('demo')
    .summary('trace known facts on the models that come with this package')
    .description(DESCRIPTION)
    .option('-o, --output <folder>', 'where the pictures go', 'out');
  return addEngineOptions(command)
    .addHelpText('after', '\nExample:\n  $ causal-tracer demo --output pictures')
    .action(async (flags: DemoFlags) => {
      await withInterrupt((signal) => runDemo(flags, signal));
    });
}

async function runDemo({ output: folder, ...engine }: DemoFlags, signal: AbortSignal): Promise<void> {
  await requireWritableFile(path.join(folder, `${DEMO_FACTS[0]?.name ?? ''}.png`), 'pictures');
  const traces: DemoTrace[] = [];
  const pictures: string[] = [];
  for (const fact of DEMO_FACTS) {
    const traced = await traceFact(fact, engine, signal);
    traces.push(traced);
    pictures.push(...(await drawFact(traced, folder)));
  }
  for (const { fact, seconds } of traces) {
    await writeResult(
      `${fact.name}: ${fact.model}, "${fact.prompt} …", traced in ${seconds.toFixed(1)} seconds\n`,
    );
  }
  await writeResult(`\n${formatTraces(traces)}\n`);
  await writeResult(`Pictures:\n${pictures.map((picture) => `  ${picture}\n`).join('')}`);
}

async function traceFact(fact: DemoFact, engine: EngineFlags, signal: AbortSignal): Promise<DemoTrace> {
  sayOnTerminal(`Loading ${fact.model} …`);
  // More threads are slower for models as small as these.
  const loading = CausalTracer.load(packagePath('models', fact.model), { threads: 1, ...engine });
  const tracer = await untilAborted(signal, loading, (late) => {
    late.dispose();
  });
  const bar = createProgressBar(process.stderr);
  try {
    const kinds = LAYER_KINDS.map((kind) => ({ kind, window: DEMO_WINDOWS[kind] }));
    const started = performance.now();
    const flows = await tracer.calculateHiddenFlowKinds(fact.prompt, kinds, {
      subject: fact.subject,
      signal,
      onProgress: ({ done, total }) => {
        bar.update(done, total, fact.name);
      },
    });
    const seconds = (performance.now() - started) / 1000;
    const answer = flows[0]?.answer.trim() ?? '';
    bar.stop();
    if (answer !== fact.answer) {
      say(`${fact.model} answers "${answer}" to "${fact.prompt}", not "${fact.answer}".`);
    }
    return { fact, flows, seconds };
  } finally {
    bar.stop();
    tracer.dispose();
  }
}

/** Writes a picture a kind and one with all of them; gives their paths. */
async function drawFact({ fact, flows }: DemoTrace, folder: string): Promise<string[]> {
  const { plotHiddenFlowHeatmap, plotHiddenFlows } = await import('../../plotting/plot-hidden-flow.js');
  const pictures: string[] = [];
  for (const flow of flows) {
    const savePath = path.join(folder, `${fact.name}-${flow.kind}.png`);
    await plotHiddenFlowHeatmap(flow, { savePath });
    pictures.push(savePath);
  }
  const savePath = path.join(folder, `${fact.name}.png`);
  await plotHiddenFlows(flows, { savePath, title: `${fact.model}: ${fact.prompt}` });
  return [...pictures, savePath];
}

function formatTraces(traces: readonly DemoTrace[]): string {
  const header = [
    'fact',
    'model',
    'kind',
    'answer',
    'clean',
    'corrupted',
    'best at the subject',
    'best at the last token',
  ];
  const rowOf = (fact: DemoFact, flow: HiddenFlow): string[] => {
    const best = (tokens: readonly [number, number]): string => {
      const { token, layer, score } = bestCell(flow, tokens);
      return `${formatProbability(score)}, ${markedToken(flow, token)}, layer ${layer}`;
    };
    const length = flow.scores.length;
    return [
      fact.name,
      fact.model,
      flow.window === 1 ? flow.kind : `${flow.kind}, window ${flow.window}`,
      answerLabel(flow),
      formatProbability(flow.highScore),
      formatProbability(flow.lowScore),
      best(flow.subjectRange),
      best([length - 1, length]),
    ];
  };
  const rows = traces.flatMap(({ fact, flows }) => flows.map((flow) => rowOf(fact, flow)));
  return formatTable([header, ...rows], [4, 5]);
}
