import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's own folder, which holds `build/` in a checkout. */
export const packageRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Whether this is a checkout, where the set-up builds what an installed package has prebuilt. */
export function isCheckout(): boolean {
  return existsSync(path.join(packageRoot, 'scripts', 'setup.mjs'));
}
