import { createColors } from 'picocolors';
import { WARNING_TYPE } from '../tracing/engine-choice.js';
import { say } from './messages.js';
import { detectColorSupport } from './terminal-colors.js';

/** Prints the library's warnings as messages of the command line; others stay as Node.js prints them. */
export function printOwnWarnings(): void {
  const usual = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning: Error & { readonly code?: string }) => {
    if (warning.name !== WARNING_TYPE) {
      for (const listener of usual) listener(warning);
      return;
    }
    sayWarning(warning.code ?? '', warning.message);
  });
}

/** Prints a warning as the command line's own. */
export function sayWarning(code: string, message: string): void {
  const { yellow } = createColors(detectColorSupport(process.stderr, process.env) !== 'none');
  say(`${yellow(`warning [${code}]:`)} ${message}`);
}
