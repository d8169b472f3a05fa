import { DroverError } from '../../protocol/index.ts';
import { defineCommand } from '../command.ts';

/** Each hands the words so far to `drover complete`; file names are left to the shell where it offers nothing. */
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_drover() {
  local IFS=$'\\n'
  COMPREPLY=( $(compgen -W "$(drover complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}") )
}
complete -o default -o nosort -F _drover drover`,
  zsh: `#compdef drover
_drover() {
  local -a offers
  offers=("\${(@f)$(drover complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if (( \${#offers} )) && [[ -n "\${offers[1]}" ]]; then compadd -a offers; else _files; fi
}
compdef _drover drover`,
  fish: `function __drover_complete
  set -l words (commandline -opc) (commandline -ct)
  drover complete -- $words[2..-1] 2>/dev/null
end
complete -c drover -a '(__drover_complete)'`,
};

export const command = defineCommand({
  args: [{ syntax: '<shell>', about: 'bash, zsh or fish', offers: ['bash', 'zsh', 'fish'] }],
  options: [],
  examples: [
    ['eval "$(drover completion bash)"', 'in ~/.bashrc'],
    ['drover completion fish | source', 'in config.fish'],
  ],
  run: async (context, { args: [shell = ''] }) => {
    const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
    if (script === undefined)
      throw new DroverError('DROVER_USAGE', {
        message: `${JSON.stringify(shell)}: there is completion for bash, zsh and fish.`,
      });
    context.print(script);
    return 0;
  },
});
