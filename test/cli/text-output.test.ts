import { expect } from 'chai';
import {
  bestCell,
  describeWeakCorruption,
  formatProbability,
  summarize,
} from '../../src/cli/flow-summary.js';
import { drawModuleTree, listModules } from '../../src/cli/module-listing.js';
import { formatTable } from '../../src/cli/text-table.js';
import { syntheticFlow } from '../plotting/synthetic-flow.js';

describe('tables', () => {
  it('align columns by what is seen', () => {
    expect(
      formatTable(
        [
          ['name', 'n'],
          ['東京', '10'],
          ['é', '9'],
        ],
        [1],
      ),
    ).to.equal('name   n\n東京  10\né      9\n');
  });
});

describe('summaries of flows', () => {
  it('find the first of the best cells', () => {
    const scores = [
      [0.1, 0.2],
      [0.9, 0.9],
    ];
    const flow = { ...syntheticFlow(), scores };
    expect(bestCell(flow)).to.deep.equal({ token: 1, layer: 0, score: 0.9 });
    expect(bestCell(flow, [0, 1])).to.deep.equal({ token: 0, layer: 1, score: 0.2 });
  });

  it('keep small probabilities readable', () => {
    expect([0, 0.5, 0.0012, 0.000123].map(formatProbability)).to.deep.equal([
      '0.000',
      '0.500',
      '0.001',
      '1.2e-4',
    ]);
  });

  it('say answer, probabilities and best cell', () => {
    const flow = {
      ...syntheticFlow({ tokens: [' Rome', ' is'], subjectRange: [0, 1], layerCount: 2 }),
      scores: [
        [0.1, 0.7],
        [0.1, 0.1],
      ],
      lowScore: 0.1,
      highScore: 0.9,
      answer: ' old',
    };
    expect(summarize(flow)).to.equal(
      'p(old): 0.900 clean, 0.100 corrupted; highest 0.700, restored at token 0 (Rome*), layer 1',
    );
    const late = [
      [0.3, 0.2],
      [0.1, 0.9],
    ];
    expect(summarize({ ...flow, scores: late })).to.match(
      /; highest 0\.900, restored at token 1 \(is\), layer 1; at the subject 0\.300, token 0 \(Rome\*\), layer 0$/,
    );
  });

  it('say when the noise did not take the answer away', () => {
    const flow = { ...syntheticFlow({ tokens: [' The', ' is'] }), answer: ' old', highScore: 0.5 };
    expect(describeWeakCorruption({ ...flow, lowScore: 0.44 })).to.equal(null);
    const subject = JSON.stringify(flow.provenance.subject);
    for (const [lowScore, shown] of [
      [0.45, '0.450'],
      [0.9, '0.900'],
    ] as const) {
      const description = describeWeakCorruption({ ...flow, lowScore });
      expect(description).to.include(
        `the subject ${subject} hardly lowers p(old): ${shown}, clean 0.500. The map`,
      );
    }
  });
});

describe('listings of modules', () => {
  const module = (name: string, unhookable = '') => ({
    name,
    calls: 1,
    unhookable,
    unhookableInput: '',
  });
  const modules = [
    module(''),
    module('wte'),
    ...[0, 1, 2].flatMap((n) => [module(`h.${n}`), module(`h.${n}.attn`), module(`h.${n}.mlp`)]),
    module('h.3'),
    module('h.3.attn', 'no tensor'),
    module('h.3.mlp'),
    module('head'),
  ];

  it('fold blocks with equal contents', () => {
    expect(drawModuleTree(modules)).to.equal(
      [
        'wte',
        'h',
        '  0 to 2',
        '    attn',
        '    mlp',
        '  3',
        '    attn  (cannot be hooked: no tensor)',
        '    mlp',
        'head',
        '',
      ].join('\n'),
    );
  });

  it('name every module in a list', () => {
    const lines = listModules(modules).trimEnd().split('\n');
    expect(lines).to.have.length(modules.length - 1);
    expect(lines[0]).to.equal('wte');
    expect(lines).to.include('h.3.attn  (cannot be hooked: no tensor)');
  });
});
