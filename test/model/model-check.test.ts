import { requireEqualFingerprint } from '../../src/model/model-check.js';
import type { Manifest } from '../../src/model/manifest.js';
import { expectError } from '../support/errors.js';

const check: Manifest['check'] = {
  inputIds: [[1, 2, 3]],
  topLogits: [
    [
      { id: 4, logit: 10 },
      { id: 7, logit: 9 },
      { id: 2, logit: 8.9999 },
    ],
  ],
  sites: [{ module: 'h.0', shape: [1, 3, 4], checksum: { mean: 0.5, norm: 100, projection: -3 } }],
};
const [site] = check.sites;
const [row] = check.topLogits;

function found(
  changes: { readonly checksum?: object; readonly shape?: number[]; readonly logits?: typeof row } = {},
): {
  readonly topLogits: Manifest['check']['topLogits'];
  readonly sites: Manifest['check']['sites'];
} {
  return {
    topLogits: [changes.logits ?? row!],
    sites: [
      {
        module: 'h.0',
        shape: changes.shape ?? site!.shape,
        checksum: { ...site!.checksum, ...changes.checksum },
      },
    ],
  };
}

describe('requireEqualFingerprint', () => {
  it('accepts equal numbers, and those that rounding changes', () => {
    requireEqualFingerprint(check, found(), 'float32');
    requireEqualFingerprint(check, found({ checksum: { norm: 100.005, projection: -3.005 } }), 'float32');
  });

  it('accepts two tied tokens in another order', () => {
    const logits = [row![0]!, { id: 2, logit: 9 }, { id: 7, logit: 8.9999 }];
    requireEqualFingerprint(check, found({ logits }), 'float32');
  });

  it('accepts a tied token that fell off the end', () => {
    const logits = [row![0]!, row![1]!, { id: 3, logit: 8.9999 }];
    requireEqualFingerprint(check, found({ logits }), 'float32');
  });

  it('names the site whose numbers differ, with both numbers', async () => {
    for (const [part, value, expected] of [
      ['norm', 100.02, 100],
      ['projection', -3.02, -3],
      ['mean', 0.51, 0.5],
      ['mean', Number.NaN, 0.5],
    ] as const) {
      const wrong = found({ checksum: { [part]: value } });
      await expectError(
        () => {
          requireEqualFingerprint(check, wrong, 'float32');
        },
        'MODEL_CHECK_FAILED',
        `${part} of the output of "h.0"`,
        `to be ${expected}, found ${value}`,
      );
    }
  });

  it('allows narrow types more', async () => {
    const near = found({ checksum: { norm: 100.5, projection: -3.5 } });
    requireEqualFingerprint(check, near, 'float16');
    await expectError(() => {
      requireEqualFingerprint(check, found({ checksum: { norm: 102 } }), 'float16');
    }, 'MODEL_CHECK_FAILED');
    requireEqualFingerprint(check, found({ checksum: { norm: 102 } }), 'bfloat16');
  });

  it('names another shape, a missing site, and other logits', async () => {
    const fails = (wrong: ReturnType<typeof found>, ...parts: string[]): Promise<unknown> =>
      expectError(
        () => {
          requireEqualFingerprint(check, wrong, 'float32');
        },
        'MODEL_CHECK_FAILED',
        ...parts,
      );
    await fails(found({ shape: [1, 3, 5] }), 'shape', '[1, 3, 4]', '[1, 3, 5]');
    await fails({ ...found(), sites: [] }, '"h.0"', 'found nothing');
    await fails(
      found({ logits: [{ id: 4, logit: 10.1 }, row![1]!, row![2]!] }),
      'row 0',
      'the token 4',
      '10.1',
    );
    await fails(found({ logits: [{ id: 5, logit: 10 }, row![1]!, row![2]!] }), '10 for the token 4', '5: 10');
  });
});
