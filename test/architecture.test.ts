import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const sourceFolder = fileURLToPath(new URL('../src/', import.meta.url));

/** The files below src/ and the files that each imports when it is run, both relative to src/. */
function readImports(): ReadonlyMap<string, readonly string[]> {
  const files = readdirSync(sourceFolder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.replaceAll(path.sep, '/'));
  return new Map(files.map((file) => [file, importsOf(file)]));
}

function importsOf(file: string): readonly string[] {
  const text = readFileSync(path.join(sourceFolder, file), 'utf8');
  const statements = text.matchAll(/^(?:import|export)\s+(?!type\b)[^;]*?from\s+'(\.[^']*)\.js'/gm);
  return [...statements].map(([, target = '']) => path.posix.join(path.posix.dirname(file), `${target}.ts`));
}

/** A chain of imports that comes back to its start; null if there is none. */
function findCycle(imports: ReadonlyMap<string, readonly string[]>): readonly string[] | null {
  const finished = new Set<string>();
  function visit(file: string, chain: readonly string[]): readonly string[] | null {
    if (chain.includes(file)) return [...chain.slice(chain.indexOf(file)), file];
    if (finished.has(file)) return null;
    for (const target of imports.get(file) ?? []) {
      const cycle = visit(target, [...chain, file]);
      if (cycle !== null) return cycle;
    }
    finished.add(file);
    return null;
  }
  for (const file of imports.keys()) {
    const cycle = visit(file, []);
    if (cycle !== null) return cycle;
  }
  return null;
}

describe('architecture', () => {
  it('has no cycle of imports', () => {
    expect(findCycle(readImports())).to.equal(null);
  });

  it('would show a cycle', () => {
    const imports = new Map([
      ['a.ts', ['b.ts']],
      ['b.ts', ['c.ts']],
      ['c.ts', ['b.ts']],
    ]);
    expect(findCycle(imports)).to.deep.equal(['b.ts', 'c.ts', 'b.ts']);
  });

  it('imports only files that exist', () => {
    const imports = readImports();
    expect(imports.size).to.be.greaterThan(10);
    expect([...imports.values()].flat().filter((target) => !imports.has(target))).to.deep.equal([]);
  });

  it('lets each folder import only from those below it', () => {
    const allowed: Readonly<Record<string, readonly string[]>> = {
      native: [],
      model: ['native'],
      tracing: ['native', 'model'],
      plotting: ['tracing'],
      cli: ['native', 'model', 'tracing', 'plotting'],
    };
    const forbidden = [...readImports()].flatMap(([file, targets]) => {
      const folder = file.split('/')[0] ?? '';
      if (!(folder in allowed)) return [];
      return targets
        .filter((target) => target.includes('/') && !target.startsWith(`${folder}/`))
        .filter((target) => !allowed[folder]?.includes(target.split('/')[0] ?? ''))
        .map((target) => `${file} imports ${target}`);
    });
    expect(forbidden).to.deep.equal([]);
  });
});
