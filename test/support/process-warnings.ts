import { setImmediate as nextTurn } from 'node:timers/promises';

/** The process warnings that `work` causes, which are not printed. */
export async function warningsOf(work: () => Promise<void>): Promise<(Error & { readonly code?: string })[]> {
  const warnings: Error[] = [];
  const listener = (warning: Error): void => {
    warnings.push(warning);
  };
  const usual = process.listeners('warning');
  process.removeAllListeners('warning').on('warning', listener);
  try {
    await work();
    await nextTurn();
  } finally {
    process.off('warning', listener);
    for (const other of usual) process.on('warning', other);
  }
  return warnings;
}
