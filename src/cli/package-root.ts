import path from 'node:path';
import { packageRoot } from '../native/package-root.js';

/** Absolute path of a file that belongs to this package, wherever the command is run from. */
export function packagePath(...parts: readonly string[]): string {
  return path.join(packageRoot, ...parts);
}
