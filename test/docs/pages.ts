import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import MarkdownIt from 'markdown-it';
import { projectRoot } from '../../scripts/setup/paths.mjs';

/** A fenced block of a page. */
export interface CodeBlock {
  /** E.g. `ts`. */
  readonly language: string;
  /** The file that the block is the content of, as its opening line names it after the language; null for most. */
  readonly file: string | null;
  readonly code: string;
  /** Line of the page, counted from 1, on which the code begins. */
  readonly line: number;
  /** Why the block is not run: what a comment `<!-- not run: … -->` before it says; null where it is run. */
  readonly notRun: string | null;
}

/** A page in Markdown. */
export interface Page {
  /** Path from the project's root, with `/`. */
  readonly name: string;
  readonly text: string;
}

const markdown = new MarkdownIt({ html: true });
const NOT_RUN = /^<!-- not run: (.+) -->\s*$/;

/** README.md and the pages of docs/. */
export function listPages(): Page[] {
  const inFolder = readdirSync(path.join(projectRoot, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', ...inFolder.sort().map((name) => `docs/${name}`)].map(readPage);
}

export function readPage(name: string): Page {
  return { name, text: readFileSync(path.join(projectRoot, name), 'utf8') };
}

export function codeBlocks({ text }: Page): CodeBlock[] {
  const tokens = markdown.parse(text, {});
  return tokens.flatMap((token, i) => {
    if (token.type !== 'fence') return [];
    const [language = '', file = null] = token.info.trim().split(/\s+/);
    const before = tokens[i - 1];
    const notRun = before?.type === 'html_block' ? (NOT_RUN.exec(before.content)?.[1] ?? null) : null;
    return [{ language, file, code: token.content, line: (token.map?.[0] ?? 0) + 2, notRun }];
  });
}

/** The headings of a page, as they are written in Markdown. */
export function headings({ text }: Page): string[] {
  const tokens = markdown.parse(text, {});
  return tokens.flatMap((token, i) => (token.type === 'heading_open' ? [tokens[i + 1]?.content ?? ''] : []));
}

/** Where links and pictures of a page lead. */
export function linkTargets({ text }: Page): string[] {
  const targets: string[] = [];
  for (const { children } of markdown.parse(text, {})) {
    for (const token of children ?? []) {
      const target = token.attrGet(token.type === 'image' ? 'src' : 'href');
      if (target !== null) targets.push(target);
    }
  }
  return targets;
}

/** The anchor that a heading gets where Markdown is shown: lower case, without punctuation, with `-` for spaces. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}\s_-]/gu, '')
    .replaceAll(' ', '-');
}
