import { isCheckout } from './package-root.js';
import { currentPlatform, describePlatform, PLATFORMS } from './platforms.js';

/** What to do where something native is missing or does not fit, in a checkout and where the package is installed. */
export function nativeRemedy(): string {
  return isCheckout() ? 'Run "npm run setup" in the checkout.' : reinstallRemedy();
}

/** How to install the packages with binaries, with each package manager. */
export function reinstallRemedy(): string {
  const platform = currentPlatform();
  if (platform === null) {
    const supported = PLATFORMS.map(({ name, libc }) => (libc === null ? name : `${name} with ${libc}`));
    return `There are no prebuilt packages for ${describePlatform()}. There are for: ${supported.join(', ')}.`;
  }
  const { os, cpu, libc } = platform;
  const flags = `--os=${os} --cpu=${cpu}${libc === null ? '' : ` --libc=${libc}`}`;
  return [
    'They are optional dependencies of causal-tracer, chosen by platform. Install them with it:',
    '  npm install --include=optional causal-tracer',
    '  (pnpm, Yarn and Bun install them unless optional dependencies are switched off)',
    'If node_modules or the lock file was made on another system, name this one:',
    `  npm install ${flags} causal-tracer`,
    '  (pnpm and Yarn have the setting supportedArchitectures for this)',
  ].join('\n');
}
