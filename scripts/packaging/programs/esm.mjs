// A user's ES module: traces facts and prints the results as JSON. Its parameter is what scripts/packaging/test/golden.mjs
// makes, with the model's folder in it.
import { CausalTracer, plotHiddenFlowHeatmap } from 'causal-tracer';

const { model, flows, picture } = JSON.parse(process.argv[2]);
const tracer = await CausalTracer.load(model, { threads: 1 });
const results = [];
for (const { prompt, options } of flows) results.push(await tracer.calculateHiddenFlow(prompt, options));
tracer.dispose();
if (picture) await plotHiddenFlowHeatmap(results[0], { savePath: picture });
process.stdout.write(JSON.stringify(results));
