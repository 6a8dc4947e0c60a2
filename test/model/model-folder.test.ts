import { appendFile, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import { MANIFEST_FILE, type Manifest } from '../../src/model/manifest.js';
import { openModelFolder, sha256OfFile } from '../../src/model/model-folder.js';
import { changeJson, withCopy } from '../support/copied-folder.js';
import { expectError } from '../support/errors.js';
import { modelFolder } from '../support/models.js';

describe('openModelFolder', () => {
  it('opens a folder whose files fit its manifest', async () => {
    const { manifest, modelFile } = await openModelFolder(modelFolder('tiny-gpt2'));
    expect(manifest.family).to.equal('gpt2');
    expect(modelFile).to.equal(path.join(modelFolder('tiny-gpt2'), 'model.pt'));
  });

  it('hashes files', async () => {
    await withCopy('tiny-gpt2', async (folder) => {
      const file = path.join(folder, 'abc');
      await writeFile(file, 'abc');
      expect(await sha256OfFile(file)).to.equal(
        'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      );
    });
  });

  it('says where it looked for a folder that is missing', async () => {
    await expectError(
      () => openModelFolder('no/such'),
      'MODEL_FOLDER_NOT_FOUND',
      '"no/such"',
      path.resolve('no/such'),
    );
  });

  it('tells a file from a folder', async () => {
    const file = path.join(modelFolder('tiny-gpt2'), 'model.pt');
    await expectError(
      () => openModelFolder(file),
      'MODEL_FOLDER_NOT_FOUND',
      'is a file',
      'tokenizer, layerConfig',
    );
  });

  it('recognises a Hugging Face folder that was not exported', async () => {
    await withCopy('tiny-gpt2', async (folder) => {
      await rm(path.join(folder, MANIFEST_FILE));
      await expectError(() => openModelFolder(folder), 'MANIFEST_INVALID', MANIFEST_FILE, `export ${folder}`);
      const empty = path.join(folder, 'empty');
      await mkdir(empty);
      await expectError(
        () => openModelFolder(empty),
        'MANIFEST_INVALID',
        'causal-tracer export <hf-folder-or-id>',
      );
    });
  });

  it('refuses a manifest that is not JSON, or lacks parts', async () => {
    await withCopy('tiny-gpt2', async (folder) => {
      const file = path.join(folder, MANIFEST_FILE);
      await changeJson(file, (manifest) => {
        delete manifest['layerCount'];
      });
      await expectError(() => openModelFolder(folder), 'MANIFEST_INVALID', file, 'layerCount');
      await writeFile(file, '{"formatVersion": 1,');
      await expectError(() => openModelFolder(folder), 'MANIFEST_INVALID', file, 'not valid JSON');
    });
  });

  it('refuses another format version, newer or older', async () => {
    await withCopy('tiny-gpt2', async (folder) => {
      const file = path.join(folder, MANIFEST_FILE);
      for (const [version, remedy] of [
        [2, 'Update causal-tracer'],
        [0, 'Export the model again'],
      ] as const) {
        await changeJson(file, (manifest) => {
          manifest['formatVersion'] = version;
        });
        await expectError(
          () => openModelFolder(folder),
          'MANIFEST_VERSION_UNSUPPORTED',
          `format version ${version}`,
          'reads version 1',
          remedy,
        );
      }
    });
  });

  it('takes no model file from outside the folder', async () => {
    await withCopy('tiny-gpt2', async (folder) => {
      await changeJson(path.join(folder, MANIFEST_FILE), (manifest) => {
        manifest['model'] = { ...(manifest as Manifest).model, file: '../model.pt' };
      });
      await expectError(
        () => openModelFolder(folder),
        'MANIFEST_INVALID',
        '../model.pt',
        'of the folder itself',
      );
    });
  });

  it('says that model.pt is missing', async () => {
    await withCopy('tiny-gpt2', async (folder) => {
      await rm(path.join(folder, 'model.pt'));
      await expectError(() => openModelFolder(folder), 'MODEL_FILE_NOT_FOUND', folder, 'model.pt');
    });
  });

  it('says that model.pt is truncated, or longer, with both sizes', async () => {
    await withCopy('tiny-gpt2', async (folder) => {
      const file = path.join(folder, 'model.pt');
      const { length } = await readFile(file);
      await truncate(file, 1000);
      await expectError(
        () => openModelFolder(folder),
        'MODEL_HASH_MISMATCH',
        'truncated',
        '1000 bytes',
        `says ${length}`,
      );
      await appendFile(file, Buffer.alloc(length));
      await expectError(
        () => openModelFolder(folder),
        'MODEL_HASH_MISMATCH',
        'not the file that was exported',
      );
    });
  });

  it('says that model.pt is another file of the same size, with both hashes', async () => {
    await withCopy('tiny-gpt2', async (folder) => {
      const file = path.join(folder, 'model.pt');
      const expected = await sha256OfFile(file);
      const bytes = await readFile(file);
      bytes[2000] = (bytes[2000] ?? 0) ^ 1;
      await writeFile(file, bytes);
      await expectError(
        () => openModelFolder(folder),
        'MODEL_HASH_MISMATCH',
        expected,
        await sha256OfFile(file),
      );
    });
  });
});
