import { existsSync } from 'node:fs';
import path from 'node:path';
import { CausalTracerError } from '../errors.js';
import { causalTracerVersion } from '../version.js';
import { LIBTORCH_VERSION } from './libtorch-folder.js';
import { isCheckout, packageRoot } from './package-root.js';
import { findPlatformPackage } from './platform-packages.js';
import { addonPackage, describePlatform, platformName } from './platforms.js';
import { nativeRemedy, reinstallRemedy } from './remedies.js';

/** The addon, and the helper that opens libtorch before it. */
export interface AddonFiles {
  readonly addon: string;
  readonly preload: string;
  readonly source: 'build' | 'package';
}

/**
 * The addon that the checkout has built, else that of the platform's package.
 *
 * @throws CausalTracerError `ADDON_NOT_FOUND`; `ADDON_VERSION_MISMATCH` if the package is of another release.
 */
export function findAddonFiles(): AddonFiles {
  const built = addonFilesIn(path.join(packageRoot, 'build', 'Release'), 'build');
  if (existsSync(built.addon)) return built;
  const name = addonPackage(platformName);
  const installed = findPlatformPackage(name);
  if (installed === null) {
    const missing = isCheckout() ? `there is no ${built.addon}` : `${name} is not installed`;
    throw new CausalTracerError(
      'ADDON_NOT_FOUND',
      `The native addon for ${describePlatform()} is missing: ${missing}.\n${nativeRemedy()}`,
    );
  }
  const { folder, version, libtorch } = installed;
  // Checked before anything is loaded: binaries that do not fit can end the process.
  if (version !== causalTracerVersion || libtorch !== LIBTORCH_VERSION) {
    throw new CausalTracerError(
      'ADDON_VERSION_MISMATCH',
      `${name} in ${folder} is version ${version} for libtorch ${libtorch}, but causal-tracer ${causalTracerVersion} ` +
        `needs ${causalTracerVersion} for libtorch ${LIBTORCH_VERSION}: they only work together in the same version.\n` +
        reinstallRemedy(),
    );
  }
  return addonFilesIn(folder, 'package');
}

function addonFilesIn(folder: string, source: AddonFiles['source']): AddonFiles {
  return {
    addon: path.join(folder, 'causal_tracer.node'),
    preload: path.join(folder, 'causal_tracer_preload.node'),
    source,
  };
}
