import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import ts from 'typescript';
import { buildFolder, projectRoot } from '../../scripts/setup/paths.mjs';
import { endOf } from '../support/cli.js';
import { stepsOf, type Step } from './examples.js';
import { codeBlocks, listPages, type Page } from './pages.js';

/** How many blocks of a page are not run. Run what can be run: this list is here so that it does not grow unnoticed. */
const NOT_RUN: Readonly<Record<string, number>> = {
  'README.md': 3,
  'docs/cuda.md': 1,
  'docs/exporting.md': 2,
};

/** Besides `models/`, what the examples take for given. */
const GIVEN_LINKS = { 'model.pt': 'models/demo-gpt2/model.pt', 'tokenizer-folder': 'models/demo-gpt2' };
const GIVEN_FILES = { 'facts.jsonl': '{"prompt": "The Colosseum is located in the city of"}\n' };

const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
/** Below the project, where `causal-tracer` is the project itself. */
const programFolder = path.join(buildFolder, 'doc-examples');
const pages = listPages();

function programFile(page: Page, line: number): string {
  return path.join(programFolder, `${page.name.replace(/\.md$/, '').replaceAll('/', '-')}-${line}.ts`);
}

/** A folder with what the examples take for given, and commands for the shell. */
async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'causal-tracer-docs-'));
  await symlink(path.join(projectRoot, 'models'), path.join(folder, 'models'));
  for (const [name, target] of Object.entries(GIVEN_LINKS)) {
    await symlink(path.join(projectRoot, target), path.join(folder, name));
  }
  for (const [name, content] of Object.entries(GIVEN_FILES))
    await writeFile(path.join(folder, name), content);
  const main = `"${process.execPath}" "${path.join(projectRoot, 'dist', 'cli', 'main.js')}"`;
  await mkdir(path.join(folder, 'bin'));
  const script = (name: string, text: string): Promise<void> =>
    writeFile(path.join(folder, 'bin', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  await script('causal-tracer', `exec ${main} "$@"`);
  await script('npx', `shift\nexec ${main} "$@"`);
  return folder;
}

async function run(command: string, parameters: readonly string[], folder: string): Promise<void> {
  const searched = [path.join(folder, 'bin'), process.env['PATH']].join(path.delimiter);
  // Models as small as these are faster with one thread.
  const env = { ...process.env, PATH: searched, OMP_NUM_THREADS: '1' };
  const child = spawn(command, parameters, { cwd: folder, env });
  child.stdin.end();
  const { code, stdout, stderr } = await endOf(child);
  expect(code, `${stdout}${stderr}`).to.equal(0);
}

async function carryOut(step: Step, page: Page, folder: string): Promise<void> {
  switch (step.does) {
    case 'write':
      await writeFile(path.join(folder, step.file), step.content);
      break;
    case 'program':
      await run(process.execPath, ['--import', loader, programFile(page, step.line)], folder);
      break;
    case 'commands':
      for (const command of step.commands) await run('sh', ['-c', command], folder);
  }
}

describe('the examples in the documentation', function () {
  this.timeout(120_000);

  before(async function () {
    if (process.platform === 'win32') this.skip();
    await rm(programFolder, { recursive: true, force: true });
    await mkdir(programFolder, { recursive: true });
    for (const page of pages) {
      for (const step of stepsOf(page)) {
        if (step.does === 'program') await writeFile(programFile(page, step.line), step.code);
      }
    }
  });

  it('are run, but for those that are counted here', () => {
    const counts = pages.map((page) => {
      return [page.name, codeBlocks(page).filter(({ notRun }) => notRun !== null).length] as const;
    });
    expect(Object.fromEntries(counts.filter(([, count]) => count > 0))).to.deep.equal(NOT_RUN);
  });

  it('have the right types', () => {
    const { config } = ts.readConfigFile(path.join(projectRoot, 'tsconfig.json'), (file) =>
      ts.sys.readFile(file),
    ) as { config: unknown };
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, projectRoot);
    const files = pages.flatMap((page) =>
      stepsOf(page).flatMap(({ does, line }) => (does === 'program' ? [programFile(page, line)] : [])),
    );
    expect(files).to.have.length.greaterThan(8);
    const program = ts.createProgram(files, { ...options, types: ['node'], noUnusedLocals: false });
    const found = ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), {
      getCanonicalFileName: (name) => name,
      getCurrentDirectory: () => programFolder,
      getNewLine: () => '\n',
    });
    expect(found).to.equal('');
  });

  for (const page of pages) {
    const steps = stepsOf(page);
    if (steps.length === 0) continue;
    it(`run: ${page.name}`, async () => {
      const folder = await makeFolder();
      try {
        for (const step of steps) await carryOut(step, page, folder);
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }
});
