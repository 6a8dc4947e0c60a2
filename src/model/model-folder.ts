import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import { CausalTracerError } from '../errors.js';
import { MANIFEST_FILE, MANIFEST_FORMAT_VERSION, manifestSchema, type Manifest } from './manifest.js';

/** A folder that `causal-tracer export` wrote, its model file checked against its manifest. */
export interface ModelFolder {
  readonly path: string;
  readonly modelFile: string;
  readonly manifest: Manifest;
}

/**
 * Opens a model folder: reads its manifest, and checks the size and the SHA-256 of its model file.
 *
 * @throws CausalTracerError `MODEL_FOLDER_NOT_FOUND`, `MANIFEST_INVALID`, `MANIFEST_VERSION_UNSUPPORTED`,
 *   `MODEL_FILE_NOT_FOUND` or `MODEL_HASH_MISMATCH`.
 */
export async function openModelFolder(folder: string): Promise<ModelFolder> {
  await requireFolder(folder);
  const manifest = await readManifest(folder);
  const modelFile = path.join(folder, manifest.model.file);
  const bytes = await fileSize(modelFile);
  if (bytes === undefined) {
    throw new CausalTracerError(
      'MODEL_FILE_NOT_FOUND',
      `The model folder "${folder}" has no ${manifest.model.file}, the TorchScript file that its ${MANIFEST_FILE} ` +
        'names. Copy the whole folder, or export the model again.',
    );
  }
  if (bytes !== manifest.model.bytes) {
    const what = bytes < manifest.model.bytes ? 'is truncated' : 'is not the file that was exported';
    throw new CausalTracerError(
      'MODEL_HASH_MISMATCH',
      `"${modelFile}" ${what}: it has ${bytes} bytes, its ${MANIFEST_FILE} says ${manifest.model.bytes}. Copy it again, ` +
        'or export the model again.',
    );
  }
  const sha256 = await sha256OfFile(modelFile);
  if (sha256 !== manifest.model.sha256) {
    throw new CausalTracerError(
      'MODEL_HASH_MISMATCH',
      `"${modelFile}" is not the file that was exported: its SHA-256 is ${sha256}, its ${MANIFEST_FILE} says ` +
        `${manifest.model.sha256}. Copy it again, or export the model again.`,
    );
  }
  return { path: folder, modelFile, manifest };
}

/**
 * Reads the manifest of a model folder; the model file itself is not looked at.
 *
 * @throws CausalTracerError `MANIFEST_INVALID` or `MANIFEST_VERSION_UNSUPPORTED`.
 */
export async function readManifest(folder: string): Promise<Manifest> {
  const file = path.join(folder, MANIFEST_FILE);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const huggingFace = (await fileSize(path.join(folder, 'config.json'))) !== undefined;
    throw new CausalTracerError(
      'MANIFEST_INVALID',
      `"${folder}" has no readable ${MANIFEST_FILE}, so it is no model folder.` +
        (huggingFace ? ' It looks like a Hugging Face folder:' : ' Make one from a Hugging Face model:') +
        ` causal-tracer export ${huggingFace ? folder : '<hf-folder-or-id>'} <out>`,
      { cause },
    );
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new CausalTracerError(
      'MANIFEST_INVALID',
      `"${file}" is not valid JSON: ${cause instanceof Error ? cause.message : String(cause)}. Export the model again.`,
      { cause },
    );
  }
  requireKnownVersion(file, content);
  const parsed = manifestSchema.safeParse(content);
  if (!parsed.success) {
    throw new CausalTracerError(
      'MANIFEST_INVALID',
      `"${file}" does not describe a model: ${describeIssues(parsed.error)}. Export the model again.`,
    );
  }
  if (
    path.basename(parsed.data.model.file) !== parsed.data.model.file ||
    parsed.data.model.file.includes('\\')
  ) {
    throw new CausalTracerError(
      'MANIFEST_INVALID',
      `"${file}" names the model file "${parsed.data.model.file}"; it must be a file of the folder itself.`,
    );
  }
  return parsed.data;
}

/** SHA-256 of a file in lower-case hexadecimal digits, read as a stream. */
export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** The size of a file in bytes; undefined if there is no such file. */
export async function fileSize(file: string): Promise<number | undefined> {
  try {
    const found = await stat(file);
    return found.isFile() ? found.size : undefined;
  } catch {
    return undefined;
  }
}

async function requireFolder(folder: string): Promise<void> {
  let isDirectory: boolean;
  try {
    isDirectory = (await stat(folder)).isDirectory();
  } catch (cause) {
    throw new CausalTracerError(
      'MODEL_FOLDER_NOT_FOUND',
      `There is no model folder "${folder}" (looked in ${path.resolve(folder)}). Give the folder that ` +
        '`causal-tracer export` wrote.',
      { cause },
    );
  }
  if (!isDirectory) {
    throw new CausalTracerError(
      'MODEL_FOLDER_NOT_FOUND',
      `"${folder}" is a file, not a model folder. A TorchScript file without a folder is loaded with ` +
        'CausalTracer.load({ model, tokenizer, layerConfig }).',
    );
  }
}

function requireKnownVersion(file: string, content: unknown): void {
  const version =
    typeof content === 'object' && content !== null && 'formatVersion' in content
      ? content.formatVersion
      : undefined;
  if (typeof version !== 'number' || version === MANIFEST_FORMAT_VERSION) return;
  const remedy =
    version > MANIFEST_FORMAT_VERSION
      ? 'Update causal-tracer, or export the model again'
      : 'Export the model again';
  throw new CausalTracerError(
    'MANIFEST_VERSION_UNSUPPORTED',
    `"${file}" has format version ${version}; this causal-tracer reads version ${MANIFEST_FORMAT_VERSION}. ${remedy}.`,
  );
}

function describeIssues(error: z.ZodError): string {
  return error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.length === 0 ? 'the whole' : issue.path.join('.')}: ${issue.message}`)
    .join('; ');
}
