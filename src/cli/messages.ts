/** Tells the user something on standard error, which leaves standard output to results. */
export function say(message: string): void {
  process.stderr.write(`${message}\n`);
}

/** Tells something that is only worth saying to a person who waits at a terminal. */
export function sayOnTerminal(message: string): void {
  if (process.stderr.isTTY) say(message);
}

/** Writes a result to standard output, and waits until it has been taken. */
export async function writeResult(text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
