// @ts-check
// Traces with this package, one JSON request a line, and says what each trace took.
//
//     node scripts/bench/trace-server.mjs MODEL_FOLDER LOAD_OPTIONS
//
// LOAD_OPTIONS is JSON. The first line of the answer says what loading took. A request is
// { prompt, kinds: [{ kind, window }, ...], options }; each is one call of the library.
import { statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createInterface } from 'node:readline';
import { projectRoot } from '../setup/paths.mjs';
import { MemoryWatch, residentBytes } from './resident-memory.mjs';

/** @typedef {import('../../src/index.js').HiddenFlow} HiddenFlow */
/** @typedef {{ prompt: string, kinds: { kind: 'hidden' | 'mlp' | 'attention', window: number }[], options: object }} TraceRequest */
/** @typedef {{ seconds: number, multiplications: number, peakBytes: number, flows: HiddenFlow[] }} TraceAnswer `peakBytes`: over the weights */
/** @typedef {{ libtorch: string, loadSeconds: number, weightBytes: number, loadedBytes: number }} LoadAnswer `loadedBytes`: over the weights */

const [folder = '', loadOptions = '{}'] = process.argv.slice(2);
const library = (/** @type {string} */ file) => pathToFileURL(path.join(projectRoot, 'dist', file)).href;
/** @type {typeof import('../../src/index.js')} */
const { CausalTracer } = await import(library('index.js'));
/** @type {typeof import('../../src/native/addon.js')} */
const { loadAddon } = await import(library('native/addon.js'));

/** @param {unknown} answer */
function write(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

/** @param {number} started */
function secondsSince(started) {
  return (performance.now() - started) / 1000;
}

/** @type {import('../../src/index.js').LoadOptions} */
const options = JSON.parse(loadOptions);
loadAddon({ cuda: (options.device ?? 'cpu') !== 'cpu' });
const bytesBefore = residentBytes();
const startedLoading = performance.now();
const tracer = await CausalTracer.load(folder, options);
const loadSeconds = secondsSince(startedLoading);
const weightBytes = statSync(path.join(folder, 'model.pt')).size;
const bytesOfWeights = bytesBefore + weightBytes;
/** @type {LoadAnswer} */
const loaded = {
  libtorch: tracer.model.libtorchVersion,
  ...{ loadSeconds, weightBytes },
  loadedBytes: residentBytes() - bytesOfWeights,
};
write(loaded);

let multiplications = 0;
const traceMany = tracer.model.traceMany.bind(tracer.model);
/** @type {typeof traceMany} */
const countingTraceMany = async (requests, options) => {
  const results = await traceMany(requests, options);
  for (const { work } of results) multiplications += work.multiplications;
  return results;
};
tracer.model.traceMany = countingTraceMany;

for await (const line of createInterface({ input: process.stdin })) {
  /** @type {TraceRequest} */
  const { prompt, kinds, options: traceOptions } = JSON.parse(line);
  multiplications = 0;
  const memory = new MemoryWatch();
  const started = performance.now();
  const flows = await tracer.calculateHiddenFlowKinds(prompt, kinds, traceOptions);
  const seconds = secondsSince(started);
  /** @type {TraceAnswer} */
  const answer = { seconds, multiplications, peakBytes: memory.end() - bytesOfWeights, flows };
  write(answer);
}
tracer.dispose();
