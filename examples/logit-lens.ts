// What the model would answer if each layer were its last: its output at the last token is put in place of the last
// layer's, so that the final norm and the vocabulary projection read it (nostalgebraist, "interpreting GPT: the logit
// lens", 2020).
import { TracedModel } from 'causal-tracer';

const [folder = 'models/demo-gpt2', prompt = 'The Eiffel Tower is located in the city of'] =
  process.argv.slice(2);

using model = await TracedModel.load(folder);
const blocks = model.layerModuleNames('hidden');
const lastBlock = blocks.at(-1) ?? '';
const { captured } = await model.run(prompt, { capture: blocks });

process.stdout.write(`${prompt} …\n`);
for (const [layer, block] of blocks.entries()) {
  const hiddenStates = captured.get(block);
  if (hiddenStates === undefined) continue;
  const { logits } = await model.run(prompt, { edits: [{ module: lastBlock, set: hiddenStates }] });
  const scores = logits?.data ?? new Float32Array();
  const best = scores.indexOf(Math.max(...scores));
  process.stdout.write(
    `layer ${String(layer).padStart(2)}: ${JSON.stringify(model.tokenizer.decodeToken(best))}\n`,
  );
}
