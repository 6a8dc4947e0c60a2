import { codeBlocks, type CodeBlock, type Page } from './pages.js';

/** Something that a page has its readers do, in the order of the page. */
export type Step =
  | { readonly does: 'write'; readonly line: number; readonly file: string; readonly content: string }
  | { readonly does: 'program'; readonly line: number; readonly code: string }
  | { readonly does: 'commands'; readonly line: number; readonly commands: readonly string[] };

const COMMAND = /^(npx )?causal-tracer /;

/**
 * What the examples of a page do.
 *
 * - A `ts` block that imports something begins a program; those behind it that import nothing go on with it.
 * - A `sh` block holds commands of `causal-tracer`, and nothing else.
 * - A block whose opening line names a file after the language is that file's content.
 * - A block behind a comment `<!-- not run: reason -->` is left out.
 *
 * @throws Error for a command that cannot be run in a test.
 */
export function stepsOf(page: Page): Step[] {
  const steps: Step[] = [];
  for (const block of codeBlocks(page)) {
    if (block.notRun !== null) continue;
    const { language, file, code, line } = block;
    if (file !== null) steps.push({ does: 'write', line, file, content: code });
    else if (language === 'sh') steps.push({ does: 'commands', line, commands: commandsOf(page, block) });
    else if (language === 'ts') {
      const open = steps.findLastIndex(({ does }) => does === 'program');
      const program = steps[open];
      if (program?.does !== 'program' || /^import /m.test(code)) {
        steps.push({ does: 'program', line, code: atLine(code, line) });
      } else steps[open] = { ...program, code: atLine(code, line, program.code) };
    }
  }
  return steps;
}

/** The code at its own line behind what goes before it, so that messages about it name the line of the page. */
function atLine(code: string, line: number, before = ''): string {
  return before + '\n'.repeat(line - before.split('\n').length) + code;
}

function commandsOf({ name }: Page, { code, line }: CodeBlock): string[] {
  const commands = code
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((command) => command.trim())
    .filter((command) => command !== '' && !command.startsWith('#'));
  const other = commands.find((command) => !COMMAND.test(command));
  if (other === undefined) return commands;
  throw new Error(
    `${name}, line ${line}: "${other}" is no command of causal-tracer. Put <!-- not run: reason --> before the block.`,
  );
}
