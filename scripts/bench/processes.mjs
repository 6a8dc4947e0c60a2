// @ts-check
import path from 'node:path';
import { projectRoot } from '../setup/paths.mjs';
import { probe, SetupError } from '../setup/run.mjs';
import { LineProcess } from './line-process.mjs';

/** @typedef {{ seconds: number, answer: string, lowScore: number, highScore: number, scores: number[][] }} ReferenceTrace */
/** @typedef {import('./trace-server.mjs').TraceRequest} TraceRequest */
/** @typedef {import('./trace-server.mjs').TraceAnswer} TraceAnswer */
/** @typedef {import('./trace-server.mjs').LoadAnswer} LoadAnswer */

/**
 * The libtorch of a Python, which this package is made to use as well.
 * @param {string} python
 */
export function findTorchFolder(python) {
  const folder = probe(python, ['-c', 'import os, torch; print(os.path.dirname(torch.__file__))']);
  if (folder === null) throw new SetupError(`${python} has no PyTorch.`);
  return folder;
}

/** @param {string} file */
function script(file) {
  return path.join(projectRoot, 'scripts', 'bench', file);
}

/** The Python package in a process of its own, which waits between traces. */
export class ReferenceProcess {
  #process;

  /**
   * @param {string} python
   * @param {string} folder
   * @param {number} threads
   * @param {'cpu' | 'cuda'} [device]
   */
  constructor(python, folder, threads, device = 'cpu') {
    const parameters = [
      script('time_reference.py'),
      folder,
      '--threads',
      String(threads),
      '--device',
      device,
    ];
    this.#process = new LineProcess('The Python package', python, parameters);
  }

  /** @returns {Promise<Record<string, string>>} versions, once it has loaded the model */
  async versions() {
    const { versions } = /** @type {{ versions: Record<string, string> }} */ (await this.#process.read());
    return versions;
  }

  /**
   * @param {string} prompt
   * @param {Record<string, unknown>} options names as in Python
   */
  async trace(prompt, options) {
    return /** @type {ReferenceTrace} */ (await this.#process.ask({ prompt, options }));
  }

  close() {
    this.#process.close();
  }
}

/** This package in a process of its own, so that its memory and its loading can be told. */
export class OwnProcess {
  #process;

  /**
   * @param {string} torchFolder
   * @param {string} folder
   * @param {import('../../src/index.js').LoadOptions} options
   */
  constructor(torchFolder, folder, options) {
    const parameters = [script('trace-server.mjs'), folder, JSON.stringify(options)];
    const environment = { CAUSAL_TRACER_LIBTORCH: torchFolder };
    this.#process = new LineProcess('This package', process.execPath, parameters, environment);
  }

  /** What loading took. */
  async loaded() {
    return /** @type {LoadAnswer} */ (await this.#process.read());
  }

  /** @param {TraceRequest} request */
  async trace(request) {
    return /** @type {TraceAnswer} */ (await this.#process.ask(request));
  }

  close() {
    this.#process.close();
  }
}

/** Measures the rate of libtorch's matrix products, whenever it is asked. */
export class KernelProcess {
  #process;

  /**
   * @param {string} python
   * @param {number} threads
   */
  constructor(python, threads) {
    const parameters = [script('time_kernels.py'), '--threads', String(threads)];
    this.#process = new LineProcess('The measurement of kernels', python, parameters);
  }

  /** @returns {Promise<Record<string, number>>} floating-point operations a second, by kernel */
  async rates() {
    return /** @type {Record<string, number>} */ (await this.#process.ask(null));
  }

  close() {
    this.#process.close();
  }
}
