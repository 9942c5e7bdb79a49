import {defineConfig} from 'vitest/config';

/** What is packed, installed into an empty prefix and run: needs the npm registry for another Node. */
export default defineConfig({
  test: {
    include: ['test/package/**/*.test.ts'],
    globalSetup: 'test/temporary-folder.ts',
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
