import type { NativeModule } from '../native/binding.js';

/** A module and those below it. */
interface ModuleNode {
  readonly name: string;
  readonly module: NativeModule | null;
  readonly children: ModuleNode[];
}

/** One line a module: its name, and a remark where it cannot be hooked. */
export function listModules(modules: readonly NativeModule[]): string {
  return modules
    .filter(({ name }) => name !== '')
    .map((module) => `${module.name}${remark(module)}\n`)
    .join('');
}

/**
 * Modules indented below the module that holds them. Neighbours with numbers for names and equal contents, such as a model's
 * blocks, are written once: `0 to 11`.
 */
export function drawModuleTree(modules: readonly NativeModule[]): string {
  return drawNodes(buildTree(modules), '').join('');
}

function buildTree(modules: readonly NativeModule[]): readonly ModuleNode[] {
  const root: ModuleNode = { name: '', module: null, children: [] };
  const byName = new Map<string, ModuleNode>([['', root]]);
  const nodeOf = (path: string): ModuleNode => {
    const known = byName.get(path);
    if (known !== undefined) return known;
    const dot = path.lastIndexOf('.');
    const module = modules.find(({ name }) => name === path) ?? null;
    const node: ModuleNode = { name: path.slice(dot + 1), module, children: [] };
    byName.set(path, node);
    nodeOf(path.slice(0, Math.max(dot, 0))).children.push(node);
    return node;
  };
  for (const { name } of modules) nodeOf(name);
  return root.children;
}

function drawNodes(nodes: readonly ModuleNode[], indent: string): string[] {
  const lines: string[] = [];
  for (let i = 0; i < nodes.length;) {
    const node = nodes[i];
    if (node === undefined) break;
    const contents = drawNodes(node.children, `${indent}  `).join('');
    let last = i;
    for (let j = i + 1; isNumber(node.name) && j < nodes.length; j += 1) {
      const next = nodes[j];
      if (next === undefined || !isNumber(next.name) || remark(next.module) !== remark(node.module)) break;
      if (drawNodes(next.children, `${indent}  `).join('') !== contents) break;
      last = j;
    }
    const name = last === i ? node.name : `${node.name} to ${nodes[last]?.name ?? ''}`;
    lines.push(`${indent}${name}${remark(node.module)}\n${contents}`);
    i = last + 1;
  }
  return lines;
}

function isNumber(name: string): boolean {
  return /^\d+$/.test(name);
}

function remark(module: NativeModule | null): string {
  if (module === null || module.unhookable === '') return '';
  return `  (cannot be hooked: ${module.unhookable})`;
}
