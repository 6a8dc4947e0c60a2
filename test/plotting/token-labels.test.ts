import { expect } from 'chai';
import { shortenInMiddle, tokenLabel, tokenLabels, visibleText } from '../../src/plotting/token-labels.js';

describe('token labels', () => {
  it('leave out one leading space, and show every other space at an end', () => {
    expect(tokenLabel(' Tower')).to.equal('Tower');
    expect(tokenLabel('Tower')).to.equal('Tower');
    expect(tokenLabel('  Tower')).to.equal('␣Tower');
    expect(tokenLabel('a b ')).to.equal('a b␣');
    expect(tokenLabel(' ')).to.equal('␣');
    expect(tokenLabel('   ')).to.equal('␣␣␣');
    expect(tokenLabel('')).to.equal('""');
  });

  it('show line breaks, tabs, controls and invisible characters', () => {
    expect(tokenLabel('\n')).to.equal('↵');
    expect(tokenLabel('.\n\n')).to.equal('.↵↵');
    expect(tokenLabel('\r\n')).to.equal('\\r↵');
    expect(tokenLabel('\t')).to.equal('⇥');
    expect(tokenLabel('\x07\x7f')).to.equal('\\x07\\x7f');
    expect(tokenLabel('a\u00a0b')).to.equal('a\\xa0b');
    expect(tokenLabel('\u200b')).to.equal('\\u200b');
    expect(tokenLabel('\ufeff')).to.equal('\\ufeff');
    expect(tokenLabel('\u202e')).to.equal('\\u202e');
    expect(tokenLabel('\u3000')).to.equal('\\u3000');
    expect(tokenLabel('\ue000')).to.equal('\\ue000');
    expect(tokenLabel('\ud83d')).to.equal('\\ud83d');
    expect(tokenLabel('\u{e0001}')).to.equal('\\u{e0001}');
  });

  it('leave quotes, Cyrillic, CJK, accents and the replacement character as they are', () => {
    for (const token of [
      '"',
      '“x”',
      "it's",
      'Москва',
      '東京',
      'café',
      'cafe\u0301',
      '�',
      '<|endoftext|>',
      '\\n',
    ]) {
      expect(tokenLabel(token)).to.equal(token);
    }
  });

  it('put a mark that stands alone on a dotted circle', () => {
    expect(tokenLabel('\u0301')).to.equal('◌\u0301');
  });

  it('keep joiners between characters that they join, and show others', () => {
    expect(tokenLabel('👩\u200d🚀')).to.equal('👩\u200d🚀');
    expect(tokenLabel('می\u200cخواهم')).to.equal('می\u200cخواهم');
    expect(tokenLabel('a\u200d')).to.equal('a\\u200d');
  });

  it('escape what the fonts cannot draw, whole characters at a time', () => {
    const canDraw = (character: string): boolean => (character.codePointAt(0) ?? 0) < 0x3000;
    expect(tokenLabel(' 東京!', { canDraw })).to.equal('\\u6771\\u4eac!');
    expect(tokenLabel('👩\u200d🚀', { canDraw })).to.equal('\\u{1f469}\\u200d\\u{1f680}');
    expect(visibleText('p 東', { canDraw })).to.equal('p \\u6771');
  });

  it('have a star on the tokens of the subject', () => {
    expect(tokenLabels(['The', ' Space', ' Needle', ' is'], [1, 3])).to.deep.equal([
      { text: 'The', mark: '' },
      { text: 'Space', mark: '*' },
      { text: 'Needle', mark: '*' },
      { text: 'is', mark: '' },
    ]);
  });
});

describe('shortening in the middle', () => {
  const upTo = (length: number) => (text: string) => Array.from(text).length <= length;

  it('keeps what fits', () => {
    expect(shortenInMiddle('Tower', upTo(5))).to.equal('Tower');
  });

  it('keeps beginning and end of what does not, as much as fits', () => {
    expect(shortenInMiddle('0123456789', upTo(7))).to.equal('012…789');
    expect(shortenInMiddle('0123456789', upTo(6))).to.equal('012…89');
    expect(shortenInMiddle('0123456789', upTo(2))).to.equal('0…');
    expect(shortenInMiddle('0123456789', upTo(0))).to.equal('…');
  });

  it('does not cut characters apart', () => {
    const shortened = shortenInMiddle('e\u0301'.repeat(10), upTo(9));
    expect(shortened).to.equal('e\u0301e\u0301…e\u0301e\u0301');
    expect(shortenInMiddle('👩🚀👩🚀👩🚀', upTo(3))).to.equal('👩…🚀');
  });
});
