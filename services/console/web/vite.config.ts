import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The dashboard, for the console to serve. Started by itself (`npx vite`), it asks a console on this machine. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // What is inlined as data: would need a wider policy of content than 'self'.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // What pages have in common is one file: as a dozen small ones it took as many requests before anything could be asked for.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'parts', test: /\/src\/(api|parts|ui|words)\/.*\.tsx?$/ }] } } },
    target: ['chrome123', 'firefox121', 'safari17.5'],
  },
  server: { proxy: { '/api': { target: 'http://127.0.0.1:4780', ws: true }, '/healthz': 'http://127.0.0.1:4780' } },
});
