// @ts-check

/**
 * What the conformance suite found of one family.
 * @typedef {object} FamilyResult
 * @property {string} name
 * @property {string} special
 * @property {boolean} works whether every score equals the Python package's
 * @property {string} attention the attention implementation that was exported; empty for a family that is refused
 * @property {readonly string[]} engines those of the three kinds
 * @property {readonly string[]} reasons why a kind got no faster engine
 * @property {string} refusal why the exporter refuses the family; empty if it does not
 */

/** The command that writes the table anew. */
export const tableCommand = 'node scripts/conformance/write-families.mjs';

/**
 * The rows of docs/families.md of the families that are exported.
 * @param {FamilyResult} result
 */
export function formatFamily({ name, special, works, attention, engines, reasons }) {
  return `| ${name} | ${works ? 'yes' : 'no'} | ${formatEngines(engines, reasons)} | ${attention} | ${special} |`;
}

/**
 * The rows of docs/families.md of the families that are refused.
 * @param {FamilyResult} result
 */
export function formatRefusal({ name, refusal }) {
  return `| ${name} | ${refusal} |`;
}

/**
 * docs/families.md.
 * @param {readonly FamilyResult[]} results
 */
export function formatFamilies(results) {
  const exported = results.filter(({ refusal }) => refusal === '');
  const refused = results.filter(({ refusal }) => refusal !== '');
  const working = exported.filter(({ works }) => works);
  const incremental = working.filter(({ engines }) => engines.every((engine) => engine === 'incremental'));
  return `# Model families

Written by \`${tableCommand}\` from the record of the conformance suite (\`test/conformance\`), which a test
compares it with. Each line is a tiny random model: built with transformers, exported without a layer config given by
hand, traced for hidden states, MLP and attention outputs with windows of 1 and 4, and every score compared with that of the
Python package given the same layer names. "Works" means that all of them agree within 1e-5. "Engine" is the one that was proven
at load: the incremental one is the fastest, \`layers\` runs whole blocks from the first restored one on, \`full\` the whole model
for every cell. All give the same numbers; where it is not the first, the reason stands behind it.
"Attention" is the implementation that the exporter chose.

${working.length} of ${exported.length} models work, ${incremental.length} of them with the incremental engine for every kind.

| family | works | engine | attention | what is special |
| --- | --- | --- | --- | --- |
${exported.map(formatFamily).join('\n')}

Two families are compared with a changed reference, because the Python package cannot trace them as they are: OPT's block
flattens batch and position before the MLP, which is undone; and Falcon adds the attention's output in place to that of the
MLP, which the package has only kept a reference to, so it is made to keep a copy.

## Families that are refused

The exporter names these with the reason, and writes nothing.

| family | reason |
| --- | --- |
${refused.map(formatRefusal).join('\n')}
`;
}

/**
 * @param {readonly string[]} engines
 * @param {readonly string[]} reasons
 */
function formatEngines(engines, reasons) {
  const kinds = ['hidden', 'mlp', 'attention'];
  const names = [...new Set(engines)];
  const shown =
    names.length === 1 ? String(names[0]) : engines.map((engine, i) => `${kinds[i]}: ${engine}`).join(', ');
  // Without measured differences, which are not the same on every machine.
  const why = [...new Set(reasons.filter((reason) => reason !== ''))].map((reason) =>
    reason.replace(/ by \S+ of the largest.*/, ''),
  );
  return why.length === 0 ? shown : `${shown} (${why.join('; ')})`;
}
