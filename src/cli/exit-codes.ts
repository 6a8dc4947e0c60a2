/** How the command ends. */
export const EXIT_CODES = {
  success: 0,
  /** The work failed: a `CausalTracerError`, or a defect. */
  failed: 1,
  /** The command line itself was wrong; nothing was tried. */
  usage: 2,
  /** Stopped by Ctrl-C or by a request to terminate. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];
