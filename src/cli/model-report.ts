import type { LayerConfig, LayerMatcher } from '../model/layer-config.js';
import type { Site } from '../model/layer-resolution.js';
import type { Manifest } from '../model/manifest.js';
import type { NativeModule } from '../native/binding.js';
import type { CausalTracer } from '../tracing/causal-tracer.js';
import type { EngineChoice } from '../tracing/engine-choice.js';
import type { LayerKind } from '../tracing/hidden-flow.js';
import { causalTracerVersion } from '../version.js';
import { formatTable } from './text-table.js';

/** Everything that `inspect` shows of a model. */
export interface ModelReport {
  readonly model: string;
  /** Null for a bare TorchScript file, as are the other things that only an export records. */
  readonly family: string | null;
  readonly dtype: string;
  /** How the weights were quantized in the file that they come from; null if they were not. */
  readonly quantization: NonNullable<Manifest['quantization']> | null;
  readonly attentionImplementation: string | null;
  readonly layerCount: number;
  readonly hiddenSize: number | null;
  readonly vocabularySize: number;
  readonly maximumPositions: number | null;
  readonly inputs: readonly string[] | null;
  readonly noise: number;
  readonly file: { readonly sha256: string; readonly bytes: number | null };
  readonly versions: {
    readonly causalTracer: string;
    readonly libtorch: string;
    readonly exportedWith: Manifest['versions'] | null;
  };
  readonly device: string;
  /** How each kind of layer is traced. */
  readonly engines: Readonly<Partial<Record<LayerKind, EngineChoice>>>;
  readonly layerConfig: LayerConfig;
  readonly sites: readonly Site[];
  readonly verification: Manifest['verification'] | null;
  /** What was replayed when the model was loaded; a model that differs does not load. */
  readonly check: {
    readonly result: 'equal' | 'none recorded';
    readonly rows: number;
    readonly sites: number;
    readonly tokenizedTexts: number;
  };
  readonly modules: readonly NativeModule[];
}

/** Collects what is known of a loaded model. */
export function reportModel(name: string, { model, noise, engines, layerConfig }: CausalTracer): ModelReport {
  const { manifest } = model;
  return {
    model: name,
    family: manifest?.family ?? null,
    dtype: model.dtype,
    quantization: manifest?.quantization ?? null,
    attentionImplementation: manifest?.attentionImplementation ?? null,
    layerCount: model.layerCount,
    hiddenSize: manifest?.hiddenSize ?? null,
    vocabularySize: model.vocabularySize,
    maximumPositions: model.maximumPositions,
    inputs: manifest?.inputs ?? null,
    noise,
    file: { sha256: model.sha256, bytes: manifest?.model.bytes ?? null },
    versions: {
      causalTracer: causalTracerVersion,
      libtorch: model.libtorchVersion,
      exportedWith: manifest?.versions ?? null,
    },
    device: model.device,
    engines: Object.fromEntries(engines),
    layerConfig,
    sites: model.sites(),
    verification: manifest?.verification ?? null,
    check: {
      result: manifest === null ? 'none recorded' : 'equal',
      rows: manifest?.check.inputIds.length ?? 0,
      sites: manifest?.check.sites.length ?? 0,
      tokenizedTexts: manifest?.tokenizerCheck.length ?? 0,
    },
    modules: model.modules(),
  };
}

/** A report as text for people. */
export function describeModel(report: ModelReport): string {
  return [
    `${report.model}\n${indented(mainRows(report))}`,
    `Layer config\n${indented(layerRows(report))}`,
    `Engines\n${indented(engineRows(report))}`,
    `Checks\n${indented(checkRows(report))}`,
  ].join('\n');
}

function mainRows(report: ModelReport): string[][] {
  const { versions, file, modules } = report;
  const { exportedWith } = versions;
  const hookable = modules.filter(({ unhookable }) => unhookable === '').length;
  const attention =
    report.attentionImplementation === null ? '' : `, ${report.attentionImplementation} attention`;
  const rows: (readonly [string, string | null])[] = [
    ['family', report.family],
    ['computes in', `${report.dtype}${attention}, on ${report.device}`],
    ['quantized', describeQuantization(report)],
    ['layers', String(report.layerCount)],
    ['hidden size', report.hiddenSize === null ? null : String(report.hiddenSize)],
    ['vocabulary', `${report.vocabularySize} tokens`],
    [
      'longest prompt',
      report.maximumPositions === null ? 'no limit known' : `${report.maximumPositions} tokens`,
    ],
    ['inputs', report.inputs?.join(', ') ?? null],
    ['noise', `${report.noise.toPrecision(6)} (three standard deviations of the token embedding's weights)`],
    ['modules', `${modules.length}, of which ${hookable} can be hooked`],
    ['file', `${file.bytes === null ? '' : `${file.bytes} bytes, `}SHA-256 ${file.sha256}`],
    [
      'exported with',
      exportedWith === null
        ? null
        : `causal-tracer ${exportedWith.exporter}, torch ${exportedWith.torch}, transformers ${exportedWith.transformers}`,
    ],
    ['runs on', `causal-tracer ${versions.causalTracer}, libtorch ${versions.libtorch}`],
  ];
  return rows.flatMap(([name, value]) => (value === null ? [] : [[name, value]]));
}

function describeQuantization({ quantization, dtype }: ModelReport): string | null {
  if (quantization === null) return null;
  const { format, type, tensorTypes } = quantization;
  const tensors = Object.entries(tensorTypes).map(([name, count]) => `${count} ${name}`);
  return `${type} in a ${format.toUpperCase()} file (tensors: ${tensors.join(', ')}), here dequantized to ${dtype}`;
}

function layerRows({ layerConfig, sites, layerCount }: ModelReport): string[][] {
  const row = (role: Site['role'], matcher: LayerMatcher): string[] => {
    const named = sites.filter((site) => site.role === role);
    const bad = named.filter(({ problem }) => problem !== '');
    const found = `${named.length - bad.length} of ${role === 'embedding' ? 1 : layerCount} found`;
    const problems = bad.map(({ module, problem }) => `; ${module}: ${problem}`).join('');
    return [role, typeof matcher === 'string' ? matcher : 'a function', `${found}${problems}`];
  };
  return [
    row('hidden', layerConfig.hiddenLayersMatcher),
    row('attention', layerConfig.attentionLayersMatcher),
    row('mlp', layerConfig.mlpLayersMatcher),
    row('embedding', layerConfig.embeddingLayer),
  ];
}

function engineRows({ engines }: ModelReport): string[][] {
  return Object.entries(engines).map(([kind, { engine, reason }]) => [
    kind,
    reason === null ? engine : `${engine}, since a faster one cannot be used: ${reason}`,
  ]);
}

function checkRows({ check, verification }: ModelReport): string[][] {
  if (verification === null)
    return [['none recorded', 'a bare TorchScript file says nothing of what it should compute']];
  const worst = Math.max(...verification.cases.map(({ maximumDifference }) => maximumDifference));
  const cases = verification.cases.map(({ name }) => name).join('; ');
  return [
    ['at export', `equal to the model in Python in ${verification.cases.length} cases: ${cases}`],
    ['', `largest difference ${worst.toExponential(1)}, allowed ${verification.tolerance.toExponential(1)}`],
    [
      'just now',
      `${check.result} to what was recorded: ${check.rows} prompts' logits, ${check.sites} modules' outputs, ` +
        `${check.tokenizedTexts} texts' tokens`,
    ],
  ];
}

function indented(rows: readonly (readonly string[])[]): string {
  return formatTable(rows).replace(/^(?=.)/gm, '  ');
}
