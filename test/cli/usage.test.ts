import { CommanderError } from 'commander';
import { expect } from 'chai';
import { createProgram } from '../../src/cli/program.js';
import { describeError } from '../../src/cli/report-error.js';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line that ends before any work is done. */
async function parse(...parameters: string[]): Promise<Outcome> {
  const program = createProgram();
  let [stdout, stderr] = ['', ''];
  for (const command of [program, ...program.commands]) {
    command.configureOutput({ writeOut: (text) => (stdout += text), writeErr: (text) => (stderr += text) });
  }
  try {
    await program.parseAsync(parameters, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { code: describeError(error, false).exitCode, stdout, stderr };
  }
  throw new Error('the command did its work');
}

describe('usage of the command line', () => {
  const wrong: readonly (readonly [parameters: string[], ...parts: string[]])[] = [
    [['trac'], "unknown command 'trac'", 'Did you mean trace?', 'causal-tracer --help'],
    [['trace'], "missing required argument 'model'", 'causal-tracer trace --help'],
    [['trace', 'm'], 'a prompt is needed'],
    [['trace', 'm', '--promt', 'x'], "unknown option '--promt'", 'Did you mean --prompt?'],
    [['trace', 'm', '--prompt'], "option '-p, --prompt <text>' argument missing"],
    [['trace', 'm', 'n', '--prompt', 'x'], 'too many arguments'],
    [['trace', 'm', '-p', 'x', '--window', 'abc'], '--window <n>', "'abc' is invalid", 'whole number'],
    [['trace', 'm', '-p', 'x', '--samples', '1.5'], '--samples <n>', 'whole number'],
    [['trace', 'm', '-p', 'x', '--batch-size', 'big'], '--batch-size <n>', 'whole number, or auto'],
    [['trace', 'm', '-p', 'x', '--noise', 'loud'], '--noise <x>', 'a number'],
    [['trace', 'm', '-p', 'x', '--kind', 'mpl'], '--kind <kinds>', 'did you mean mlp?'],
    [['trace', 'm', '-p', 'x', '--answer', 'a', '--answer-id', '1'], 'cannot be used with'],
    [['trace', 'm', '-p', 'x', '--queries', 'f'], 'cannot be used with'],
    [['trace', 'm', '-q', 'f', '--subject', 'x'], 'cannot be used with'],
    [['trace', 'm', '-p', 'x', '-o', 'a.jpg'], 'must end with .png, .svg or .pdf', 'a.jpg'],
    [['trace', 'm', '-p', 'x', '-o', 'a.png', '--json', 'a.png'], 'cannot both write to a.png'],
    [['trace', 'm', '-p', 'x', '-o', 'a.png', '--json', './a.png'], 'cannot both write to a.png'],
    [['trace', 'm', '-q', 'f.jsonl', '--json', './f.jsonl'], 'overwrite the queries in f.jsonl'],
    [['trace', 'm', '-q', 'f.png', '-o', 'f.png'], 'overwrite the queries in f.png'],
    [['trace', 'm', '-p', 'x', '-k', 'attention', '-w', 'mlp=5'], '--window names mlp', 'only attention'],
    [['export', 'm'], "missing required argument 'out'"],
    [['export', 'm', 'o', '--dtype', 'int8'], 'Allowed choices are float32, bfloat16, float16'],
    [['inspect', 'm', '--modules', 'flat'], 'Allowed choices are tree, list'],
    [['trace', 'm', '-p', 'x', '--engine', 'fast'], 'Allowed choices are auto, incremental, layers, full'],
    [['inspect', 'm', '--kernels', 'mkl'], 'Allowed choices are auto, default'],
    [['demo', '--engine', 'fast'], 'Allowed choices are auto, incremental, layers, full'],
    [['demo', 'extra'], 'too many arguments'],
  ];
  for (const [parameters, ...parts] of wrong) {
    it(`refuses "${parameters.join(' ')}" with status 2`, async () => {
      const { code, stdout, stderr } = await parse(...parameters);
      expect(code).to.equal(2);
      expect(stdout).to.equal('');
      expect(stderr).to.match(/^error: /);
      for (const part of parts) expect(stderr).to.include(part);
    });
  }

  it('explains itself on standard error when nothing is asked, with status 2', async () => {
    const { code, stdout, stderr } = await parse();
    expect([code, stdout]).to.deep.equal([2, '']);
    expect(stderr).to.include('Usage: causal-tracer').and.to.include('Getting started:');
  });

  it('explains every command on standard output, with examples', async () => {
    for (const command of ['trace', 'export', 'inspect', 'demo', 'doctor']) {
      const { code, stdout, stderr } = await parse(command, '--help');
      expect([code, stderr], command).to.deep.equal([0, '']);
      expect(stdout).to.include(`Usage: causal-tracer ${command}`);
      expect(stdout).to.match(command === 'doctor' ? /Exit status/ : /Examples?:\n {2}\$ causal-tracer/);
      for (const line of stdout.split('\n')) expect(line.length, line).to.be.at.most(82);
    }
  });

  it('names every option of a trace in its help', async () => {
    const { stdout } = await parse('trace', '--help');
    const options = [
      'prompt subject kind window samples batch-size patch-seed noise start-layer end-layer subject-tokens-only answer',
      'answer-id queries output json device threads layer-config tokenizer title width height scale color-scale engine',
      'kernels',
    ];
    for (const option of options.join(' ').split(' ')) expect(stdout).to.include(`--${option}`);
  });

  it('tells its version', async () => {
    const { code, stdout } = await parse('--version');
    expect(code).to.equal(0);
    expect(stdout).to.match(/^\d+\.\d+\.\d+\S*\n$/);
  });
});
