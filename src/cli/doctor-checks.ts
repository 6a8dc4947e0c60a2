import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import { loadAddon } from '../native/addon.js';
import { findAddonFiles } from '../native/addon-files.js';
import { LIBTORCH_VERSION } from '../native/libtorch-folder.js';
import type { LibtorchSource } from '../native/libtorch-places.js';
import { searchLibtorch } from '../native/libtorch.js';
import { isCheckout } from '../native/package-root.js';
import { nativeRemedy } from '../native/remedies.js';
import { causalTracerVersion } from '../version.js';
import { checkCuda } from './cuda-check.js';
import { DEMO_FACTS } from './demo-facts.js';
import { packagePath } from './package-root.js';
import { listPythons, neededPackages, pythonRemedy, searchPython } from './python.js';

/** One thing that was looked for. */
export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'missing';
  /** Whether tracing needs it. */
  readonly needed: boolean;
  readonly detail: string;
  /** What else was seen, such as what was not taken. */
  readonly notes: readonly string[];
  /** What to do; null if nothing has to be done. */
  readonly remedy: string | null;
}

const LIBTORCH_SOURCES: Readonly<Record<LibtorchSource, string>> = {
  environment: 'from CAUSAL_TRACER_LIBTORCH',
  cuda: 'fetched for CUDA',
  package: 'from the npm package',
  build: 'chosen by the set-up',
  cache: 'from the cache',
  python: "from Python's torch",
};

/**
 * Looks at everything that the package uses.
 *
 * @param python what `--python` says.
 */
export async function runChecks(python?: string): Promise<Check[]> {
  return [
    checkNode(),
    checkLibtorch(),
    checkAddon(),
    await checkPictures(),
    checkDemoModels(),
    await checkPython(python),
    await checkCuda(),
  ];
}

function found(name: string, detail: string, notes: readonly string[] = []): Check {
  return { name, state: 'ok', needed: true, detail, notes, remedy: null };
}

function missing(name: string, detail: string, remedy: string, notes: readonly string[] = []): Check {
  return { name, state: 'missing', needed: true, detail, notes, remedy };
}

function checkNode(): Check {
  const machine = `${process.platform} ${process.arch}, ${os.availableParallelism()} processors, ${(os.totalmem() / 2 ** 30).toFixed(0)} GiB`;
  const detail = `${process.versions.node} on ${machine}; causal-tracer ${causalTracerVersion}`;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const supported = major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);
  return supported ? found('Node', detail) : missing('Node', detail, `use Node ${enginesRange()}`);
}

/** What package.json says of Node. */
function enginesRange(): string {
  const { engines } = JSON.parse(readFileSync(packagePath('package.json'), 'utf8')) as {
    readonly engines: { readonly node: string };
  };
  return engines.node;
}

function checkLibtorch(): Check {
  const { chosen, rejected } = searchLibtorch();
  const notes = rejected.map((each) => `not ${each.path}: ${each.reason}`);
  if (chosen !== null) {
    const { version, path, source } = chosen;
    return found('libtorch', `${version} in ${path}, ${LIBTORCH_SOURCES[source]}`, notes);
  }
  const remedy = `${nativeRemedy()}\nOr set CAUSAL_TRACER_LIBTORCH to a folder with ${LIBTORCH_VERSION} in lib/.`;
  return missing('libtorch', `no usable ${LIBTORCH_VERSION}`, remedy, notes);
}

function checkAddon(): Check {
  try {
    const { addon: file } = findAddonFiles();
    if (searchLibtorch().chosen === null) {
      return missing('addon', `${file} needs libtorch`, 'see libtorch above');
    }
    const { addon } = loadAddon();
    return found('addon', `${file}, built for libtorch ${addon.builtForLibtorch}`);
  } catch (error) {
    const [detail = '', ...remedy] = messageOf(error).split('\n');
    return missing('addon', detail, remedy.length === 0 ? nativeRemedy() : remedy.join('\n'));
  }
}

async function checkPictures(): Promise<Check> {
  try {
    const { plotHiddenFlowHeatmap } = await import('../plotting/plot-hidden-flow.js');
    const { EXAMPLE_FLOW } = await import('./example-flow.js');
    const bytes = await plotHiddenFlowHeatmap(EXAMPLE_FLOW, { scale: 1 });
    return found('pictures', `canvas and fonts work (drew ${bytes.length} bytes)`);
  } catch (error) {
    return missing(
      'pictures',
      messageOf(error),
      isCheckout()
        ? 'Run "npm ci", which installs @napi-rs/canvas and dejavu-fonts-ttf.'
        : 'Install causal-tracer again, with optional dependencies: they include the binaries of @napi-rs/canvas.',
    );
  }
}

function checkDemoModels(): Check {
  const names = [...new Set(DEMO_FACTS.map(({ model }) => model))];
  const absent = names.filter((name) => !existsSync(packagePath('models', name, 'causal-tracer.json')));
  if (absent.length === 0) return { ...found('demo models', names.join(', ')), needed: false };
  return {
    ...missing(
      'demo models',
      `no ${absent.join(', ')} in ${packagePath('models')}`,
      isCheckout() ? 'Check out the models folder.' : 'Install causal-tracer again.',
    ),
    needed: false,
  };
}

async function checkPython(given: string | undefined): Promise<Check> {
  const { chosen, rejected } = await searchPython(listPythons(given, process.env));
  const notes = rejected.map(({ command, source, reason }) => `not ${command} (${source}): ${reason}`);
  const name = 'Python (only to export models)';
  if (chosen === null) {
    return { ...missing(name, `none that has ${neededPackages()}`, pythonRemedy(), notes), needed: false };
  }
  const { executable, source, version, torch, transformers } = chosen;
  const detail = `${version}, torch ${torch ?? ''}, transformers ${transformers ?? ''}: ${executable} (${source})`;
  return { ...found(name, detail, notes), needed: false };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
