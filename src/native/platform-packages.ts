import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** A package with binaries of this platform, as it is installed. */
export interface PlatformPackage {
  readonly name: string;
  readonly folder: string;
  readonly version: string;
  /** The libtorch that its binaries are, or were built for, e.g. `2.13.0`; empty if it says none. */
  readonly libtorch: string;
}

const require = createRequire(import.meta.url);

/** Finds an installed package of binaries; null if it is not installed. */
export function findPlatformPackage(name: string): PlatformPackage | null {
  let file: string;
  try {
    file = require.resolve(`${name}/package.json`);
  } catch {
    return null;
  }
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly version: string;
    readonly libtorch?: string;
  };
  return { name, folder: path.dirname(file), version: manifest.version, libtorch: manifest.libtorch ?? '' };
}
