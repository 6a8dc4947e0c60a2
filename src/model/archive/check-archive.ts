import { setImmediate as nextTurn } from 'node:timers/promises';
import { CausalTracerError } from '../../errors.js';
import { ArchiveFile } from './archive-file.js';
import { readArchivePickle } from './archive-pickle.js';
import { parseClasses } from './code-classes.js';
import { LineReader } from './code-tokens.js';
import { DamagedArchive, UntrustedContent } from './findings.js';
import { checkForwards, inMember } from './forward-cost.js';
import { readContent } from './member-content.js';
import { assignRoles, type RoledMember } from './member-roles.js';
import { addClasses, type DefinedClass, type ModuleClasses } from './module-classes.js';
import { readZipMembers } from './zip-members.js';
import { requireReasonableSizes } from './zip-sizes.js';

type Members = ReadonlyMap<string, RoledMember>;

/** How long the event loop may be kept busy without a pause, in milliseconds. */
const PAUSE_AFTER = 20;

/**
 * Checks that a TorchScript file is no more than a traced model: a plain zip archive of tensors, of pickles that describe
 * modules, and of straight code that calls allowed operators. To libtorch such a file is a program, of which it runs parts
 * while it loads it. No tensor is read.
 *
 * @throws CausalTracerError `MODEL_FILE_UNTRUSTED` for what a traced model does not have, `MODEL_FILE_INVALID` for a file
 *   that is no zip archive or a damaged one, `MODEL_FILE_NOT_FOUND` for one that cannot be read.
 */
export async function requireTracedModelArchive(path: string): Promise<void> {
  const file = await openFile(path);
  try {
    await checkArchive(file);
  } catch (error) {
    if (error instanceof UntrustedContent) throw untrusted(path, error);
    if (error instanceof DamagedArchive) throw damaged(path, error);
    throw error;
  } finally {
    await file.close();
  }
}

async function openFile(path: string): Promise<ArchiveFile> {
  try {
    return await ArchiveFile.open(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CausalTracerError(
      'MODEL_FILE_NOT_FOUND',
      `There is no readable model file "${path}": ${why}.`,
      {
        cause,
      },
    );
  }
}

async function checkArchive(file: ArchiveFile): Promise<void> {
  const members = assignRoles(await readZipMembers(file));
  requireReasonableSizes(members.values());
  await checkFormat(file, members);
  const classes = await readClasses(file, members);
  checkForwards(classes);
  await checkPickles(file, members, classes);
}

/** The version and the byte order; which of them there are is libtorch's to judge. */
async function checkFormat(file: ArchiveFile, members: Members): Promise<void> {
  for (const member of members.values()) {
    if (member.role !== 'version' && member.role !== 'byteorder') continue;
    const text = (await readContent(file, member)).toString('latin1');
    if (!(member.role === 'version' ? /^\d{1,3}\n?$/ : /^little$/).test(text)) {
      throw new UntrustedContent(
        member.name,
        `says ${JSON.stringify(text.slice(0, 20))}, which is not supported`,
      );
    }
  }
}

async function readClasses(file: ArchiveFile, members: Members): Promise<ModuleClasses> {
  const classes = new Map<string, DefinedClass>();
  const lines = new LineReader();
  let started = performance.now();
  for (const member of members.values()) {
    if (member.role !== 'code') continue;
    const text = (await readContent(file, member)).toString('latin1');
    const defined = inMember(member.name, () => parseClasses(lines.read(text)));
    addClasses(classes, member.name, member.path, defined);
    if (performance.now() - started > PAUSE_AFTER) {
      await nextTurn();
      started = performance.now();
    }
  }
  return classes;
}

async function checkPickles(file: ArchiveFile, members: Members, classes: ModuleClasses): Promise<void> {
  const noClasses: ModuleClasses = new Map();
  for (const member of members.values()) {
    if (member.role !== 'pickle' && member.role !== 'debug') continue;
    const isModel = member.path === 'data.pkl';
    const plain = member.role === 'debug' || member.path === 'traced_inputs.pkl';
    const bytes = await readContent(file, member);
    const surroundings = { members, classes: isModel ? classes : noClasses, plain };
    const value = readArchivePickle(member, bytes, surroundings);
    if (isModel && value.kind !== 'object') throw new UntrustedContent(member.name, 'describes no module');
    await nextTurn();
  }
}

function untrusted(path: string, cause: UntrustedContent): CausalTracerError {
  return new CausalTracerError(
    'MODEL_FILE_UNTRUSTED',
    `"${path}" is more than a traced model: ${cause.message}. A TorchScript file is a program, so it is not loaded. ` +
      'Only if you trust its source as you would that of a program, load it with allowUntrusted: true (on the command ' +
      'line: --allow-untrusted), which skips this check.',
    { cause },
  );
}

function damaged(path: string, cause: DamagedArchive): CausalTracerError {
  return new CausalTracerError(
    'MODEL_FILE_INVALID',
    `${path} is not a readable TorchScript file (truncated, or made by something else than torch.jit.save). Export the ` +
      `model again. As a zip archive: ${cause.message}`,
    { cause },
  );
}
