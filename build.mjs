// Builds dist/: the command-line program and the library, each one bundled file, grammars compiled into them;
// and what the commands say of themselves: the manual page, and docs/commands.md.
import {execFileSync} from 'node:child_process';
import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {build} from 'esbuild';

const shared = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  outdir: 'dist',
  logLevel: 'warning',
  legalComments: 'none',
  banner: {js: "import {createRequire as __createRequire} from 'node:module'; const require = __createRequire(import.meta.url);"},
};

rmSync('dist', {recursive: true, force: true});

// The grammar compiler is TypeScript itself, so it is bundled first and then used as a plugin.
await build({...shared, entryPoints: {'grammar/plugin': 'src/grammar/plugin.ts'}, packages: 'external'});
const {grammarPlugin} = await import(new URL('dist/grammar/plugin.js', import.meta.url).href);

await build({
  ...shared,
  entryPoints: {cli: 'src/cli.ts', index: 'src/index.ts'},
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  minifySyntax: true,
  plugins: [grammarPlugin()],
});
rmSync('dist/grammar', {recursive: true});

await build({...shared, entryPoints: {'manual/index': 'src/commands/manual/index.ts'}});
const {factsOf, manPage, markdownPage} = await import(new URL('dist/manual/index.js', import.meta.url).href);
const {commands} = await import(new URL('dist/cli.js', import.meta.url).href);
const {name, version, description} = JSON.parse(readFileSync('package.json', 'utf8'));
const facts = factsOf(commands, name);
mkdirSync('dist/man');
writeFileSync(`dist/man/${name}.1`, manPage(facts, name, version, description));
writeFileSync('docs/commands.md', markdownPage(facts, name));
rmSync('dist/manual', {recursive: true});

execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.types.json'], {stdio: 'inherit'});
