import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import ts from 'typescript';

const sourceFolder = fileURLToPath(new URL('../src/', import.meta.url));

/** The declaration files of the library by path, as a build writes them. */
function emitDeclarations(): ReadonlyMap<string, string> {
  const { config } = ts.readConfigFile(path.join(sourceFolder, '..', 'tsconfig.build.json'), (file) =>
    ts.sys.readFile(file),
  ) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, path.join(sourceFolder, '..'));
  const files = new Map<string, string>();
  const program = ts.createProgram([path.join(sourceFolder, 'index.ts')], {
    ...options,
    outDir: sourceFolder,
    emitDeclarationOnly: true,
    sourceMap: false,
    noCheck: true,
  });
  program.emit(undefined, (file, text) => files.set(path.resolve(file), text));
  return files;
}

/** Everything but the library's own files that the declarations of a file refer to. */
function packagesOf(declarations: ReadonlyMap<string, string>, start: string): string[] {
  const packages = new Set<string>();
  const open = [start];
  const seen = new Set(open);
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    const text = declarations.get(file);
    if (text === undefined) throw new Error(`${file} was not written`);
    for (const { fileName } of ts.preProcessFile(text).importedFiles) {
      if (!fileName.startsWith('.')) packages.add(fileName);
      else {
        const target = path.resolve(path.dirname(file), fileName.replace(/\.js$/, '.d.ts'));
        if (!seen.has(target)) open.push(target);
        seen.add(target);
      }
    }
  }
  return [...packages];
}

describe('the public types', () => {
  it("need no types of the drawing libraries, which not every project's settings can read", function () {
    this.timeout(120_000);
    const declarations = emitDeclarations();
    expect(packagesOf(declarations, path.join(sourceFolder, 'index.d.ts'))).to.deep.equal(['zod']);
  });
});
