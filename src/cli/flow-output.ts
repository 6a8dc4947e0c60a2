import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CausalTracerError } from '../errors.js';
import type { HeatmapOptions } from '../plotting/plot-options.js';
import type { HiddenFlow } from '../tracing/hidden-flow.js';
import { summarize } from './flow-summary.js';
import { reasonOf } from './json-files.js';
import { say, writeResult } from './messages.js';
import { requireWritableFile } from './output-files.js';
import { drawHiddenFlow, type TerminalHeatmapOptions } from './terminal-heatmap.js';

/** Takes results as they come: those of one prompt at a time, one a kind. */
export interface FlowOutput {
  add(flows: readonly HiddenFlow[], prompt: number): Promise<void>;
  /** Called once, after the last prompt, or after a failure; keeps what was added. */
  end(): Promise<void>;
}

const nothingToEnd = (): Promise<void> => Promise.resolve();

/** Draws results as text on standard output, one below the other. */
export function terminalOutput(promptCount: number, options: TerminalHeatmapOptions): FlowOutput {
  let drawn = 0;
  return {
    async add(flows, prompt) {
      for (const flow of flows) {
        if (drawn > 0) await writeResult('\n');
        drawn += 1;
        if (promptCount > 1) {
          await writeResult(`[${prompt + 1}/${promptCount}] ${JSON.stringify(flow.provenance.prompt)}\n`);
        }
        await writeResult(drawHiddenFlow(flow, options));
      }
    },
    end: nothingToEnd,
  };
}

/**
 * Writes a picture a prompt, with a panel a kind.
 *
 * @param files `[prompt]`
 * @throws CausalTracerError `INVALID_OPTION` or `OUTPUT_NOT_WRITABLE` before anything is traced.
 */
export async function pictureOutput(files: readonly string[], options: HeatmapOptions): Promise<FlowOutput> {
  const { resolveOptions } = await import('../plotting/plot-options.js');
  for (const savePath of files) {
    resolveOptions({ ...options, savePath });
    await requireWritableFile(savePath, 'picture');
  }
  return {
    async add(flows, prompt) {
      const { plotHiddenFlowHeatmap, plotHiddenFlows } = await import('../plotting/plot-hidden-flow.js');
      const savePath = files[prompt];
      const [only, ...others] = flows;
      if (savePath === undefined || only === undefined) return;
      if (others.length === 0) await plotHiddenFlowHeatmap(only, { ...options, savePath });
      else await plotHiddenFlows(flows, { ...options, savePath });
      say(`Wrote ${savePath}`);
      for (const flow of flows) say(`  ${flow.kind}: ${summarize(flow)}`);
    },
    end: nothingToEnd,
  };
}

/** Writes every result to standard output as a line of JSON. */
export function jsonLinesOnStdout(): FlowOutput {
  return {
    async add(flows) {
      for (const flow of flows) await writeResult(`${JSON.stringify(flow)}\n`);
    },
    end: nothingToEnd,
  };
}

/**
 * Writes results to a file: a name that ends with `.jsonl` or `.ndjson` gets a line of JSON as soon as a result is there;
 * any other gets one JSON document at the end.
 *
 * @param asArray whether the document is an array of all results, or the one result itself.
 * @throws CausalTracerError `OUTPUT_NOT_WRITABLE`, if possible before anything is traced.
 */
export async function jsonFileOutput(file: string, asArray: boolean): Promise<FlowOutput> {
  await requireWritableFile(file, 'JSON');
  const write = async (work: () => Promise<void>): Promise<void> => {
    try {
      await mkdir(path.dirname(path.resolve(file)), { recursive: true });
      await work();
    } catch (cause) {
      throw new CausalTracerError(
        'OUTPUT_NOT_WRITABLE',
        `Cannot write the JSON to ${path.resolve(file)}: ${reasonOf(cause)}.`,
        { cause },
      );
    }
  };
  if (/\.(jsonl|ndjson)$/i.test(file)) {
    let started = false;
    return {
      async add(flows) {
        const lines = flows.map((flow) => `${JSON.stringify(flow)}\n`).join('');
        await write(() => (started ? appendFile(file, lines) : writeFile(file, lines)));
        started = true;
      },
      end() {
        if (started) say(`Wrote ${file}`);
        return Promise.resolve();
      },
    };
  }
  const all: HiddenFlow[] = [];
  return {
    add(flows) {
      all.push(...flows);
      return Promise.resolve();
    },
    async end() {
      if (all.length === 0) return;
      const document = asArray ? all : all[0];
      await write(() => writeFile(file, `${JSON.stringify(document, null, 2)}\n`));
      say(`Wrote ${file}`);
    },
  };
}
