import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { FALLBACK_FONT, fontStack, glyphCheck, textMeasure } from '../../src/plotting/fonts.js';
import { plotHiddenFlowHeatmap } from '../../src/plotting/plot-hidden-flow.js';
import { syntheticFlow } from './synthetic-flow.js';

describe('fonts', () => {
  it('fall back on the font that comes with the package', () => {
    expect(fontStack()).to.equal('"DejaVu Sans"');
    expect(fontStack('A Font That Nobody Has')).to.equal('"DejaVu Sans"');
    expect(fontStack('')).to.equal('"DejaVu Sans"');
  });

  it('are the wanted ones that are there, in their order, whatever the case and quotes', () => {
    expect(fontStack('dejavu serif')).to.equal('"DejaVu Serif", "DejaVu Sans"');
    expect(fontStack(`'Nobody Has It', "DejaVu Sans Mono"`)).to.equal('"DejaVu Sans Mono", "DejaVu Sans"');
    expect(fontStack('serif')).to.equal('"DejaVu Serif", "DejaVu Sans"');
    expect(fontStack('monospace')).to.equal('"DejaVu Sans Mono", "DejaVu Sans"');
    expect(fontStack('sans-serif')).to.equal(`"${FALLBACK_FONT}"`);
  });

  it('change the picture', async () => {
    const pictures = await Promise.all(
      [undefined, 'serif', 'monospace', 'Nobody Has It'].map((fontFamily) =>
        plotHiddenFlowHeatmap(syntheticFlow(), { fontFamily, scale: 1, width: 400, height: 300 }),
      ),
    );
    const [usual, serif, monospace, unknown] = pictures;
    expect(usual !== undefined && unknown?.equals(usual)).to.equal(true);
    expect(usual !== undefined && serif?.equals(usual)).to.equal(false);
    expect(serif !== undefined && monospace?.equals(serif)).to.equal(false);
  });

  it('are measured in proportion to their size', () => {
    const measure = textMeasure(fontStack('monospace'));
    expect(measure('aaaa', 10)).to.be.closeTo(4 * measure('a', 10), 0.5);
    expect(measure('aaaa', 20)).to.be.closeTo(2 * measure('aaaa', 10), 1e-9);
    // DejaVu Sans Mono is 1233/2048 em wide.
    expect(measure('0', 2048)).to.be.closeTo(1233, 1);
  });

  it('know the characters that they can draw', () => {
    const canDraw = glyphCheck(fontStack());
    for (const character of 'Aé Жя Ωα ↵␣⇥…◌�−“”') {
      expect(canDraw(character), character).to.equal(true);
    }
    expect(canDraw('\u{10fffd}')).to.equal(false);
    expect(canDraw('\u0378')).to.equal(false);
  });
});

interface WithoutFontsReport {
  readonly installedFamilies: readonly string[];
  readonly inkOfInstalledFonts: boolean;
  readonly labels: Readonly<Record<string, number>>;
  readonly texts: Readonly<Record<string, number>>;
  readonly canDraw: Readonly<Record<string, boolean>>;
}

describe('a machine without a single installed font', function () {
  this.timeout(120_000);
  const script = fileURLToPath(new URL('without-fonts.ts', import.meta.url));
  const node = [process.execPath, '--import=tsx', script];
  let home: string;
  before(() => {
    home = mkdtempSync(join(tmpdir(), 'causal-tracer-home-'));
  });
  after(() => {
    rmSync(home, { recursive: true });
  });

  function expectText({ installedFamilies, labels, texts }: WithoutFontsReport): void {
    expect(installedFamilies).to.deep.equal([]);
    expect(Object.keys(labels)).to.include.members(['The', '"Москва"*', 'Ωμέγα', '↵', 'in', '0', '5']);
    for (const [text, darkness] of Object.entries({ ...labels, ...texts })) {
      expect(darkness, text).to.be.within(0.02, 0.5);
    }
  }

  it('has text in its pictures when the canvas library loads no installed fonts', () => {
    const env = { ...process.env, HOME: home, DISABLE_SYSTEM_FONTS_LOAD: '1' };
    const [command = '', ...args] = node;
    expectText(JSON.parse(execFileSync(command, args, { env, encoding: 'utf8' })) as WithoutFontsReport);
  });

  it('has text in its pictures when the font folders are empty', function () {
    const folders = ['/usr/share/fonts', '/usr/local/share/fonts'].filter((folder) => existsSync(folder));
    const hide = folders.map((folder) => `mount -t tmpfs none ${folder}`).join(' && ') || 'true';
    // A mount namespace of its own hides the folders from this process alone; not every system lets us have one.
    const unshare = ['--user', '--map-root-user', '--mount', 'sh', '-c', `${hide} && exec "$@"`, 'sh'];
    if (spawnSync('unshare', [...unshare, 'true']).status !== 0) {
      this.skip();
    }
    const env = { ...process.env, HOME: home };
    const report = JSON.parse(
      execFileSync('unshare', [...unshare, ...node], { env, encoding: 'utf8' }),
    ) as WithoutFontsReport;
    expectText(report);
    expect(report.inkOfInstalledFonts).to.equal(false);
    expect(report.labels).to.have.property('\\u6771\\u4eac');
    const { 東: cjk, ...others } = report.canDraw;
    expect(cjk).to.equal(false);
    expect(Object.values(others)).to.not.include(false);
  });
});
