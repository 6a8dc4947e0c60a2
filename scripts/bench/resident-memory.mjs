// @ts-check
import { existsSync, readFileSync } from 'node:fs';

const INTERVAL_MILLISECONDS = 5;

/** Bytes of memory that this process holds: without mapped files, such as libraries, where the system tells. */
export function residentBytes() {
  if (!existsSync('/proc/self/status')) return process.memoryUsage.rss();
  const found = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return found === null ? process.memoryUsage.rss() : Number(found[1]) * 1024;
}

/** Watches how much memory this process holds, while its event loop is free. */
export class MemoryWatch {
  #peak = residentBytes();
  #timer = setInterval(() => this.#look(), INTERVAL_MILLISECONDS);

  /** Ends the watch; gives the largest number of bytes that was seen. */
  end() {
    clearInterval(this.#timer);
    this.#look();
    return this.#peak;
  }

  #look() {
    this.#peak = Math.max(this.#peak, residentBytes());
  }
}
