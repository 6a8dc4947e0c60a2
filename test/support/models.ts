import { fileURLToPath } from 'node:url';

/** A tiny random model of test/fixtures/models, made by scripts/parity/make_tiny_models.py. */
export type TinyModel = 'tiny-gpt2' | 'tiny-llama' | 'tiny-neox';
export const TINY_MODELS: readonly TinyModel[] = ['tiny-gpt2', 'tiny-llama', 'tiny-neox'];

/** Path of a tiny model's folder. */
export function modelFolder(name: TinyModel): string {
  return fileURLToPath(new URL(`../fixtures/models/${name}`, import.meta.url));
}
