import { CausalTracerError } from '../errors.js';

/** Runs `work` for one entry of a list; a {@link CausalTracerError} then says which entry it was, as `queries[2]`. */
export function atIndex<Result>(list: string, index: number, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw nameIndex(list, index, error);
  }
}

/** The same error, saying which entry of a list it is about. Other errors stay as they are. */
export function nameIndex(list: string, index: number, error: unknown): unknown {
  if (!(error instanceof CausalTracerError)) return error;
  return new CausalTracerError(error.code, `${list}[${index}]: ${error.message}`, { cause: error });
}
