import {spawnSync} from 'node:child_process';
import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {commands} from '../../src/commands/index.ts';
import {completionScript} from '../../src/commands/manual/completion.ts';
import {factsOf} from '../../src/commands/manual/facts.ts';
import {SHELLS} from '../../src/commands/manual/shells.ts';

const facts = factsOf(commands, 'logdoctor', (_, name) => (name === 'rule' ? ['mercy-too-long', 'crash-loop'] : []));
const scriptFor = (shell: (typeof SHELLS)[number]) => completionScript(shell, facts, 'logdoctor', 'analyze');
const directory = mkdtempSync(join(tmpdir(), 'logdoctor-completion-'));
const isThere = (program: string) => spawnSync(program, ['--version']).error === undefined;

test.each(SHELLS)('%s knows every command and every flag', (shell) => {
  const script = scriptFor(shell);
  for (const {name, flags} of facts) {
    expect(script).toContain(name);
    for (const flag of flags) expect(script).toMatch(shell === 'fish' ? `-l ${flag.name}` : `--${flag.name}`);
  }
});

describe.runIf(isThere('bash'))('bash', () => {
  const script = join(directory, 'bash');
  writeFileSync(script, scriptFor('bash'));
  const offered = (...words: string[]) => {
    const list = words.map((word) => `'${word}'`).join(' ');
    const {stdout} = spawnSync('bash', [
      '-c',
      `source ${script}; COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _logdoctor; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ]);
    return String(stdout).trim().split('\n');
  };

  test.each<[readonly string[], readonly string[]]>([
    [['logdoctor', 'ex'], ['explain']],
    [['logdoctor', 'explain', 'mercy'], ['mercy-too-long']],
    [['logdoctor', 'x.log', '--fail-on', 'w'], ['warning']],
    [['logdoctor', 'x.log', '--fail-on', '=', 'n'], ['never']],
    [
      ['logdoctor', 'x.log', '--fail-on', '='],
      ['error', 'warning', 'info', 'never'],
    ],
    [['logdoctor', 'timeline', '--asc'], ['--ascii']],
    [['logdoctor', '--show-'], ['--show-rules']],
    [['logdoctor', 'completion', 'f'], ['fish']],
    [['logdoctor', 'x.log', 'no-such'], ['']],
  ])('%j -> %j', (words, expected) => expect(offered(...words)).toEqual(expected));
});

describe.runIf(isThere('fish'))('fish', () => {
  const script = join(directory, 'fish');
  writeFileSync(script, scriptFor('fish'));
  test.each([
    ['logdoctor ex', 'explain'],
    ['logdoctor explain mercy', 'mercy-too-long'],
    ['logdoctor x.log --fail-on=w', '--fail-on=warning'],
    ['logdoctor timeline --asc', '--ascii'],
  ])('%s -> %s', (line, expected) => {
    const {stdout} = spawnSync('fish', ['-c', `source ${script}; complete -C '${line}'`]);
    expect(String(stdout).replace(/\t.*/g, '').trim()).toBe(expected);
  });
});

test.runIf(isThere('zsh'))('zsh reads its script', () => {
  const script = join(directory, 'zsh');
  writeFileSync(script, scriptFor('zsh'));
  expect(String(spawnSync('zsh', ['-n', script]).stderr)).toBe('');
});
