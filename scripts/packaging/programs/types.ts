// A user's TypeScript program, checked against the published types, not run.
import {
  CausalTracer,
  CausalTracerError,
  ERROR_CODES,
  GPT2_LAYER_CONFIG,
  LAYER_KINDS,
  plotHiddenFlowHeatmap,
  plotHiddenFlows,
  type ErrorCode,
  type HiddenFlow,
  type LayerKind,
  type ModelFiles,
  type TraceProgress,
} from 'causal-tracer';

const prompt = 'The Eiffel Tower is located in the city of';

export async function trace(folder: string): Promise<number> {
  const tracer: CausalTracer = await CausalTracer.load(folder, { threads: 1 });
  const flow: HiddenFlow = await tracer.calculateHiddenFlow(prompt, {
    subject: 'The Eiffel Tower',
    kind: 'hidden',
    window: 1,
    samples: 10,
    onProgress: ({ done, total }: TraceProgress) => done / total,
  });
  const flows: readonly HiddenFlow[] = await tracer.calculateHiddenFlowKinds(
    prompt,
    LAYER_KINDS.map((kind: LayerKind) => ({ kind })),
  );
  const picture: Buffer = await plotHiddenFlowHeatmap(flow, { savePath: 'flow.png' });
  await plotHiddenFlows(flows, { title: flow.answer });
  tracer.dispose();
  return picture.length + (flow.scores[0]?.[0] ?? flow.lowScore);
}

export async function traceBareFile(): Promise<ErrorCode | null> {
  try {
    const files: ModelFiles = { model: 'model.pt', tokenizer: 'tokenizer', layerConfig: GPT2_LAYER_CONFIG };
    const tracer = await CausalTracer.load(files);
    // @ts-expect-error a kind that does not exist
    await tracer.calculateHiddenFlow(prompt, { kind: 'residual' });
    return null;
  } catch (error) {
    return error instanceof CausalTracerError && ERROR_CODES.includes(error.code) ? error.code : null;
  }
}
