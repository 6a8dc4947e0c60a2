import { CommanderError } from 'commander';
import { createColors } from 'picocolors';
import { CausalTracerError, type ErrorCode } from '../errors.js';
import { EXIT_CODES, type ExitCode } from './exit-codes.js';
import { InterruptedError } from './interrupt.js';
import { detectColorSupport } from './terminal-colors.js';

/** What a failure means for the process. */
export interface ErrorReport {
  readonly exitCode: ExitCode;
  /** Lines for standard error; empty where the user has been told already. */
  readonly message: string;
}

const DOCTOR = '"causal-tracer doctor" says what is found and what is missing';

/** What the command line has to add to a message of the library. */
const HINTS: Readonly<Partial<Record<ErrorCode, string>>> = {
  SUBJECT_NOT_GUESSABLE: 'with --subject, or with "subject" in the line of a queries file',
  ANSWER_NOT_ONE_TOKEN: 'with --answer-id, or with "answerId" in the line of a queries file',
  OUT_OF_MEMORY: 'for example: --batch-size 4',
  LIBTORCH_NOT_FOUND: DOCTOR,
  LIBTORCH_VERSION_MISMATCH: DOCTOR,
  ADDON_NOT_FOUND: DOCTOR,
  MODULE_NOT_FOUND: '"causal-tracer inspect <model> --modules" lists all modules',
};

/**
 * Says a failure in words for the user: `error [CODE]: message`.
 *
 * @param verbose adds where in the program it came from.
 */
export function describeError(error: unknown, verbose: boolean): ErrorReport {
  if (error instanceof CommanderError) {
    return { exitCode: error.exitCode === 0 ? EXIT_CODES.success : EXIT_CODES.usage, message: '' };
  }
  if (error instanceof InterruptedError)
    return { exitCode: EXIT_CODES.interrupted, message: 'interrupted\n' };
  const { red } = createColors(detectColorSupport(process.stderr, process.env) !== 'none');
  const known = error instanceof CausalTracerError;
  const label = red(known ? `error [${error.code}]:` : 'error:');
  const text = error instanceof Error ? error.message : String(error);
  const lines = [`${label} ${text}`];
  const hint = known ? HINTS[error.code] : undefined;
  if (hint !== undefined) lines.push(`(${hint})`);
  if (verbose) lines.push(...stackLines(error));
  else if (!known)
    lines.push('This is a defect of causal-tracer. Run it again with --verbose, and report what it says.');
  return { exitCode: EXIT_CODES.failed, message: `${lines.join('\n')}\n` };
}

function stackLines(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const { cause } = error;
  return cause instanceof Error ? [...frames, `caused by: ${cause.message}`, ...stackLines(cause)] : frames;
}
