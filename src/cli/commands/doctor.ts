import { Command, Option } from 'commander';
import { createColors } from 'picocolors';
import { CUDA_DEVICES_OPTION, cudaDevices } from '../cuda-check.js';
import { runChecks, type Check } from '../doctor-checks.js';
import { EXIT_CODES } from '../exit-codes.js';
import { writeResult } from '../messages.js';
import { detectColorSupport } from '../terminal-colors.js';

const DESCRIPTION = `Say what is found, what is chosen, what is missing, and what to do about it.

Exit status: 0 if everything that tracing needs is there, else 1. Python is only needed to export models.`;

interface DoctorFlags {
  readonly python?: string;
  readonly json?: boolean;
  readonly cudaDevices?: boolean;
}

/** `causal-tracer doctor`. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .summary('say what is found, chosen and missing, and the remedy')
    .description(DESCRIPTION)
    .option('--python <path>', 'the Python to look at')
    .option('--json', 'print the checks as JSON')
    .addOption(new Option(CUDA_DEVICES_OPTION).hideHelp())
    .action(async ({ python, json, cudaDevices: devicesOnly }: DoctorFlags) => {
      if (devicesOnly === true) {
        await writeResult(JSON.stringify(cudaDevices()));
        return;
      }
      const checks = await runChecks(python);
      const ready = checks.every(({ state, needed }) => state === 'ok' || !needed);
      await writeResult(
        json === true ? `${JSON.stringify({ ready, checks }, null, 2)}\n` : describe(checks, ready),
      );
      if (!ready) process.exitCode = EXIT_CODES.failed;
    });
}

function describe(checks: readonly Check[], ready: boolean): string {
  const { green, red, yellow } = createColors(detectColorSupport(process.stdout, process.env) !== 'none');
  const indent = ' '.repeat(9);
  const lines = checks.flatMap(({ name, state, needed, detail, notes, remedy }) => {
    const mark = state === 'ok' ? green('ok     ') : needed ? red('missing') : yellow('missing');
    const more = [...notes, ...(remedy === null ? [] : remedy.split('\n').map((line) => `→ ${line}`))];
    return [`${mark}  ${name}: ${detail}`, ...more.map((line) => `${indent}${line}`)];
  });
  return `${lines.join('\n')}\n\n${ready ? 'Ready to trace.' : 'Not ready to trace: see what is missing above.'}\n`;
}
