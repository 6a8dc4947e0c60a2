import { expect } from 'chai';
import { CausalTracerError, type ErrorCode } from '../../src/errors.js';

/** Asserts that `work` fails with a {@link CausalTracerError} of that code whose message has all `parts`. */
export async function expectError(
  work: () => unknown,
  code: ErrorCode,
  ...parts: string[]
): Promise<CausalTracerError> {
  let failure: unknown;
  try {
    await work();
  } catch (error) {
    failure = error;
  }
  if (!(failure instanceof CausalTracerError)) {
    const found = failure instanceof Error ? failure.stack : 'nothing failed';
    throw new Error(`expected ${code}, but ${found}`, { cause: failure });
  }
  expect(failure.code, failure.message).to.equal(code);
  for (const part of parts) expect(failure.message).to.include(part);
  return failure;
}
