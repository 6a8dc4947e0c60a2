// A user's TypeScript program in CommonJS, checked against the published types, not run.
import { CausalTracer, type HiddenFlow } from 'causal-tracer';
import tracing = require('causal-tracer');

export async function trace(folder: string): Promise<readonly (readonly number[])[]> {
  const tracer = await CausalTracer.load(folder);
  const flow: HiddenFlow = await tracer.calculateHiddenFlow('The Eiffel Tower is located in the city of');
  const same: typeof CausalTracer = tracing.CausalTracer;
  return same === CausalTracer ? flow.scores : [];
}
