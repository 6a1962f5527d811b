import Arguments

/// A shell that can complete the command line. What fits is found by `__complete`, so that the
/// scripts know nothing about commands.
enum Shell: String, CaseIterable {
    case bash, zsh, fish

    var completionScript: String {
        switch self {
        case .bash: Self.bashScript
        case .zsh: Self.zshScript
        case .fish: Self.fishScript
        }
    }

    private static let bashScript = #"""
        # bash completion for swrunc
        _swrunc() {
            local word current=${COMP_WORDS[COMP_CWORD]} words=() lines=()
            # Readline takes --flag=value for three words.
            for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
                if [[ ${#words[@]} -gt 0 && ${words[-1]} == -* \
                    && ( $word == '=' || ${words[-1]} == *= ) ]]; then
                    words[-1]+=$word
                else
                    words+=("$word")
                fi
            done
            [[ $current != '=' ]] || current=
            mapfile -t lines < <("${COMP_WORDS[0]/#\~/$HOME}" __complete -- "${words[@]}" 2>/dev/null)
            COMPREPLY=()
            case ${lines[0]-} in
            :files)
                compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -f -- "$current")
                ;;
            :directories)
                compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -d -- "$current")
                ;;
            *)
                for word in "${lines[@]}"; do
                    word=${word%%$'\t'*}
                    # Only what follows the = is replaced.
                    if [[ $word == --*=* && $current != --* ]]; then word=${word#*=}; fi
                    COMPREPLY+=("$word")
                done
                ;;
            esac
        }
        complete -F _swrunc swrunc

        """#

    private static let zshScript = #"""
        #compdef swrunc
        _swrunc() {
            local line
            local -a lines candidates
            lines=("${(@f)$(${~words[1]} __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
            case ${lines[1]} in
            :files)
                compset -P '-*='
                _files
                ;;
            :directories)
                compset -P '-*='
                _files -/
                ;;
            ?*)
                for line in "${lines[@]}"; do
                    # A colon separates a candidate from its description.
                    candidates+=("${${line%%$'\t'*}//:/\\:}${${(M)line%%$'\t'*}:+:${line#*$'\t'}}")
                done
                _describe 'swrunc' candidates
                ;;
            esac
        }
        if [ "${funcstack[1]}" = _swrunc ]; then
            _swrunc "$@"
        else
            compdef _swrunc swrunc
        fi

        """#

    private static let fishScript = #"""
        # fish completion for swrunc
        function __swrunc_complete
            set -l words (commandline -opc) (commandline -ct)
            set -l lines (command $words[1] __complete -- $words[2..-1] 2>/dev/null)
            switch "$lines[1]"
                case :files
                    __fish_complete_path (commandline -ct)
                case :directories
                    __fish_complete_directories (commandline -ct) ''
                case '*'
                    printf '%s\n' $lines
            end
        end
        complete -c swrunc -f -a '(__swrunc_complete)'

        """#
}
