// @ts-check

/** Set to 1 to run the suites over model families on a part of them. */
export const quickVariable = 'CAUSAL_TRACER_QUICK_TESTS';

export function isQuick(environment = process.env) {
  return environment[quickVariable] === '1';
}
