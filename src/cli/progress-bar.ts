import cliProgress from 'cli-progress';
import stringWidth from 'string-width';

/** Shows how far long work has come. */
export interface ProgressBar {
  update(done: number, total: number, label: string): void;
  /** Takes the bar away, so that other lines can be written. */
  stop(): void;
}

const SILENT: ProgressBar = { update: () => undefined, stop: () => undefined };

const WIDEST_BAR = 40;
const NUMBERS_WIDTH = 24;

/** A bar with the time left if `stream` is a terminal, else one that shows nothing. */
export function createProgressBar(stream: NodeJS.WriteStream): ProgressBar {
  return stream.isTTY ? new TerminalBar(stream) : SILENT;
}

class TerminalBar implements ProgressBar {
  readonly #bar: cliProgress.SingleBar;
  #started = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#bar = new cliProgress.SingleBar({
      stream,
      format: (_, { progress, eta }, payload: { readonly label: string }) =>
        formatBarLine({ fraction: progress, secondsLeft: eta, label: payload.label }, stream.columns),
      clearOnComplete: true,
      gracefulExit: false,
      fps: 8,
      etaBuffer: 50,
    });
  }

  update(done: number, total: number, label: string): void {
    if (this.#started) {
      this.#bar.update(done, { label });
    } else {
      this.#started = true;
      this.#bar.start(total, done, { label });
    }
  }

  stop(): void {
    if (!this.#started) return;
    this.#started = false;
    this.#bar.stop();
  }
}

/** What one line of the bar shows. */
export interface BarState {
  /** Done, from 0 to 1. */
  readonly fraction: number;
  readonly secondsLeft: number | string;
  readonly label: string;
}

/** One line no wider than the terminal: label, bar, per cent, time left. */
export function formatBarLine({ fraction, secondsLeft, label }: BarState, columns: number): string {
  const left = fraction === 0 ? '' : `  ${formatDuration(secondsLeft)} left`;
  const percent = `${Math.floor(fraction * 100)}%`.padStart(4);
  const shown = stringWidth(label) > columns - NUMBERS_WIDTH ? '' : `${label} `;
  const size = Math.max(0, Math.min(WIDEST_BAR, columns - NUMBERS_WIDTH - stringWidth(shown)));
  const filled = Math.round(size * fraction);
  return `${shown}${'█'.repeat(filled)}${'░'.repeat(size - filled)} ${percent}${left}`;
}

/** Seconds as `0:07`, `12:30` or `1:02:03`; `?` while unknown. */
export function formatDuration(seconds: number | string): string {
  const whole = Math.ceil(Number(seconds));
  if (!Number.isFinite(whole)) return '?';
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}
