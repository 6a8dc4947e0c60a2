// A user's CommonJS module: the same as esm.mjs, and how long everything took, in milliseconds.
const { performance } = require('node:perf_hooks');

const { model, flows, importsOnly } = JSON.parse(process.argv[2]);
const started = performance.now();
const library = importsOnly ? import('causal-tracer') : require('causal-tracer');
const required = performance.now();

async function main() {
  const { CausalTracer } = await library;
  const tracer = await CausalTracer.load(model, { threads: 1 });
  const loaded = performance.now();
  const results = [await tracer.calculateHiddenFlow(flows[0].prompt, flows[0].options)];
  const traced = performance.now();
  for (const { prompt, options } of flows.slice(1)) {
    results.push(await tracer.calculateHiddenFlow(prompt, options));
  }
  tracer.dispose();
  const parts = performance
    .getEntriesByType('measure')
    .map(({ name, duration }) => [name.replace('causal-tracer: ', ''), duration]);
  const times = { require: required - started, load: loaded - required, trace: traced - loaded };
  process.stdout.write(JSON.stringify({ results, times, parts }));
}

void main();
