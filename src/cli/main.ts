#!/usr/bin/env node
import { CausalTracerError } from '../errors.js';
import { EXIT_CODES, type ExitCode } from './exit-codes.js';
import { createProgram } from './program.js';
import { describeError } from './report-error.js';
import { printOwnWarnings } from './warnings.js';

/** A reader that has seen enough, such as `head`, is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT_CODES.success);
  const failure = new CausalTracerError(
    'OUTPUT_NOT_WRITABLE',
    `Cannot write to standard output: ${error.message}. Send it elsewhere.`,
    { cause: error },
  );
  const { exitCode, message } = describeError(failure, false);
  process.stderr.write(message);
  process.exit(exitCode);
});
process.stderr.on('error', () => undefined);

printOwnWarnings();

async function run(parameters: readonly string[]): Promise<ExitCode> {
  const program = createProgram();
  try {
    await program.parseAsync(parameters, { from: 'user' });
    return EXIT_CODES.success;
  } catch (error) {
    const verbose = program.opts<{ verbose?: boolean }>().verbose === true || Boolean(process.env['DEBUG']);
    const { exitCode, message } = describeError(error, verbose);
    process.stderr.write(message);
    return exitCode;
  }
}

const exitCode = await run(process.argv.slice(2));
if (exitCode !== EXIT_CODES.success) process.exitCode = exitCode;
// Work that was interrupted may still be running in the background.
if (exitCode === EXIT_CODES.interrupted) process.exit();
