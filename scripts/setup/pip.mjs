// @ts-check
import { libtorchVersion } from './paths.mjs';
import { probe, say, describeLog, SetupError, tryStep } from './run.mjs';

/** Where PyTorch offers its builds without CUDA. */
const cpuIndex = 'https://download.pytorch.org/whl/cpu';

/**
 * @typedef {object} TorchRequirement
 * @property {string} origin
 * @property {readonly string[]} parameters what to tell pip
 */

/**
 * How to ask pip for torch, best first: the build without CUDA where an index names one, PyTorch's own index of those,
 * any build. On macOS the ordinary build has no CUDA.
 * @param {string} [platform]
 * @returns {TorchRequirement[]}
 */
export function listTorchRequirements(platform = process.platform) {
  const plain = { origin: 'plain wheel', parameters: [`torch==${libtorchVersion}`] };
  if (platform === 'darwin') return [plain];
  const cpu = `torch==${libtorchVersion}+cpu`;
  return [
    { origin: 'CPU wheel', parameters: [cpu] },
    {
      origin: "CPU wheel from PyTorch's index",
      parameters: [cpu, '--index-url', cpuIndex, '--retries', '1'],
    },
    plain,
  ];
}

/**
 * Runs pip for torch with each requirement in turn until one succeeds.
 * @param {string} title
 * @param {string} python
 * @param {readonly string[]} parameters of pip, without the requirement
 * @throws SetupError with the logs' ends
 */
export async function pipTorch(title, python, parameters) {
  const failures = [];
  for (const { origin, parameters: requirement } of listTorchRequirements()) {
    const { failure, log } = await tryStep({
      title: `${title} (${origin})`,
      command: python,
      parameters: [...pip, ...parameters, ...requirement],
    });
    if (failure === null) return;
    failures.push(describeLog(log));
  }
  say('');
  throw new SetupError(
    `pip found no PyTorch ${libtorchVersion} for this machine.\n${failures.join('\n')}\n` +
      'Check the network and the settings of pip (proxy, index), or set CAUSAL_TRACER_LIBTORCH to a folder with libtorch ' +
      `${libtorchVersion}, or CAUSAL_TRACER_PYTHON to a Python that has a PyTorch ${libtorchVersion} (3.10 to 3.14).`,
  );
}

/** Parameters with which Python runs pip. */
export const pip = ['-m', 'pip', '--disable-pip-version-check', '--no-input'];

/**
 * Whether a Python has pip of its own; Debian's has not, unless asked for.
 * @param {string} python
 */
export function hasPip(python) {
  return probe(python, [...pip, '--version']) !== null;
}
