import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { dependenciesAreInstalled } from '../../scripts/setup/steps.mjs';

describe('dependenciesAreInstalled', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'dependencies-'));
    mkdirSync(path.join(root, 'node_modules'));
    writeLock('package-lock.json', {
      '': { version: '0.1.0' },
      'node_modules/chai': { version: '6.3.0' },
      'node_modules/only-on-windows': { version: '1.0.0', optional: true },
    });
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function writeLock(file: string, packages: object) {
    writeFileSync(path.join(root, file), JSON.stringify({ packages }));
  }

  it('is false before the first install', () => {
    expect(dependenciesAreInstalled(root)).to.equal(false);
  });

  it('is true if every package is there, but for optional ones', () => {
    writeLock('node_modules/.package-lock.json', { 'node_modules/chai': { version: '6.3.0' } });
    expect(dependenciesAreInstalled(root)).to.equal(true);
  });

  it('is false if a package is missing or of another version', () => {
    writeLock('node_modules/.package-lock.json', { 'node_modules/other': { version: '1.0.0' } });
    expect(dependenciesAreInstalled(root)).to.equal(false);
    writeLock('node_modules/.package-lock.json', { 'node_modules/chai': { version: '6.2.0' } });
    expect(dependenciesAreInstalled(root)).to.equal(false);
  });
});
