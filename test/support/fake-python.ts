import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** What a fake Python says of itself and does as the exporter. */
export interface FakePython {
  readonly version?: string;
  readonly torch?: string | null;
  readonly transformers?: string | null;
  /** What the exporter prints, and how it ends. */
  readonly exporter?: { readonly stdout?: string; readonly stderr?: string; readonly status?: number };
}

/** Writes a program that answers as a Python would, and gives its path. It writes its parameters to `parameters.json` beside it. */
export async function writeFakePython(folder: string, fake: FakePython = {}): Promise<string> {
  const file = path.join(folder, 'python');
  const { version = '3.12.1', torch = '2.13.0+cpu', transformers = '5.18.0', exporter = {} } = fake;
  const answer = JSON.stringify({ executable: file, version, torch, transformers });
  const script = `#!${process.execPath}
const { writeFileSync } = require('node:fs');
if (process.argv[2] === '-c') console.log(${JSON.stringify(answer)});
else {
  writeFileSync(${JSON.stringify(path.join(folder, 'parameters.json'))}, JSON.stringify(process.argv.slice(2)));
  process.stderr.write(${JSON.stringify(exporter.stderr ?? '')});
  process.stdout.write(${JSON.stringify(exporter.stdout ?? '')});
  process.exitCode = ${exporter.status ?? 0};
}
`;
  await writeFile(file, script);
  await chmod(file, 0o755);
  return file;
}
