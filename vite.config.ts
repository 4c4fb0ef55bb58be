import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

/** The page: one build, served by the service and shown in the app's window. */
export default defineConfig({
  root: 'renderer',
  // The window loads it from app://holdfast/, the service from its root.
  base: './',
  plugins: [svelte({ configFile: '../svelte.config.js' })],
  build: {
    outDir: '../dist/page',
    emptyOutDir: true,
    target: 'es2023',
    // A data: address would need a looser policy for what may be loaded.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
