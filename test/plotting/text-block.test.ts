import { expect } from 'chai';
import { placeBlock, textBlock } from '../../src/plotting/text-block.js';
import { wrapText } from '../../src/plotting/text-wrap.js';

/** Every character is as wide as the font size. */
const measure = (text: string, fontSize: number): number => text.length * fontSize;
const upTo = (length: number) => (line: string) => line.length <= length;

function lines(text: string, maxWidth: number, maxLines = Infinity): string[] {
  return textBlock(text, { fontSize: 1, maxWidth, maxLines, measure }).lines.map((line) => line.text);
}

describe('wrapping text', () => {
  it('breaks between words, at line breaks, and inside words that are too long', () => {
    expect(wrapText('one two three', upTo(7))).to.deep.equal(['one two', 'three']);
    expect(wrapText('one\ntwo three', upTo(20))).to.deep.equal(['one', 'two three']);
    expect(wrapText('a abcdefghij b', upTo(4))).to.deep.equal(['a', 'abcd', 'efgh', 'ij b']);
  });

  it('puts at least one character on a line, and nothing on none', () => {
    expect(wrapText('abc', upTo(0))).to.deep.equal(['a', 'b', 'c']);
    expect(wrapText('  ', upTo(9))).to.deep.equal([]);
  });
});

describe('text blocks', () => {
  it('make the lines about equally wide', () => {
    expect(lines('aaaa bbbb cccc dd', 15)).to.deep.equal(['aaaa bbbb', 'cccc dd']);
    expect(lines('aaaa bbbb cccc dd', 17)).to.deep.equal(['aaaa bbbb cccc dd']);
  });

  it('break no word for the sake of equal lines', () => {
    expect(lines('abcdefghijkl m', 13)).to.deep.equal(['abcdefghijkl', 'm']);
  });

  it('end with an ellipsis where lines are left out', () => {
    expect(lines('aaaa bbbb cccc dddd', 5, 2)).to.deep.equal(['aaaa', 'bbbb…']);
    expect(lines('aaaaa bbbbb cccc', 5, 2)).to.deep.equal(['aaaaa', 'bbbb…']);
  });

  it('show control characters', () => {
    expect(lines('a\x07 b\tc', 20)).to.deep.equal(['a\\x07 b c']);
  });

  it('are centered, all lines alike, and pushed back between their bounds', () => {
    const block = textBlock('aaaa\nbb', { fontSize: 10, maxWidth: 100, maxLines: 9, measure });
    const centered = placeBlock(block, { center: 50, top: 5, left: 0, right: 100 });
    expect(centered.map(({ left, top, width, height }) => [left, top, width, height])).to.deep.equal([
      [30, 5, 40, 12],
      [40, 17, 20, 12],
    ]);
    const pushed = placeBlock(block, { center: 95, top: 5, left: 0, right: 100 });
    expect(pushed.map(({ left }) => left)).to.deep.equal([60, 70]);
  });
});
