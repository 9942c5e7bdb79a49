import {defineConfig} from 'vitest/config';
import {viteGrammarPlugin} from './src/grammar/plugin.ts';

export default defineConfig({
  plugins: [viteGrammarPlugin()],
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/temporary-folder.ts',
    exclude: ['test/servers/**', 'test/package/**'],
    disableConsoleIntercept: true,
    // The modules and grammars are loaded once a thread, and not once a file: that is half of the time.
    pool: 'threads',
    isolate: false,
    // Programs are started and Ohm interprets: on a busy machine that takes its time.
    testTimeout: 120_000,
  },
});
