// Builds dist/: the command-line program, with what V8 makes of it, and the library, grammars compiled into them; and what
// the commands say of themselves: the manual page, and docs/commands.md.
import {execFileSync} from 'node:child_process';
import {mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {setFlagsFromString} from 'node:v8';
import {build} from 'esbuild';
import {COMPILED, compile, run} from './bin/program.js';

const shared = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  outdir: 'dist',
  logLevel: 'warning',
  legalComments: 'none',
  metafile: true,
  minifySyntax: true,
  minifyWhitespace: true,
  // oclif looks for it when it runs commands from source.
  external: ['typescript'],
};
const module = {
  ...shared,
  format: 'esm',
  banner: {js: "import {createRequire as __createRequire} from 'node:module'; const require = __createRequire(import.meta.url);"},
};
const script = {
  ...shared,
  // V8 keeps the source in memory as long as the program runs.
  minifyIdentifiers: true,
  format: 'cjs',
  outExtension: {'.js': '.cjs'},
  supported: {'dynamic-import': false},
  define: {'import.meta.url': '__url'},
  // A module that gives the program as a function, and a script whose value is that function: no copy is made to wrap it.
  banner: {
    js:
      'this.program = function (exports, require, module, __filename, __dirname) {' +
      "const __url = require('node:url').pathToFileURL(__filename).href;",
  },
  footer: {js: '};'},
};

/**
 * oclif requires everything that any program might need of it as soon as it is required itself: globs, child processes, templates. Here each
 * module of it is loaded when it is first used.
 */
const oclifAsUsed = {
  name: 'oclif-as-used',
  setup({onLoad}) {
    onLoad({filter: /@oclif[\\/]core[\\/]lib[\\/].*\.js$/}, ({path}) => {
      const names = [];
      const declared = readFileSync(path, 'utf8').replace(
        /^(?:const|var) (\w+) = ((?:__import(?:Default|Star)\()?require\("[^"]+"\)\)?);$/gm,
        (_, name, required) => {
          names.push(name);
          return `let $${name}; const $get_${name} = () => $${name} ??= ${required};`;
        },
      );
      const uses = new RegExp(`(?<![$\\w.])(${names.join('|')})(?=\\.)`, 'g');
      return {contents: names.length === 0 ? declared : declared.replace(uses, '($get_$1())')};
    });
  },
};

/** Logs that together make the program do most of what it can. */
const WARMING = [
  'samples/uwsgi/chain-reload-slow/uwsgi.log',
  'samples/gunicorn/hup-held-by-thread/gunicorn.log',
  'samples/supervisord/uwsgi-stopwaitsecs-below-mercy/supervisord.log',
  'samples/systemd/uwsgi-timeout-below-mercy/systemd.log',
];

rmSync('dist', {recursive: true, force: true});

// The grammar compiler is TypeScript itself, so it is bundled first and then used as a plugin.
await build({...module, entryPoints: {'grammar/plugin': 'src/grammar/plugin.ts'}, packages: 'external'});
const {grammarPlugin} = await import(new URL('dist/grammar/plugin.js', import.meta.url).href);

const plugins = [grammarPlugin()];
const built = await Promise.all([
  build({...script, entryPoints: {program: 'src/cli.ts'}, plugins: [...plugins, oclifAsUsed]}),
  build({...module, entryPoints: {index: 'src/index.ts', scout: 'src/scout.ts'}, splitting: true, plugins}),
]);
rmSync('dist/grammar', {recursive: true});
// What esbuild leaves beyond ASCII stands in regular expressions; bin/program.js takes each byte for a character.
const written = readFileSync('dist/program.cjs', 'utf8');
writeFileSync(
  'dist/program.cjs',
  written.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
);
writeFileSync('dist/THIRD-PARTY-LICENSES.txt', licencesOf(built.flatMap(({metafile}) => Object.values(metafile.outputs))));

// What has run is in it, so that it need not be compiled again: the usual commands over logs of several supervisors. What V8's baseline
// compiler has compiled by then it would compile anew at each start.
setFlagsFromString('--no-sparkplug');
const compiled = compile();
const {commands, main} = run(compiled.runInThisContext());
const {write} = process.stdout;
process.stdout.write = () => true;
const usual = [...WARMING.map((log) => ['analyze', log]), ['analyze', WARMING[0], '--format', 'json'], ['timeline', ...WARMING]];
for (const argv of usual) {
  await main(argv);
  if (process.exitCode === 2) throw new Error(`built, but does not run: logdoctor ${argv.join(' ')}`);
}
process.stdout.write = write;
process.exitCode = 0;
setFlagsFromString('--sparkplug');
writeFileSync(COMPILED, compiled.createCachedData());

await build({...module, entryPoints: {'manual/index': 'src/commands/manual/index.ts'}});
const {factsOf, manPage, markdownPage} = await import(new URL('dist/manual/index.js', import.meta.url).href);
const {name, version, description} = JSON.parse(readFileSync('package.json', 'utf8'));
const facts = factsOf(commands, name);
mkdirSync('dist/man');
writeFileSync(`dist/man/${name}.1`, manPage(facts, name, version, description));
writeFileSync('docs/commands.md', markdownPage(facts, name));
rmSync('dist/manual', {recursive: true});

execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.types.json'], {stdio: 'inherit'});
keepOnlyReachable('dist/types/index.d.ts');

/** The licences of the packages that are bundled, as these ask for. */
function licencesOf(outputs) {
  const files = outputs.flatMap(({inputs}) =>
    Object.entries(inputs).flatMap(([file, {bytesInOutput}]) => (bytesInOutput > 0 ? [file] : [])),
  );
  const folders = new Set(files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? []));
  const parts = [...folders].sort().map((folder) => {
    const {name, version, license} = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    return `${name} ${version} (${license})\n\n${file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim()}\n`;
  });
  return ['logdoctor contains code of these packages.\n', ...parts].join(`\n${'-'.repeat(80)}\n`);
}

/** Takes away the declarations that the library's own do not lead to. */
function keepOnlyReachable(entry) {
  const reachable = new Set();
  const follow = (file) => {
    if (reachable.has(file)) return;
    reachable.add(file);
    for (const [, name] of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*['"](\.[^'"]+)\.ts['"]/g)) {
      follow(join(dirname(file), `${name}.d.ts`));
    }
  };
  follow(entry);
  for (const file of readdirSync(dirname(entry), {recursive: true, encoding: 'utf8'})) {
    const path = join(dirname(entry), file);
    if (file.endsWith('.ts') && !reachable.has(path)) rmSync(path);
  }
}
