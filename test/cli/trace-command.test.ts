import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import { createProgram } from '../../src/cli/program.js';
import { describeError, type ErrorReport } from '../../src/cli/report-error.js';
import { CausalTracer } from '../../src/tracing/causal-tracer.js';
import type { HiddenFlow } from '../../src/tracing/hidden-flow.js';
import { parseHiddenFlow } from '../../src/tracing/parse-hidden-flow.js';
import { requireEqualScores } from '../support/flows.js';
import { endOf, runCli, runCliInto, startCli, withFolder } from '../support/cli.js';
import { modelFolder } from '../support/models.js';

const model = modelFolder('tiny-gpt2');
const prompt = 'The Colosseum is in the city of';

/** One thread, because more are slower for a model as small as this. */
const quick = ['--threads', '1', '--samples', '2'];

function parseLines(text: string): HiddenFlow[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => parseHiddenFlow(JSON.parse(line)));
}

async function startOf(file: string, length: number): Promise<string> {
  return (await readFile(file)).subarray(0, length).toString('latin1');
}

/** What the command says of a failure; run in this process, which is quicker. */
async function failureOf(parameters: readonly string[]): Promise<ErrorReport> {
  try {
    await createProgram().parseAsync(parameters, { from: 'user' });
  } catch (error) {
    return describeError(error, false);
  }
  throw new Error('the command did not fail');
}

describe('causal-tracer trace', () => {
  let tracer: CausalTracer;
  before(async () => {
    tracer = await CausalTracer.load(model, { threads: 1 });
  });
  after(() => {
    tracer.dispose();
  });

  it('prints the numbers that the library computes', async () => {
    const options = [
      '--subject',
      'Colosseum',
      '--kind',
      'mlp',
      '--window',
      '3',
      '--samples',
      '3',
      '--patch-seed',
      '7',
    ];
    const range = ['--start-layer', '1', '--end-layer', '4', '--subject-tokens-only', '--answer-id', '70'];
    const parameters = [
      'trace',
      model,
      '-p',
      prompt,
      ...options,
      ...range,
      '--batch-size',
      '5',
      '--json',
      '-',
    ];
    const { code, stdout, stderr } = await runCli([...parameters, '--threads', '1']);
    expect(code, stderr).to.equal(0);
    // Noise makes this unlikely answer likelier.
    expect(stderr).to.match(/^Corrupting the subject "Colosseum" hardly lowers p\(f\): .*\n$/);
    const expected = await tracer.calculateHiddenFlow(prompt, {
      subject: 'Colosseum',
      kind: 'mlp',
      window: 3,
      samples: 3,
      patchSeed: 7,
      startLayer: 1,
      endLayer: 4,
      patchSubjectTokensOnly: true,
      answerIdOverride: 70,
      batchSize: 5,
    });
    const found = parseHiddenFlow(JSON.parse(stdout));
    requireEqualScores(found, expected);
    const { scores, lowScore, highScore } = found;
    expect(found).to.deep.equal({ ...expected, scores, lowScore, highScore });
  });

  it('takes the noise that is asked for, also none', async () => {
    const { stdout } = await runCli(['trace', model, '-p', prompt, ...quick, '--noise', '0', '--json', '-']);
    const flow = JSON.parse(stdout) as HiddenFlow;
    expect(flow.provenance.noise).to.equal(0);
    expect(flow.lowScore).to.be.closeTo(flow.highScore, 1e-6);
  });

  it('traces with the engine and the kernels that are asked for', async () => {
    const asked = ['--engine', 'full', '--kernels', 'default', '--json', '-'];
    const { code, stdout, stderr } = await runCli(['trace', model, '-p', prompt, ...quick, ...asked]);
    expect([code, stderr]).to.deep.equal([0, '']);
    const flow = parseHiddenFlow(JSON.parse(stdout));
    expect(flow.provenance).to.include({ engine: 'full', engineReason: null });
    const expected = await tracer.calculateHiddenFlow(prompt, { samples: 2 });
    expect(expected.provenance).to.include({ engine: 'incremental', engineReason: null });
    requireEqualScores(flow, expected);
  });

  it('draws in the terminal when no file is asked for', async () => {
    const { code, stdout, stderr } = await runCli(['trace', model, '-p', prompt, ...quick]);
    expect([code, stderr]).to.deep.equal([0, '']);
    const lines = stdout.split('\n');
    expect(lines[0]).to.equal('Impact of restoring hidden after corrupted input (2 samples)');
    expect(lines.filter((line) => /\* {2}[.\d]/.test(line))).to.have.length(9);
    expect(lines.filter((line) => /^ *of {2}[.\d]/.test(line))).to.have.length(1);
    expect(stdout).to.match(/layer {2}0 {2}1 {2}2 {2}3 {2}4\n\nscale: \. is 0\.\d+, 9 is 0\.\d+\np\(/);
    expect(stdout).not.to.include('\u001b');
    const colored = await runCli(['trace', model, '-p', prompt, ...quick], { env: { FORCE_COLOR: '3' } });
    expect(colored.stdout).to.include('\u001b[48;2;63;0;125m');
  });

  it('writes a picture of each format, and JSON beside it', async () => {
    await withFolder(async (folder) => {
      const starts = { png: '\u0089PNG\r\n', svg: '<', pdf: '%PDF-' };
      for (const [format, start] of Object.entries(starts)) {
        const picture = path.join(folder, 'new', `flow.${format}`);
        const json = path.join(folder, 'flow.json');
        const { code, stdout, stderr } = await runCli([
          'trace',
          model,
          '-p',
          prompt,
          ...quick,
          '-o',
          picture,
          '--json',
          json,
          '--title',
          'Where is it?',
        ]);
        expect([code, stdout]).to.deep.equal([0, '']);
        expect(stderr).to.match(new RegExp(`Wrote .*flow\\.${format}\\n {2}hidden: p\\(`));
        expect(await startOf(picture, start.length)).to.equal(start);
        const flow = parseHiddenFlow(JSON.parse(await readFile(json, 'utf8')));
        expect(flow.provenance.prompt).to.equal(prompt);
      }
    });
  });

  it('puts several kinds into one picture and one array, with a window each', async () => {
    await withFolder(async (folder) => {
      const parameters = [
        '--kind',
        'all',
        '--window',
        'mlp=3,attention=2',
        '-o',
        'flow.svg',
        '--json',
        'flow.json',
      ];
      const { code, stderr } = await runCli(['trace', model, '-p', prompt, ...quick, ...parameters], {
        cwd: folder,
      });
      expect(code, stderr).to.equal(0);
      const flows = JSON.parse(await readFile(path.join(folder, 'flow.json'), 'utf8')) as HiddenFlow[];
      expect(flows.map(({ kind, window }) => [kind, window])).to.deep.equal([
        ['hidden', 1],
        ['mlp', 3],
        ['attention', 2],
      ]);
      expect((await readdir(folder)).sort()).to.deep.equal(['flow.json', 'flow.svg']);
      const picture = await readFile(path.join(folder, 'flow.svg'), 'utf8');
      for (const kind of ['hidden', 'mlp', 'attention'])
        expect(picture).to.include(`restoring ${kind} after`);
    });
  });

  it('traces the prompts of a file, each as if it were alone', async () => {
    await withFolder(async (folder) => {
      const id = tracer.getAnswerId('i');
      const queries = [
        { prompt, subject: 'Colosseum' },
        { text: 'Rome is old', overrideAnswerId: 5 },
        { prompt: 'Rome is old', answer: 'i' },
      ];
      const lines = queries.map((query) => JSON.stringify(query)).join('\n\n');
      await writeFile(path.join(folder, 'facts.jsonl'), lines);
      const { code, stdout, stderr } = await runCli(
        ['trace', model, '-q', 'facts.jsonl', ...quick, '--json', 'all.jsonl', '-o', 'pictures/fact.png'],
        { cwd: folder },
      );
      expect([code, stdout], stderr).to.deep.equal([0, '']);
      const flows = parseLines(await readFile(path.join(folder, 'all.jsonl'), 'utf8'));
      expect(flows).to.have.length(3);
      const alone = [
        { text: prompt, subject: 'Colosseum' },
        { text: 'Rome is old', overrideAnswerId: 5 },
        { text: 'Rome is old', overrideAnswerId: id },
      ];
      for (const [i, query] of alone.entries()) {
        const [expected] = await tracer.calculateHiddenFlows([query], { samples: 2 });
        requireEqualScores(flows[i]!, expected!);
      }
      expect(await readdir(path.join(folder, 'pictures'))).to.deep.equal([
        'fact-1.png',
        'fact-2.png',
        'fact-3.png',
      ]);
    });
  });

  it('reads prompts from standard input, and writes a line for each to standard output', async () => {
    const stdin = '{"prompt": "Rome is"}\n{"prompt": "Paris is"}\n';
    const { code, stdout } = await runCli(['trace', model, '-q', '-', ...quick, '--json', '-'], { stdin });
    expect(code).to.equal(0);
    expect(parseLines(stdout).map(({ provenance }) => provenance.subject)).to.deep.equal(['Rome', 'Paris']);
  });

  it('checks every line of a file before it traces the first', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'facts.jsonl');
      await writeFile(file, '{"prompt": "Rome is"}\n{"prompt": "nothing is"}\n');
      const { code, stdout, stderr } = await runCli(['trace', model, '-q', file, ...quick, '--json', '-']);
      expect([code, stdout]).to.deep.equal([1, '']);
      expect(stderr).to.include(`error [SUBJECT_NOT_GUESSABLE]: ${file}, line 2: `);
    });
  });

  it('takes a bare TorchScript file with its tokenizer and layer config', async () => {
    await withFolder(async (folder) => {
      const config = path.join(folder, 'layers.json');
      await writeFile(config, JSON.stringify(tracer.layerConfig));
      const bare = [path.join(model, 'model.pt'), '--tokenizer', model, '--layer-config', config];
      const { code, stdout, stderr } = await runCli([
        'trace',
        ...bare,
        '-p',
        prompt,
        ...quick,
        '--json',
        '-',
      ]);
      expect(code, stderr).to.equal(0);
      const expected = await tracer.calculateHiddenFlow(prompt, { samples: 2 });
      expect((JSON.parse(stdout) as HiddenFlow).lowScore).to.be.closeTo(expected.lowScore, 1e-6);
    });
  });

  const failures: readonly (readonly [parameters: string[], ...parts: string[]])[] = [
    [['-p', prompt, '--window', '0'], 'INVALID_OPTION', 'window'],
    [['-p', prompt, '--scale', '100', '-o', 'a.png'], 'INVALID_OPTION', 'scale'],
    [['-p', prompt, '-o', `${model}/model.pt/a.png`], 'OUTPUT_NOT_WRITABLE', 'a.png', 'is not a folder'],
    [['-p', prompt, '--json', model], 'OUTPUT_NOT_WRITABLE', 'that is a folder'],
    [['-p', prompt, '--answer', 'Rome'], 'ANSWER_NOT_ONE_TOKEN', '"om"', '--answer-id'],
    [['-p', prompt, '--layer-config', 'no.json'], 'LAYER_CONFIG_INVALID', 'no.json', 'no such file'],
    [['-p', prompt, '--layer-config', `${model}/model.pt`], 'LAYER_CONFIG_INVALID', 'is not JSON'],
    [['-p', prompt, '--layer-config', `${model}/config.json`], 'LAYER_CONFIG_INVALID', 'config.json: '],
    [['-p', prompt, '--tokenizer', model], 'INVALID_OPTION', '--layer-config'],
    [['-q', 'no.jsonl'], 'QUERIES_FILE_INVALID', 'no.jsonl'],
  ];
  for (const [parameters, code, ...parts] of failures) {
    it(`fails with status 1 and ${code}: ${parameters.slice(-2).join(' ').replaceAll(model, 'MODEL')}`, async () => {
      const { exitCode, message } = await failureOf(['trace', model, ...quick, ...parameters]);
      expect(exitCode).to.equal(1);
      expect(message).to.match(new RegExp(`^error \\[${code}\\]: `));
      for (const part of parts) expect(message).to.include(part);
      expect(message).not.to.match(/\n +at /);
    });
  }

  it('says where a failure came from when asked', async () => {
    for (const [flags, env] of [
      [['--verbose'], {}],
      [[], { DEBUG: '1' }],
    ] as const) {
      const { code, stderr } = await runCli(['trace', 'no-such-model', '-p', 'Rome is', ...flags], { env });
      expect(code).to.equal(1);
      expect(stderr).to.match(/^error \[MODEL_FOLDER_NOT_FOUND\]: .*\n +at /);
    }
  });

  describe('with many prompts', () => {
    const many = '{"prompt": "The Colosseum is in"}\n'.repeat(2000);
    const parameters = ['trace', model, '-q', '-', ...quick, '--json', '-'];

    it('stops at Ctrl-C with status 130', async function () {
      if (process.platform === 'win32') this.skip();
      const child = startCli(parameters);
      child.stdin.end(many);
      await once(child.stdout, 'readable');
      const ended = endOf(child);
      child.kill('SIGINT');
      const { code, stdout, stderr } = await ended;
      expect([code, stderr]).to.deep.equal([130, 'interrupted\n']);
      expect(stdout.split('\n').length).to.be.within(1, 1999);
    });

    it('stops at a request to terminate while it waits for prompts', async function () {
      if (process.platform === 'win32') this.skip();
      const child = startCli(parameters);
      const ended = endOf(child);
      // More than a pipe holds: written once it is being read.
      await new Promise((resolve) => child.stdin.write(many.repeat(20), resolve));
      child.kill('SIGTERM');
      expect(await ended).to.include({ code: 130, stderr: 'interrupted\n' });
    });

    it('says that standard output is full', async function () {
      if (!existsSync('/dev/full')) this.skip();
      const { code, stderr } = await runCliInto('/dev/full', ['--version']);
      expect(code).to.equal(1);
      expect(stderr).to.include('OUTPUT_NOT_WRITABLE').and.to.include('standard output');
    });

    it('ends quietly when nobody reads on', async () => {
      const child = startCli(parameters);
      child.stdin.end(many);
      await once(child.stdout, 'readable');
      child.stdout.destroy();
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
      const [code] = (await once(child, 'exit')) as [number | null];
      expect([code, stderr]).to.deep.equal([0, '']);
    });
  });

  it('keeps the numbers when the picture fails', async () => {
    await withFolder(async (folder) => {
      for (const name of ['a.json', 'a.jsonl']) {
        const json = path.join(folder, name);
        const outputs = ['--json', json, '-o', path.join(folder, 'a.png'), '--width', '60'];
        const { code, stderr } = await runCli(['trace', model, '-p', prompt, ...quick, ...outputs]);
        expect(code).to.equal(1);
        expect(stderr).to.include('does not fit').and.to.include(`Wrote ${json}`);
        parseHiddenFlow(JSON.parse(await readFile(json, 'utf8')));
      }
      expect(await readdir(folder)).to.have.members(['a.json', 'a.jsonl']);
    });
  });

  it('leaves its model untouched', async () => {
    const sha256 = createHash('sha256')
      .update(await readFile(path.join(model, 'model.pt')))
      .digest('hex');
    expect(sha256).to.equal(tracer.model.sha256);
  });
});
