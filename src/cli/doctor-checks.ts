import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { addonFolder, loadAddon } from '../native/addon.js';
import { LIBTORCH_VERSION, searchLibtorch } from '../native/libtorch.js';
import { causalTracerVersion } from '../version.js';
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

const SET_UP = 'run "npm run setup" in the checkout';

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
    const sources = {
      environment: 'from CAUSAL_TRACER_LIBTORCH',
      build: 'chosen by the set-up',
      cache: 'from the cache',
    };
    return found('libtorch', `${chosen.version} in ${chosen.path}, ${sources[chosen.source]}`, notes);
  }
  const remedy = `${SET_UP}, or set CAUSAL_TRACER_LIBTORCH to a folder with ${LIBTORCH_VERSION} in lib/`;
  return missing('libtorch', `no usable ${LIBTORCH_VERSION}`, remedy, notes);
}

function checkAddon(): Check {
  const file = path.join(addonFolder(), 'causal_tracer.node');
  if (!existsSync(file)) return missing('addon', `there is no ${file}`, `${SET_UP} to build it`);
  if (searchLibtorch().chosen === null) {
    return missing('addon', `${file} needs libtorch`, 'see libtorch above');
  }
  try {
    const { addon } = loadAddon();
    return found('addon', `${file}, built for libtorch ${addon.builtForLibtorch}`, ['devices: cpu']);
  } catch (error) {
    return missing('addon', `${file} does not load: ${messageOf(error)}`, `${SET_UP} to build it anew`);
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
      'run "npm ci", which installs @napi-rs/canvas and dejavu-fonts-ttf',
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
      'check out the models folder',
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
