import type {ArgFacts, CommandFacts, FlagFacts} from './facts.ts';
import type {Shell} from './shells.ts';

/** @param fallback the command that is meant where none is named */
export function completionScript(shell: Shell, commands: readonly CommandFacts[], bin: string, fallback: string): string {
  return {bash, zsh, fish}[shell](commands, bin, fallback);
}

function bash(commands: readonly CommandFacts[], bin: string, fallback: string): string {
  const names = commands.map(({name}) => name).join(' ');
  return `# bash completion for ${bin}: source <(${bin} completion bash)
_${bin}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command='' word words='' flags=''
  # Bash takes --flag=value for three words.
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $prev == '=' ]]; then
    prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      ${commands.map(({name}) => name).join('|')}) command=$word; break ;;
    esac
  done
  [[ -z $command && $COMP_CWORD -eq 1 ]] && words='${names}'
  case \${command:-${fallback}} in
${commands.map(bashCase).join('\n')}
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  fi
}
complete -o default -F _${bin} ${bin}
`;
}

function bashCase({name, args, flags}: CommandFacts): string {
  const values = flags
    .filter(({value}) => value !== null)
    .map((flag) => {
      const pattern = [`--${flag.name}`, ...(flag.char === null ? [] : [`-${flag.char}`])].join('|');
      return `        ${pattern}) COMPREPLY=(${flag.values.length === 0 ? '' : `$(compgen -W '${flag.values.join(' ')}' -- "$cur")`}); return ;;`;
    });
  const words = args.flatMap((arg) => arg.values);
  return [
    `    ${name})`,
    ...(values.length === 0 ? [] : ['      case $prev in', ...values, '      esac']),
    `      flags='${['--help', ...flags.flatMap(long)].join(' ')}'`,
    ...(words.length === 0 ? [] : [`      words='${words.join(' ')}'`]),
    '      ;;',
  ].join('\n');
}

function zsh(commands: readonly CommandFacts[], bin: string, fallback: string): string {
  return `#compdef ${bin}
# zsh completion for ${bin}: ${bin} completion zsh > "$fpath[1]/_${bin}"
_${bin}() {
  local -a commands
  commands=(
${commands.map(({name, summary}) => `    ${quoted(`${name}:${summary}`)}`).join('\n')}
  )
  local command=\${words[2]}
  if (( CURRENT == 2 )) && [[ $command != -* ]]; then
    _describe command commands
    _files
    return
  fi
  if (( \${commands[(I)$command:*]} )); then
    shift words
    (( CURRENT-- ))
  else
    command=${fallback}
  fi
  case $command in
${commands.map(zshCase).join('\n')}
  esac
}
if [[ $funcstack[1] == _${bin} ]]; then
  _${bin} "$@"
else
  compdef _${bin} ${bin}
fi
`;
}

function zshCase({name, args, flags}: CommandFacts): string {
  const specs = [
    quoted('--help[show help]'),
    ...flags.flatMap((flag) => long(flag).map((option) => quoted(`${zshTimes(flag)}${option}${zshFlag(flag)}`))),
    ...flags.flatMap((flag) => (flag.char === null ? [] : [quoted(`${zshTimes(flag)}-${flag.char}${zshFlag(flag, '+')}`)])),
    ...args.map((arg) => quoted(zshArg(arg))),
  ];
  return [
    `    ${name})`,
    '      _arguments \\',
    ...specs.map((spec, i) => `        ${spec}${i === specs.length - 1 ? '' : ' \\'}`),
    '      ;;',
  ].join('\n');
}

function zshTimes({multiple}: FlagFacts): string {
  return multiple ? '*' : '';
}

function zshFlag({description, value, values}: FlagFacts, attached = '='): string {
  const text = `[${description.replace(/[[\]\\:]/g, '\\$&')}]`;
  if (value === null) return text;
  const action = values.length === 0 ? '_files' : `(${values.join(' ')})`;
  return `${attached}${text}:${value.replace(/[:\\]/g, '\\$&')}:${action}`;
}

function zshArg({name, multiple, values}: ArgFacts): string {
  return `${multiple ? '*' : ''}:${name}:${values.length === 0 ? '_files' : `(${values.join(' ')})`}`;
}

function fish(commands: readonly CommandFacts[], bin: string, fallback: string): string {
  const others = commands.map(({name}) => name).filter((name) => name !== fallback);
  const lines = [
    `# fish completion for ${bin}: ${bin} completion fish > ~/.config/fish/completions/${bin}.fish`,
    ...commands.map(({name, summary}) => `complete -c ${bin} -n __fish_use_subcommand -a ${name} -d ${fishQuoted(summary)}`),
  ];
  for (const {name, args, flags} of commands) {
    const condition =
      name === fallback ? `not __fish_seen_subcommand_from ${others.join(' ')}` : `__fish_seen_subcommand_from ${name}`;
    const start = `complete -c ${bin} -n ${fishQuoted(condition)}`;
    for (const flag of flags) {
      const {char, description, value, values} = flag;
      for (const option of long(flag)) {
        const isPositive = option === `--${flag.name}`;
        lines.push(
          [
            start,
            `-l ${option.slice(2)}`,
            ...(char === null || !isPositive ? [] : [`-s ${char}`]),
            ...(value === null ? [] : values.length === 0 ? ['-r'] : ['-x', `-a ${fishQuoted(values.join(' '))}`]),
            `-d ${fishQuoted(description)}`,
          ].join(' '),
        );
      }
    }
    const words = args.flatMap((arg) => arg.values);
    if (words.length > 0) lines.push(`${start} -f -a ${fishQuoted(words.join(' '))}`);
  }
  return `${lines.join('\n')}\n`;
}

/** `--color` and `--no-color` */
function long({name, negatable}: FlagFacts): readonly string[] {
  return [`--${name}`, ...(negatable ? [`--no-${name}`] : [])];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
