// Another answer without another prompt: the difference of two subjects' hidden states is added at the subject's last
// token (activation addition; Turner et al., arXiv:2308.10248).
import { findTokenRange, TracedModel, vectorAt } from 'causal-tracer';

const [folder = 'models/demo-gpt2', from = 'The Eiffel Tower', to = 'The Brandenburg Gate'] =
  process.argv.slice(2);
const TEXT = ' is located in the city of';

using model = await TracedModel.load(folder);
const layer = Math.floor(model.layerCount / 3);
const module = model.layerModuleNames('hidden')[layer] ?? '';

/** The hidden state `[hidden]` at the subject's last token, and that token's position. */
async function readSubject(subject: string): Promise<{ position: number; hiddenState: Float32Array }> {
  const { captured, inputIds } = await model.run(subject + TEXT, { capture: [module] });
  const [, end] = findTokenRange(model.tokenizer, inputIds[0] ?? [], subject);
  const hiddenStates = captured.get(module) ?? { data: new Float32Array(), shape: [] };
  return { position: end - 1, hiddenState: vectorAt(hiddenStates, 0, end - 1) };
}

/** The most probable next token. */
function best({ data }: { readonly data: Float32Array }): string {
  return model.tokenizer.decodeToken(data.indexOf(Math.max(...data)));
}

const [source, target] = [await readSubject(from), await readSubject(to)];
const direction = target.hiddenState.map((value, i) => value - (source.hiddenState[i] ?? 0));
const clean = await model.run(from + TEXT);
const steered = await model.run(from + TEXT, {
  edits: [{ module, positions: [source.position], add: direction }],
});
if (clean.logits !== null && steered.logits !== null) {
  process.stdout.write(`${from}${TEXT}${best(clean.logits)}\n`);
  process.stdout.write(`steered at layer ${layer} towards ${to}:${best(steered.logits)}\n`);
}
