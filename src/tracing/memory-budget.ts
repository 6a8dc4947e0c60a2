const MEGABYTE = 1024 * 1024;
/** More does not make a trace faster. */
const MOST = 384 * MEGABYTE;
/** Below this a trace becomes much slower, and the model itself is in more danger than its rows. */
const LEAST = 32 * MEGABYTE;
/** A trace takes no more than this share of the free memory: others allocate, too. */
const SHARE = 0.25;

/**
 * Bytes for the rows in flight of one trace, for `batchSize: 'auto'`. An engine divides it by what a row of its model
 * and length needs.
 *
 * @param free bytes that this process may still take; by default what the system, or its container, has left.
 * @returns between 32 MiB and 384 MiB.
 */
export function memoryInFlight(free: number = process.availableMemory()): number {
  return Math.floor(Math.min(MOST, Math.max(LEAST, free * SHARE)));
}
