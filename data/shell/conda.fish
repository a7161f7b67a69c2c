# conda.fish - `conda` for fish: to be sourced.
set -gx CONDA_EXE "@EXE@"
set -gx CONDA_PYTHON_EXE "@PYTHON@"

function conda --description 'package and environment manager'
    set -l word ''
    if set -q argv[1]
        set word $argv[1]
    end
    switch $word
        case activate deactivate
            set -l text ($CONDA_EXE shell.fish $argv)
            or return
            string join \n -- $text | source
        case install update upgrade remove uninstall
            $CONDA_EXE $argv
            or return
            $CONDA_EXE shell.fish reactivate | source
        case '*'
            $CONDA_EXE $argv
    end
end

if not set -q CONDA_SHLVL
    set -gx CONDA_SHLVL 0
    set -gx PATH "@ROOT@/condabin" $PATH
end

# The active environment in front of the prompt, whatever prints the prompt.
if functions -q fish_prompt; and not functions -q __conda_fish_prompt
    functions -c fish_prompt __conda_fish_prompt
    function fish_prompt
        if set -q CONDA_PROMPT_MODIFIER
            echo -n $CONDA_PROMPT_MODIFIER
        end
        __conda_fish_prompt
    end
end
