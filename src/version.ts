/** The version of this package. A constant, not read from package.json, so that a bundler can move this file. */
export const causalTracerVersion = '0.1.0';
