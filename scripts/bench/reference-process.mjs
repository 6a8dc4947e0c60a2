// @ts-check
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from '../setup/paths.mjs';
import { SetupError } from '../setup/run.mjs';

/** @typedef {{ versions: Record<string, string>, threads: number }} ReferenceSetting */
/** @typedef {{ seconds: number, answer: string, lowScore: number, highScore: number, scores: number[][] }} ReferenceTrace */

/** The Python package in a process of its own, which waits between traces. */
export class ReferenceProcess {
  #child;
  #lines;

  /**
   * @param {string} python
   * @param {string} folder
   * @param {number} threads
   */
  constructor(python, folder, threads) {
    const script = path.join(projectRoot, 'scripts', 'bench', 'time_reference.py');
    this.#child = spawn(python, [script, folder, '--threads', String(threads)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** @returns {Promise<ReferenceSetting>} */
  async setting() {
    return this.#read();
  }

  /**
   * @param {string} prompt
   * @param {Record<string, unknown>} options names as in Python
   * @returns {Promise<ReferenceTrace>}
   */
  async trace(prompt, options) {
    this.#child.stdin.write(`${JSON.stringify({ prompt, options })}\n`);
    return this.#read();
  }

  close() {
    this.#child.stdin.end();
  }

  async #read() {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new SetupError('The Python package stopped; see its message above.');
    return JSON.parse(value);
  }
}
