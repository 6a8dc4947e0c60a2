// @ts-check

/**
 * Compares the files of a package with the list of what it is to hold.
 * @param {readonly string[]} files
 * @param {string} list a file or pattern a line (`*` within a folder, `**` across folders); `#` begins a comment
 * @returns {{ unexpected: string[], absent: string[] }} files that no line allows, and lines that no file is there for
 */
export function compareContents(files, list) {
  const patterns = list
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ line, expression: toExpression(line) }));
  return {
    unexpected: files.filter((file) => patterns.every(({ expression }) => !expression.test(file))),
    absent: patterns
      .filter(({ expression }) => files.every((file) => !expression.test(file)))
      .map(({ line }) => line),
  };
}

/** @param {string} pattern */
function toExpression(pattern) {
  const parts = pattern.split(/(\*\*\/|\*)/).map((part) => {
    if (part === '**/') return '(?:[^/]+/)*';
    return part === '*' ? '[^/]*' : part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`);
}
