// @ts-check
import path from 'node:path';
import * as prettier from 'prettier';
import { projectRoot } from '../setup/paths.mjs';

/**
 * Formats a text as the checks want it.
 * @param {string} text
 */
export async function formatMarkdown(text) {
  const options = await prettier.resolveConfig(path.join(projectRoot, 'docs', 'families.md'));
  return prettier.format(text, { ...options, parser: 'markdown' });
}
