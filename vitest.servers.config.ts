import {defineConfig} from 'vitest/config';
import {viteGrammarPlugin} from './src/grammar/plugin.ts';

export default defineConfig({
  plugins: [viteGrammarPlugin()],
  test: {include: ['test/servers/**/*.test.ts']},
});
