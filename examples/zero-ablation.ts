// How much of the answer's probability is left without each layer's MLP: its output is replaced by zeros at all tokens.
import { TracedModel } from 'causal-tracer';

const [folder = 'models/demo-gpt2', prompt = 'The Eiffel Tower is located in the city of'] =
  process.argv.slice(2);

using model = await TracedModel.load(folder);

/** Softmax of the last position's logits. */
function probabilities({ data }: { readonly data: Float32Array }): number[] {
  const largest = Math.max(...data);
  const exponentials = [...data].map((logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}

const clean = await model.run(prompt);
const before = clean.logits === null ? [] : probabilities(clean.logits);
const answer = before.indexOf(Math.max(...before));
const percent = (probability = 0): string => `${(100 * probability).toFixed(1)} %`;

process.stdout.write(`${prompt}${model.tokenizer.decodeToken(answer)}: ${percent(before[answer])}\n`);
for (const [layer, module] of model.layerModuleNames('mlp').entries()) {
  const { logits } = await model.run(prompt, { edits: [{ module, zero: true }] });
  const after = logits === null ? [] : probabilities(logits);
  process.stdout.write(`without the MLP of layer ${String(layer).padStart(2)}: ${percent(after[answer])}\n`);
}
