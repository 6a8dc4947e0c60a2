// @ts-check
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { buildFolder, projectRoot, virtualEnvironment, virtualEnvironmentPython } from './paths.mjs';
import { terminalEnvironment } from './run.mjs';
import { nodeModule } from './steps.mjs';
import { failedOnce, judgeRun, readJUnit, readSummaryLine, readTestLines } from './test-counts.mjs';

/** A runner that takes longer, in ms, hangs: it is ended, and counts as failed. */
const longestRun = 20 * 60_000;

/** The TypeScript tests. */
export function runMocha() {
  const report = freshReport('mocha.jsonl');
  const status = runLoudly(
    process.execPath,
    [
      nodeModule('mocha/bin/mocha.js'),
      '--reporter',
      './scripts/setup/mocha-reporter.mjs',
      'test/**/*.test.ts',
    ],
    { CAUSAL_TRACER_MOCHA_REPORT: report },
  );
  return existsSync(report) ? judgeRun(status, readTestLines(readFileSync(report, 'utf8'))) : failedOnce;
}

/** The exporter's tests. */
export function runPytest() {
  const report = freshReport('pytest.xml');
  const python = virtualEnvironmentPython(virtualEnvironment);
  const status = runLoudly(python, ['-m', 'pytest', '-q', '--junitxml', report, 'test']);
  return existsSync(report) ? judgeRun(status, readJUnit(readFileSync(report, 'utf8'))) : failedOnce;
}

/** The tests of the C++ core, which count themselves in their last line. */
export function runCoreTests() {
  const name = process.platform === 'win32' ? 'core_tests.exe' : 'core_tests';
  const program = path.join(buildFolder, 'Release', name);
  const libtorch = JSON.parse(readFileSync(path.join(buildFolder, 'libtorch.json'), 'utf8'));
  const libraries = path.join(libtorch.path, 'lib');
  const result = spawnSync(program, [], {
    cwd: projectRoot,
    encoding: 'utf8',
    env: {
      ...process.env,
      LD_LIBRARY_PATH: libraries,
      DYLD_LIBRARY_PATH: libraries,
      // As the preload addon sets it: waiting threads would keep others from the processors.
      GOMP_SPINCOUNT: '1000',
    },
  });
  if (result.error) {
    process.stdout.write(`\n${program} cannot be started: ${result.error.message}\n`);
    return failedOnce;
  }
  process.stdout.write(`\n${result.stdout}${result.stderr}\n`);
  const counts = readSummaryLine(result.stdout);
  return counts === null ? failedOnce : judgeRun(result.status, counts);
}

/**
 * @param {string} command
 * @param {readonly string[]} parameters
 * @param {Record<string, string>} [environment]
 */
function runLoudly(command, parameters, environment) {
  const env = { ...terminalEnvironment(), ...environment };
  const options = { cwd: projectRoot, stdio: /** @type {const} */ ('inherit'), env, timeout: longestRun };
  return spawnSync(command, [...parameters], options).status;
}

/** @param {string} name */
function freshReport(name) {
  const folder = path.join(buildFolder, 'reports');
  mkdirSync(folder, { recursive: true });
  const report = path.join(folder, name);
  rmSync(report, { force: true });
  return report;
}
