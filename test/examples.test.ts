import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { projectRoot } from '../scripts/setup/paths.mjs';

const folder = path.join(projectRoot, 'examples');

async function runExample(name: string, parameters: readonly string[] = []): Promise<string[]> {
  const script = path.join('examples', `${name}.ts`);
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, ...parameters], {
    cwd: projectRoot,
  });
  return stdout.trimEnd().split('\n');
}

/** The number before the percent sign. */
function percentOf(line: string): number {
  return Number(/([\d.]+) %$/.exec(line)?.[1]);
}

describe('examples', () => {
  it('are all run here', () => {
    const scripts = readdirSync(folder).filter((file) => file.endsWith('.ts'));
    expect(scripts.sort()).to.deep.equal([
      'activation-steering.ts',
      'causal-trace-by-hand.ts',
      'logit-lens.ts',
      'zero-ablation.ts',
    ]);
  });

  it('logit-lens ends with the answer, and does not begin with it', async () => {
    const lines = await runExample('logit-lens');
    expect(lines.at(-1)).to.match(/layer +\d+: " Paris"$/);
    expect(lines[1])
      .to.match(/layer +0: "/)
      .and.not.include('Paris');
  });

  it('zero-ablation loses much of the answer at one layer at least, and names it', async () => {
    const lines = await runExample('zero-ablation');
    expect(lines[0]).to.match(/city of Paris: /);
    const clean = percentOf(lines[0]!);
    expect(clean).to.be.within(90, 100);
    const ablated = lines.slice(1).map(percentOf);
    expect(Math.min(...ablated)).to.be.below(clean / 2);
    expect(Math.max(...ablated)).to.be.at.most(100);
  });

  it("activation-steering changes the answer to the other subject's", async () => {
    const lines = await runExample('activation-steering');
    expect(lines).to.have.length(2);
    expect(lines[0]).to.match(/Paris$/);
    expect(lines[1]).to.match(/Berlin$/);
  });

  it('causal-trace-by-hand equals calculateHiddenFlow', async () => {
    const [line = ''] = await runExample('causal-trace-by-hand');
    expect(line).to.match(/city of Paris: \d+ scores by hand/);
    expect(Number(/largest difference ([\d.e+-]+)$/.exec(line)?.[1])).to.be.below(1e-5);
  });
});
