import { spawn } from 'node:child_process';
import { CausalTracerError, isErrorCode } from '../errors.js';
import { InterruptedError } from './interrupt.js';
import { packagePath } from './package-root.js';

/** What the exporter says of a model that it wrote. */
export interface ExportSummary {
  readonly out: string;
  readonly family: string;
  readonly dtype: string;
  /** What a GGUF file's weights were quantized as; null for other sources. */
  readonly quantization: string | null;
  readonly attentionImplementation: string;
  readonly layerCount: number;
  readonly hiddenSize: number;
  readonly vocabularySize: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly tolerance: number;
  readonly worstDifference: number;
  readonly layerConfig: Readonly<Record<string, string>>;
}

const EXPORTER = packagePath('scripts', 'export', 'export_model.py');
const USAGE_STATUS = 2;
const INTERRUPTED_STATUS = 130;

/** Ctrl-C reaches the exporter by itself; it is asked once more if it has not ended by then. */
const ENDING_MILLISECONDS = 2000;

/**
 * Runs the Python exporter to its end.
 *
 * @param parameters of the exporter's own command line.
 * @param onProgress gets what it says, as it says it.
 * @throws CausalTracerError with the code that the exporter gives, else `EXPORT_FAILED`; `signal.reason` when aborted.
 */
export async function runExporter(
  python: string,
  parameters: readonly string[],
  signal: AbortSignal,
  onProgress: (text: string) => void,
): Promise<ExportSummary> {
  signal.throwIfAborted();
  const child = spawn(python, [EXPORTER, ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONUNBUFFERED: '1', PYTHONIOENCODING: 'utf-8' },
  });
  const stopChild = (): void => {
    const reason: unknown = signal.reason;
    const wait = reason instanceof InterruptedError && reason.by === 'SIGINT' ? ENDING_MILLISECONDS : 0;
    setTimeout(() => child.kill('SIGTERM'), wait).unref();
  };
  signal.addEventListener('abort', stopChild, { once: true });
  const messages = new MessageSplitter(onProgress);
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    messages.push(chunk);
  });
  try {
    const { status, by } = await new Promise<{ status: number | null; by: NodeJS.Signals | null }>(
      (resolve, reject) => {
        child.on('error', reject);
        child.on('close', (code, killedBy) => {
          resolve({ status: code, by: killedBy });
        });
      },
    );
    const failure = messages.end();
    signal.throwIfAborted();
    if (status === 0) return JSON.parse(printed) as ExportSummary;
    if (status === INTERRUPTED_STATUS) throw new InterruptedError('SIGINT');
    throw exportError(failure, status, by);
  } finally {
    signal.removeEventListener('abort', stopChild);
  }
}

function exportError(failure: unknown, status: number | null, by: NodeJS.Signals | null): CausalTracerError {
  if (typeof failure === 'object' && failure !== null && 'code' in failure && 'message' in failure) {
    const code = isErrorCode(failure.code) ? failure.code : 'EXPORT_FAILED';
    return new CausalTracerError(code, sentence(String(failure.message)));
  }
  const how = by === null ? `ended with status ${status ?? 'unknown'}` : `was ended by ${by}`;
  const why =
    by === 'SIGKILL'
      ? 'Most likely memory ran out: try --dtype bfloat16, or a machine with more memory.'
      : status === USAGE_STATUS
        ? 'It did not accept its options; what it says is above.'
        : 'What it says is above.';
  return new CausalTracerError('EXPORT_FAILED', `The exporter ${how}. ${why}`);
}

/** With a capital letter at the start, unless that is a name, and a full stop at the end. */
function sentence(message: string): string {
  return /[.!?\n)]$/.test(message) ? message : `${message}.`;
}

/** Passes text on as it comes, except for a last line that is a JSON object. */
export class MessageSplitter {
  #line = '';
  #held = '';

  constructor(private readonly pass: (text: string) => void) {}

  push(chunk: string): void {
    for (const part of chunk.split(/(?<=\n)/)) {
      if (this.#line === '' && part !== '') this.#release();
      this.#line += part;
      if (this.#line.startsWith('{')) this.#held = this.#line;
      else this.pass(part);
      if (part.endsWith('\n')) this.#line = '';
    }
  }

  /** The last line's JSON; null if it was other text, which has then been passed on, to its end. */
  end(): unknown {
    try {
      if (this.#held !== '') return JSON.parse(this.#held) as unknown;
    } catch {
      this.#release();
    }
    if (this.#line !== '') this.pass('\n');
    return null;
  }

  #release(): void {
    if (this.#held !== '') this.pass(this.#held);
    this.#held = '';
  }
}
