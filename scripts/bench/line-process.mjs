// @ts-check
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { SetupError } from '../setup/run.mjs';

/** A process that answers every line of its input with a line of JSON. */
export class LineProcess {
  #child;
  #lines;
  #name;

  /**
   * @param {string} name for messages
   * @param {string} command
   * @param {readonly string[]} parameters
   * @param {Readonly<Record<string, string>>} [environment] changes of the environment
   */
  constructor(name, command, parameters, environment) {
    this.#name = name;
    this.#child = spawn(command, [...parameters], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...environment },
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /**
   * The next line, which nothing was asked for.
   * @returns {Promise<unknown>}
   */
  async read() {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new SetupError(`${this.#name} stopped; see its message above.`);
    return JSON.parse(value);
  }

  /**
   * @param {unknown} request
   * @returns {Promise<unknown>}
   */
  async ask(request) {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return this.read();
  }

  close() {
    this.#child.stdin.end();
  }
}
