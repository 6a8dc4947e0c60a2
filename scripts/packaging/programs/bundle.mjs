// What a user's build does: one file, from which packages with native parts and fonts are left out.
import { build } from 'esbuild';

await build({
  entryPoints: ['esm.mjs'],
  outfile: 'bundled/esm.mjs',
  bundle: true,
  platform: 'node',
  format: 'esm',
  external: ['@causal-tracer/*', '@napi-rs/canvas', 'dejavu-fonts-ttf', 'yauzl'],
});
