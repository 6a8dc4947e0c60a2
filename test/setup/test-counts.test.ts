import { expect } from 'chai';
import {
  addCounts,
  formatSummary,
  judgeRun,
  readJUnit,
  readSummaryLine,
  readTestLines,
} from '../../scripts/setup/test-counts.mjs';

describe('test counts', () => {
  it('are summed up in one line', () => {
    const sum = addCounts({ passed: 3, failed: 0, skipped: 1 }, { passed: 40, failed: 2, skipped: 0 });
    expect(formatSummary(sum)).to.equal('43 passed, 2 failed, 1 skipped');
  });

  it('are read from a JUnit report', () => {
    const xml =
      '<?xml version="1.0"?><testsuites name="pytest tests">' +
      '<testsuite name="a" errors="1" failures="2" skipped="3" tests="10" time="0.1"><testcase name="tests=&quot;9"/></testsuite>' +
      '<testsuite name="b" errors="0" failures="0" skipped="0" tests="5"/></testsuites>';
    expect(readJUnit(xml)).to.deep.equal({ passed: 9, failed: 3, skipped: 3 });
  });

  it('are read from the reporter’s lines', () => {
    const lines = ['passed', 'failed', 'passed', 'skipped', 'end'].map((outcome) =>
      JSON.stringify({ outcome }),
    );
    expect(readTestLines(`${lines.join('\n')}\n`)).to.deep.equal({ passed: 2, failed: 1, skipped: 1 });
  });

  it('count a run that did not come to its end as a failure', () => {
    expect(readTestLines('{"outcome":"passed"}\n')).to.deep.equal({ passed: 1, failed: 1, skipped: 0 });
  });

  it('are read from a last line', () => {
    expect(readSummaryLine('1 failed\nC++ core: 12 passed, 1 failed\n')).to.deep.equal({
      passed: 12,
      failed: 1,
      skipped: 0,
    });
    expect(readSummaryLine('4 passed, 0 failed, 2 skipped\n')).to.deep.equal({
      passed: 4,
      failed: 0,
      skipped: 2,
    });
    expect(readSummaryLine('4 passed, 0 failed\nSegmentation fault\n')).to.equal(null);
  });

  it('count a runner that ran nothing as a failure', () => {
    expect(judgeRun(0, { passed: 0, failed: 0, skipped: 0 })).to.deep.equal({
      passed: 0,
      failed: 1,
      skipped: 0,
    });
    expect(judgeRun(0, { passed: 0, failed: 0, skipped: 4 })).to.deep.equal({
      passed: 0,
      failed: 1,
      skipped: 4,
    });
  });

  it('count a runner that failed without a failed test as a failure', () => {
    expect(judgeRun(1, { passed: 7, failed: 0, skipped: 0 })).to.deep.equal({
      passed: 7,
      failed: 1,
      skipped: 0,
    });
    expect(judgeRun(1, { passed: 7, failed: 2, skipped: 0 })).to.deep.equal({
      passed: 7,
      failed: 2,
      skipped: 0,
    });
    expect(judgeRun(null, { passed: 7, failed: 0, skipped: 0 })).to.deep.equal({
      passed: 7,
      failed: 1,
      skipped: 0,
    });
  });
});
