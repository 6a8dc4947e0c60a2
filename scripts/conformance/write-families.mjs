// @ts-check
// Writes docs/families.md from what the conformance suite recorded last.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildFolder, projectRoot } from '../setup/paths.mjs';
import { formatFamilies } from './families-table.mjs';
import { formatMarkdown } from './format-markdown.mjs';

const record = path.join(buildFolder, 'conformance', 'record.json');
if (!existsSync(record)) {
  console.error('There is no record yet: npx mocha test/conformance/families.test.ts');
  process.exit(1);
}
const file = path.join(projectRoot, 'docs', 'families.md');
writeFileSync(file, await formatMarkdown(formatFamilies(JSON.parse(readFileSync(record, 'utf8')))));
