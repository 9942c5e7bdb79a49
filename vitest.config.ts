import {defineConfig} from 'vitest/config';
import {viteGrammarPlugin} from './src/grammar/plugin.ts';

export default defineConfig({
  plugins: [viteGrammarPlugin()],
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/temporary-folder.ts',
    exclude: ['test/servers/**', 'test/package/**'],
    disableConsoleIntercept: true,
    // Programs are started and Ohm interprets: on a busy machine that takes its time.
    testTimeout: 120_000,
  },
});
