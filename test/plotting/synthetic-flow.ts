import type { HiddenFlow, LayerKind } from '../../src/tracing/hidden-flow.js';

/** What a made-up result looks like; everything has a default. */
export interface SyntheticFlowOptions {
  readonly tokens?: readonly string[];
  readonly layerCount?: number;
  readonly subjectRange?: readonly [start: number, end: number];
  readonly kind?: LayerKind;
  readonly window?: number;
  readonly answer?: string;
  readonly lowScore?: number;
  readonly highScore?: number;
}

export const LANDMARK_TOKENS: readonly string[] = [
  'The', ' E', 'iff', 'el', ' Tower', ' is', ' located', ' in', ' the', ' city', ' of',
]; // prettier-ignore

const FILLER = 'the old clock tower that stands beside a river near some other well known place of'.split(
  ' ',
);

/** Tokens of a longer prompt. */
export function manyTokens(count: number): string[] {
  return Array.from({ length: count }, (_, index) => ` ${FILLER[(index * 7) % FILLER.length] ?? ''}`);
}

/** Deterministic noise in [0, 1). */
function noise(token: number, layer: number): number {
  const x = Math.sin(token * 12.9898 + layer * 78.233) * 43758.5453;
  return x - Math.floor(x);
}

function bump(distance: number, width: number): number {
  return Math.exp(-((distance / width) ** 2));
}

/**
 * A result as causal tracing usually finds it: strong at the last subject token in early to middle layers (hidden and
 * mlp), and at the last token in late layers (hidden and attention).
 */
export function syntheticFlow(options: SyntheticFlowOptions = {}): HiddenFlow {
  const {
    tokens = LANDMARK_TOKENS,
    layerCount = 12,
    subjectRange = [1, 5],
    kind = 'hidden',
    window = kind === 'hidden' ? 1 : 10,
    answer = ' Paris',
    lowScore = 0.0412,
    highScore = 0.9327,
  } = options;
  const early = kind === 'attention' ? 0.1 : 0.85;
  const late = kind === 'mlp' ? 0.12 : 0.95;
  const scores = tokens.map((_, token) =>
    Array.from({ length: layerCount }, (__, layer) => {
      const depth = (layer + 0.5) / layerCount;
      const fromSubject = subjectRange[1] - 1 - token;
      const subject = early * bump(depth - 0.3, 0.3) * (fromSubject >= 0 ? bump(fromSubject, 0.7) : 0);
      const last = late * (1 / (1 + Math.exp((0.62 - depth) * 18))) * (token === tokens.length - 1 ? 1 : 0);
      const share = Math.min(1, Math.max(subject, last) + 0.02 * (noise(token, layer) - 0.4));
      return lowScore + share * (highScore - lowScore);
    }),
  );
  return {
    scores,
    lowScore,
    highScore,
    inputIds: tokens.map((_, index) => 100 + index),
    inputTokens: tokens,
    subjectRange,
    answer,
    answerId: 6342,
    kind,
    window,
    provenance: {
      prompt: tokens.join(''),
      subject: tokens
        .slice(...subjectRange)
        .join('')
        .trim(),
      samples: 10,
      patchSeed: 1,
      noise: 0.1352,
      startLayer: 0,
      endLayer: layerCount,
      patchSubjectTokensOnly: false,
      engine: 'full',
      engineReason: null,
      device: 'cpu',
      dtype: 'float32',
      family: 'gpt2',
      modelSha256: '0'.repeat(64),
      versions: { causalTracer: '0.1.0', libtorch: '2.13.0' },
    },
  };
}
