import { CausalTracerError } from '../errors.js';

/**
 * The choice that `value` is.
 *
 * @throws CausalTracerError `INVALID_OPTION`, naming the option and its choices.
 */
export function requireOneOf<Choice extends string>(
  option: string,
  value: string,
  choices: readonly Choice[],
): Choice {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  const listed = choices.map((choice) => JSON.stringify(choice));
  const last = listed.pop() ?? '';
  throw new CausalTracerError(
    'INVALID_OPTION',
    `${option} must be ${listed.join(', ')} or ${last}, not ${typeof value === 'string' ? JSON.stringify(value) : String(value)}.`,
  );
}
