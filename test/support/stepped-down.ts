import { loadAddon } from '../../src/native/addon.js';
import type { NativeEngineChoice, NativeEngineRequest, NativeModel } from '../../src/native/binding.js';
import type { NativeRuntime } from '../../src/model/traced-model.js';

/** The addon, but with models on which engines prove themselves as `prepare` says. */
export function runtimeWithEngines(
  prepare: (request: NativeEngineRequest) => readonly NativeEngineChoice[],
): NativeRuntime {
  const { addon, libtorch } = loadAddon();
  return {
    libtorch,
    addon: {
      createStopSource: () => addon.createStopSource(),
      loadModel: async (options) => withEngines(await addon.loadModel(options), prepare),
    },
  };
}

function withEngines(
  model: NativeModel,
  prepare: (request: NativeEngineRequest) => readonly NativeEngineChoice[],
): NativeModel {
  return new Proxy(model, {
    get(target, property) {
      if (property === 'prepareEngines') {
        // eslint-disable-next-line @typescript-eslint/require-await -- what `prepare` throws must reject the promise
        return async (request: NativeEngineRequest) => prepare(request);
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
