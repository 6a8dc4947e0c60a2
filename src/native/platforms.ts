/** A platform that prebuilt packages are made for. */
export interface Platform {
  /** Ends the names of its packages. */
  readonly name: string;
  readonly os: NodeJS.Platform;
  readonly cpu: NodeJS.Architecture;
  /** The C library that the binaries need; null where a system has only one. */
  readonly libc: 'glibc' | null;
  /** The file that holds libtorch's operators. */
  readonly library: string;
}

/** Every platform with prebuilt packages. Packing reads this table, too. */
export const PLATFORMS: readonly Platform[] = [
  { name: 'linux-x64', os: 'linux', cpu: 'x64', libc: 'glibc', library: 'libtorch_cpu.so' },
  { name: 'linux-arm64', os: 'linux', cpu: 'arm64', libc: 'glibc', library: 'libtorch_cpu.so' },
  { name: 'darwin-arm64', os: 'darwin', cpu: 'arm64', libc: null, library: 'libtorch_cpu.dylib' },
  { name: 'win32-x64', os: 'win32', cpu: 'x64', libc: null, library: 'torch_cpu.dll' },
];

/** This machine's operating system and processor, as the names of packages say them. */
export const platformName = `${process.platform}-${process.arch}`;

/** The package that holds the native addon of a platform. */
export function addonPackage(platform: string): string {
  return `@causal-tracer/addon-${platform}`;
}

/** The package that holds libtorch for the CPU of a platform. */
export function libtorchPackage(platform: string): string {
  return `@causal-tracer/libtorch-cpu-${platform}`;
}

/** The prebuilt packages' entry for this machine; null if there is none. */
export function currentPlatform(): Platform | null {
  const found = PLATFORMS.find(({ name }) => name === platformName);
  return found === undefined || (found.libc === 'glibc' && !hasGlibc()) ? null : found;
}

/** This machine, for messages: with its C library where that is not the usual one. */
export function describePlatform(): string {
  return process.platform === 'linux' && !hasGlibc() ? `${platformName} without glibc (musl)` : platformName;
}

/** Whether this process runs on the GNU C library. */
function hasGlibc(): boolean {
  // The report also lists network interfaces, whose names can take seconds to look up.
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  const before = report.excludeNetwork;
  report.excludeNetwork = true;
  const { header } = report.getReport() as { readonly header: { readonly glibcVersionRuntime?: string } };
  if (before !== undefined) report.excludeNetwork = before;
  return header.glibcVersionRuntime !== undefined;
}
