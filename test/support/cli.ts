import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface CliOptions {
  readonly cwd?: string;
  /** Changes of the environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
  /** The command line of another copy of the project. */
  readonly main?: string;
}

/** How a command ended. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const ownMain = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** What must not depend on who runs the tests. */
const QUIET = { NO_COLOR: undefined, FORCE_COLOR: undefined, DEBUG: undefined, COLUMNS: undefined };

/** Starts the command line as a process of its own, without a terminal. */
export function startCli(
  parameters: readonly string[],
  { cwd, env, main = ownMain }: CliOptions = {},
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, ['--import', loader, main, ...parameters], {
    cwd,
    env: { ...process.env, ...QUIET, ...env },
  });
}

/** Runs the command line to its end. */
export async function runCli(parameters: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = startCli(parameters, options);
  child.stdin.end(options.stdin ?? '');
  return await endOf(child);
}

/** Runs the command line with standard output going to a file. */
export async function runCliInto(
  file: string,
  parameters: readonly string[],
): Promise<Pick<CliResult, 'code' | 'stderr'>> {
  const output = await open(file, 'w');
  try {
    const child = spawn(process.execPath, ['--import', loader, ownMain, ...parameters], {
      env: { ...process.env, ...QUIET },
      stdio: ['ignore', output.fd, 'pipe'],
    });
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stderr };
  } finally {
    await output.close();
  }
}

/** Collects what a process prints from now on, until its end. */
export async function endOf(child: ChildProcessWithoutNullStreams): Promise<CliResult> {
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  return await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, stdout, stderr });
    });
  });
}

/** Runs `work` in an empty folder, which is removed afterwards. */
export async function withFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(path.join(tmpdir(), 'causal-tracer-cli-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
