import { expect } from 'chai';
import { CausalTracerError } from '../../src/errors.js';
import { plotHiddenFlowHeatmap } from '../../src/plotting/plot-hidden-flow.js';
import type { HeatmapOptions } from '../../src/plotting/plot-options.js';
import type { HiddenFlow } from '../../src/tracing/hidden-flow.js';
import { syntheticFlow } from './synthetic-flow.js';

async function failure(flow: unknown, options: unknown = {}): Promise<CausalTracerError> {
  try {
    await plotHiddenFlowHeatmap(flow as HiddenFlow, options as HeatmapOptions);
  } catch (error) {
    expect(error).to.be.instanceOf(CausalTracerError);
    return error as CausalTracerError;
  }
  throw new Error('it did not fail');
}

describe('bad plot options', () => {
  for (const [option, value, message] of [
    ['format', 'jpg', /format is "jpg"; it must be one of png, svg, pdf/],
    ['savePath', 'flow.jpg', /format from "flow\.jpg".*\.png, \.svg or \.pdf/],
    ['savePath', '', /savePath is ""; it must be the path of a file/],
    ['savePath', 7, /savePath is 7; it must be a text/],
    ['title', 7, /title is 7; it must be a text/],
    ['xLabel', {}, /xLabel is {}; it must be a text/],
    ['fontFamily', [], /fontFamily is \[\]; it must be a text/],
    ['color', 'Purpel', /"Purpel".*Purples/],
    ['tickInterval', 0, /tickInterval is 0; it must be a whole number from 1/],
    ['tickInterval', 1.5, /tickInterval is 1\.5/],
    ['skipFinalLabelsPortion', -0.1, /skipFinalLabelsPortion is -0\.1; it must be a number from 0 to 1/],
    ['skipFinalLabelsPortion', NaN, /skipFinalLabelsPortion is NaN/],
    ['width', 0, /width is 0; it must be a whole number from 1/],
    ['width', 99.5, /width is 99\.5/],
    ['width', 20, /width 20 is too small/],
    ['height', 20, /height 20 is too small/],
    ['height', Infinity, /height is Infinity/],
    ['scale', 0, /scale is 0; it must be a number from 0\.5 to 16/],
    ['scale', '2', /scale is "2"/],
  ] as const) {
    it(`${option}: ${JSON.stringify(value)}`, async () => {
      const error = await failure(syntheticFlow(), { [option]: value });
      expect(error.code).to.equal('INVALID_OPTION');
      expect(error.message).to.match(message);
    });
  }

  it('a picture of more pixels than can be drawn', async () => {
    const error = await failure(syntheticFlow(), { width: 30_000, height: 30_000, scale: 16 });
    expect(error.code).to.equal('INVALID_OPTION');
    expect(error.message).to.match(/480000 x 480000 pixels is too large.*lower scale/);
  });
});

describe('results that cannot be drawn', () => {
  const flow = syntheticFlow();
  for (const [name, value, message] of [
    ['null', null, /it is null/],
    ['a text', '{}', /it is of type string/],
    ['an empty object', {}, /kind is undefined, not one of hidden, mlp, attention/],
    ['an unknown kind', { ...flow, kind: 'heads' }, /kind is "heads"/],
    ['no low score', { ...flow, lowScore: null }, /lowScore is null, not a number/],
    ['no answer', { ...flow, answer: undefined }, /answer is undefined, not a text/],
    ['no tokens', { ...flow, inputTokens: undefined }, /inputTokens is not a list/],
    ['a token that is no text', { ...flow, inputTokens: ['a', 3] }, /inputTokens\[1\] is 3, not a text/],
    ['no scores', { ...flow, scores: undefined }, /scores is not a list of rows/],
    ['nothing traced', { ...flow, scores: [], inputTokens: [] }, /it has no tokens/],
    [
      'a row too few',
      { ...flow, scores: flow.scores.slice(1) },
      /scores has 10 rows, but there are 11 inputTokens/,
    ],
    [
      'ragged rows',
      { ...flow, scores: flow.scores.map((row, i) => (i === 3 ? row.slice(1) : row)) },
      /scores\[3\] has 11 layers, but scores\[0\] has 12/,
    ],
    ['empty rows', { ...flow, scores: flow.scores.map(() => []) }, /scores\[0\] is not a list of numbers/],
    [
      'a score that is lost',
      { ...flow, scores: flow.scores.map((row, i) => (i === 2 ? [null, ...row.slice(1)] : row)) },
      /scores\[2\]\[0\] is null, not a number/,
    ],
    [
      'a range beyond the tokens',
      { ...flow, subjectRange: [1, 12] },
      /subjectRange is \[1,12\], not \[start, end\) within the 11 tokens/,
    ],
    ['a range turned around', { ...flow, subjectRange: [5, 1] }, /subjectRange is \[5,1\]/],
    ['a range of one number', { ...flow, subjectRange: [5] }, /subjectRange is \[5\]/],
  ] as const) {
    // prettier-ignore
    it(name, async () => {
      const error = await failure(value);
      expect(error.code).to.equal('FLOW_INVALID');
      expect(error.message).to.match(message).and.match(/calculateHiddenFlow/);
    });
  }
});
