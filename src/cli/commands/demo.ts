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

/** One traced kind of a fact. */
interface DemoTrace {
  readonly fact: DemoFact;
  readonly flow: HiddenFlow;
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
    traces.push(...traced);
    pictures.push(...(await drawFact(fact, traced, folder)));
  }
  for (const { name, model, prompt } of DEMO_FACTS) await writeResult(`${name}: ${model}, "${prompt} …"\n`);
  await writeResult(`\n${formatTraces(traces)}\n`);
  await writeResult(`Pictures:\n${pictures.map((picture) => `  ${picture}\n`).join('')}`);
}

async function traceFact(fact: DemoFact, engine: EngineFlags, signal: AbortSignal): Promise<DemoTrace[]> {
  sayOnTerminal(`Loading ${fact.model} …`);
  // More threads are slower for models as small as these.
  const loading = CausalTracer.load(packagePath('models', fact.model), { threads: 1, ...engine });
  const tracer = await untilAborted(signal, loading, (late) => {
    late.dispose();
  });
  const bar = createProgressBar(process.stderr);
  try {
    const traces: DemoTrace[] = [];
    for (const kind of LAYER_KINDS) {
      const started = performance.now();
      const flow = await tracer.calculateHiddenFlow(fact.prompt, {
        subject: fact.subject,
        kind,
        window: DEMO_WINDOWS[kind],
        signal,
        onProgress: ({ done, total }) => {
          bar.update(done, total, `${fact.name}: ${kind}`);
        },
      });
      traces.push({ fact, flow, seconds: (performance.now() - started) / 1000 });
      bar.stop();
      if (flow.answer.trim() !== fact.answer && kind === 'hidden') {
        say(`${fact.model} answers "${flow.answer.trim()}" to "${fact.prompt}", not "${fact.answer}".`);
      }
    }
    return traces;
  } finally {
    bar.stop();
    tracer.dispose();
  }
}

/** Writes a picture a kind and one with all of them; gives their paths. */
async function drawFact(fact: DemoFact, traces: readonly DemoTrace[], folder: string): Promise<string[]> {
  const { plotHiddenFlowHeatmap, plotHiddenFlows } = await import('../../plotting/plot-hidden-flow.js');
  const flows = traces.map(({ flow }) => flow);
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
    'seconds',
  ];
  const rows = traces.map(({ fact, flow, seconds }) => {
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
      seconds.toFixed(1),
    ];
  });
  return formatTable([header, ...rows], [4, 5, 8]);
}
