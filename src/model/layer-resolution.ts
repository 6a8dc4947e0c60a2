import { CausalTracerError } from '../errors.js';
import { LAYER_ROLES, matcherField, moduleNameOf, type LayerConfig, type LayerRole } from './layer-config.js';
import { nearestNames, numberedTemplates } from './near-names.js';

/** What resolution needs to know of a module; see `NativeModule`. */
export interface ResolvableModule {
  readonly name: string;
  /** Why the module's output cannot be hooked; empty where it can. */
  readonly unhookable: string;
}

/** A module that a layer config names. */
export interface Site {
  readonly module: string;
  readonly role: 'embedding' | LayerRole;
  /** Counted from 0; null for the embedding. */
  readonly layer: number | null;
  /** Why its output can be neither captured nor changed; empty where it can. */
  readonly problem: string;
}

/** A layer config applied to the modules of one model. */
export class ResolvedLayers {
  /** How many modules the hidden matcher finds, counted from layer 0. */
  readonly count: number;
  readonly #modules: ReadonlyMap<string, ResolvableModule>;

  /**
   * Finds the layers: the hidden matcher is expanded from 0 until a name is no module.
   *
   * @throws CausalTracerError `MODULE_NOT_FOUND` if a matcher matches nothing or the embedding is missing, listing
   *   near names; `MODULE_NOT_HOOKABLE` for an embedding whose output cannot be reached; `LAYER_TEMPLATE_INVALID`
   *   for a matcher function that gives one module to two layers.
   */
  constructor(
    readonly config: LayerConfig,
    modules: readonly ResolvableModule[],
  ) {
    this.#modules = new Map(modules.map((module) => [module.name, module]));
    this.count = this.#countLayers();
    for (const role of LAYER_ROLES) {
      const names = Array.from({ length: this.count }, (_, layer) => this.#name(role, layer));
      if (!names.some((name) => this.#modules.has(name))) throw this.#noSuchLayer(role, 0);
    }
    const embedding = this.#modules.get(config.embeddingLayer);
    if (embedding === undefined) throw this.#noSuchEmbedding();
    requireHookable(embedding, 'embeddingLayer');
  }

  /** Every module that the config names, the embedding first, then layer by layer. */
  sites(): Site[] {
    const site = (module: string, role: Site['role'], layer: number | null): Site => {
      const found = this.#modules.get(module);
      return {
        module,
        role,
        layer,
        problem: found === undefined ? 'the model has no such module' : found.unhookable,
      };
    };
    const layers = Array.from({ length: this.count }, (_, layer) =>
      LAYER_ROLES.map((role) => site(this.#name(role, layer), role, layer)),
    );
    return [site(this.config.embeddingLayer, 'embedding', null), ...layers.flat()];
  }

  /**
   * The module names of one role, `[layer]`.
   *
   * @throws CausalTracerError `MODULE_NOT_FOUND` for a layer without such a module; `MODULE_NOT_HOOKABLE` for one
   *   whose output cannot be reached.
   */
  moduleNames(role: LayerRole): string[] {
    return Array.from({ length: this.count }, (_, layer) => {
      const name = this.#name(role, layer);
      const module = this.#modules.get(name);
      if (module === undefined) throw this.#noSuchLayer(role, layer);
      requireHookable(module, `${matcherField(role)}, layer ${layer}`);
      return name;
    });
  }

  #name(role: LayerRole, layer: number): string {
    return moduleNameOf(this.config[matcherField(role)], layer);
  }

  #countLayers(): number {
    const layerOf = new Map<string, number>();
    for (let layer = 0; ; layer += 1) {
      const name = this.#name('hidden', layer);
      if (!this.#modules.has(name)) {
        if (layer === 0) throw this.#noSuchLayer('hidden', 0);
        return layer;
      }
      const earlier = layerOf.get(name);
      if (earlier !== undefined) {
        throw new CausalTracerError(
          'LAYER_TEMPLATE_INVALID',
          `The layer config's hiddenLayersMatcher gives the module "${name}" to layer ${earlier} and to layer ` +
            `${layer}. It must give every layer a module of its own, and after the last a name that is no module.`,
        );
      }
      layerOf.set(name, layer);
    }
  }

  #noSuchLayer(role: LayerRole, layer: number): CausalTracerError {
    const matcher = this.config[matcherField(role)];
    const name = this.#name(role, layer);
    const near =
      typeof matcher === 'string'
        ? nearestNames(matcher, numberedTemplates(this.#modules.keys()))
        : nearestNames(name, this.#modules.keys());
    return new CausalTracerError(
      'MODULE_NOT_FOUND',
      `The model has no module "${name}", which the layer config's ${matcherField(role)} ` +
        `(${typeof matcher === 'string' ? `"${matcher}"` : 'a function'}) names for layer ${layer}.${listNear(near)}`,
    );
  }

  #noSuchEmbedding(): CausalTracerError {
    const unnumbered = [...this.#modules.keys()].filter((name) => !/(^|\.)\d+(\.|$)/.test(name));
    const near = nearestNames(this.config.embeddingLayer, unnumbered);
    return new CausalTracerError(
      'MODULE_NOT_FOUND',
      `The model has no module "${this.config.embeddingLayer}", the layer config's embeddingLayer.${listNear(near)}`,
    );
  }
}

function requireHookable(module: ResolvableModule, role: string): void {
  if (module.unhookable === '') return;
  throw new CausalTracerError(
    'MODULE_NOT_HOOKABLE',
    `The output of the module "${module.name}" (the layer config's ${role}) cannot be reached: ${module.unhookable}. ` +
      'Name another module; `causal-tracer inspect` lists those that can be hooked.',
  );
}

function listNear(names: readonly string[]): string {
  return names.length === 0 ? '' : ` Near names in the model: ${names.join(', ')}.`;
}
