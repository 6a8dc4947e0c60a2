// @ts-check
// Mocha's usual report on the terminal, and a line of JSON a test in the file that CAUSAL_TRACER_MOCHA_REPORT names: what
// had run before a crash of the process is known, too.
import { appendFileSync } from 'node:fs';
import Mocha from 'mocha';

const { EVENT_TEST_PASS, EVENT_TEST_FAIL, EVENT_TEST_PENDING, EVENT_RUN_END } = Mocha.Runner.constants;

export default class LineReporter extends Mocha.reporters.Spec {
  /**
   * @param {Mocha.Runner} runner
   * @param {Mocha.MochaOptions} options
   */
  constructor(runner, options) {
    super(runner, options);
    const file = process.env['CAUSAL_TRACER_MOCHA_REPORT'];
    if (file === undefined) return;
    const write = (/** @type {string} */ outcome, /** @type {Mocha.Runnable} */ test) => {
      appendFileSync(file, `${JSON.stringify({ outcome, title: test.fullTitle() })}\n`);
    };
    runner.on(EVENT_TEST_PASS, (test) => write('passed', test));
    runner.on(EVENT_TEST_FAIL, (test) => write('failed', test));
    runner.on(EVENT_TEST_PENDING, (test) => write('skipped', test));
    runner.once(EVENT_RUN_END, () => appendFileSync(file, `${JSON.stringify({ outcome: 'end' })}\n`));
  }
}
