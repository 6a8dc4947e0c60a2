import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { causalTracerVersion } from '../src/version.js';

describe('the version', () => {
  it('is that of package.json', () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      readonly version: string;
    };
    expect(causalTracerVersion).to.equal(version);
  });
});
