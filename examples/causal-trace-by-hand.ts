// A causal trace from forward hooks alone, compared with the package's own: one run for each token and layer, where the
// package needs a fraction of the work.
import { CausalTracer, drawNoise, findTokenRange, vectorAt, type Edit, type Tensor } from 'causal-tracer';

const [
  folder = 'models/demo-gpt2',
  prompt = 'The Eiffel Tower is located in the city of',
  subject = 'The Eiffel Tower',
] = process.argv.slice(2);
const samples = 2;

using tracer = await CausalTracer.load(folder);
const { model } = tracer;
const blocks = model.layerModuleNames('hidden');
const embedding = model.layerConfig.embeddingLayer;

/** The mean probability `[row, token id]` of `answer` over all rows. */
function meanProbability({ data, shape: [rows = 0, vocabulary = 0] }: Tensor, answer: number): number {
  let sum = 0;
  for (let row = 0; row < rows; row += 1) {
    const exponentials = [...data.subarray(row * vocabulary, (row + 1) * vocabulary)].map(Math.exp);
    sum += (exponentials[answer] ?? 0) / exponentials.reduce((total, value) => total + value, 0);
  }
  return sum / rows;
}

/** The last position's logits after `edits` of as many rows as there are samples. */
async function logitsAfter(edits: readonly Edit[]): Promise<Tensor> {
  const rows = Array.from({ length: samples }, () => ids);
  return (await model.run(rows, { edits })).logits ?? { data: new Float32Array(), shape: [] };
}

// 1. The clean run: every layer's output.
const { captured, inputIds } = await model.run(prompt, { capture: [embedding, ...blocks] });
const [ids = []] = inputIds;

// 2. The corruption: noise on the subject's embeddings, [sample, token, hidden].
const [start, end] = findTokenRange(model.tokenizer, ids, subject);
const positions = Array.from({ length: end - start }, (_, i) => start + i);
const hiddenSize = captured.get(embedding)?.shape.at(-1) ?? 0;
const scale = await model.defaultNoise();
const noise = drawNoise({ seed: 1, samples, subjectLength: positions.length, hiddenSize, scale });
const shape = [samples, positions.length, hiddenSize];
const corrupt: Edit = { module: embedding, positions, add: { data: noise, shape } };

// 3. The corrupted runs, with one clean activation restored each time.
const flow = await tracer.calculateHiddenFlow(prompt, { subject, samples });
let largest = 0;
for (const [layer, module] of blocks.entries()) {
  const cleanOutput = captured.get(module);
  if (cleanOutput === undefined) continue;
  for (const token of ids.keys()) {
    const restore: Edit = { module, positions: [token], set: vectorAt(cleanOutput, 0, token) };
    const score = meanProbability(await logitsAfter([corrupt, restore]), flow.answerId);
    largest = Math.max(largest, Math.abs(score - (flow.scores[token]?.[layer] ?? Number.NaN)));
  }
}
process.stdout.write(`${prompt}${flow.answer}: ${flow.scores.flat().length} scores by hand, `);
process.stdout.write(`largest difference ${largest.toExponential(1)}\n`);
