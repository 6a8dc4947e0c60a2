// @ts-check
import { spawnSync } from 'node:child_process';
import { LineProcess } from '../bench/line-process.mjs';
import { SetupError } from '../setup/run.mjs';

/** @param {string} fields */
function query(fields) {
  const { status, stdout } = spawnSync(
    'nvidia-smi',
    [`--query-gpu=${fields}`, '--format=csv,noheader,nounits'],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new SetupError('There is no GPU: nvidia-smi does not work here.');
  return stdout.trim().split('\n')[0] ?? '';
}

/** The first GPU, its memory and driver. */
export function describeGpu() {
  const [name, memory, driver] = query('name,memory.total,driver_version').split(', ');
  return `${name}, ${memory} MiB, driver ${driver}`;
}

/** Bytes in use on the first GPU, by everybody. */
export function usedMemory() {
  return Number(query('memory.used')) * 2 ** 20;
}

/** Takes memory until the given number of bytes is free, and a JSON line says so; ends with its input. */
const HOLD = `
import json, sys, torch
keep = int(sys.argv[1])
held = []
while torch.cuda.mem_get_info()[0] > keep + (64 << 20):
    free = torch.cuda.mem_get_info()[0]
    held.append(torch.empty(min(free - keep, 4 << 30), dtype=torch.uint8, device="cuda"))
print(json.dumps({"free": torch.cuda.mem_get_info()[0]}), flush=True)
sys.stdin.read()
`;

/** A process that holds GPU memory, so that little is left for others. */
export class GpuMemoryHolder {
  #process;

  /** @param {LineProcess} process */
  constructor(process) {
    this.#process = process;
  }

  /**
   * @param {string} python
   * @param {number} left bytes to leave free
   */
  static async take(python, left) {
    const process = new LineProcess('The process that holds memory', python, ['-c', HOLD, String(left)]);
    await process.read();
    return new GpuMemoryHolder(process);
  }

  close() {
    this.#process.close();
  }
}
