# conda.csh - `conda` for csh and tcsh. The alias sources this file again with its arguments in
# _conda_args; without them the file sets up the alias.
if ( $?_conda_args ) then
	set _conda_cmd = ""
	if ( $#_conda_args > 0 ) set _conda_cmd = "$_conda_args[1]"
	switch ( "$_conda_cmd" )
	case activate:
	case deactivate:
		if ( ! $?prompt ) set prompt = ""
		set _conda_text = "`(setenv prompt '${prompt}' ; '$_CONDA_EXE' shell.csh $_conda_args:q)`"
		if ( $status == 0 ) eval "$_conda_text"
		unset _conda_text
		rehash
		breaksw
	case install:
	case update:
	case upgrade:
	case remove:
	case uninstall:
		"$_CONDA_EXE" $_conda_args:q
		if ( $status == 0 ) then
			if ( ! $?prompt ) set prompt = ""
			set _conda_text = "`(setenv prompt '${prompt}' ; '$_CONDA_EXE' shell.csh reactivate)`"
			eval "$_conda_text"
			unset _conda_text
			rehash
		endif
		breaksw
	default:
		"$_CONDA_EXE" $_conda_args:q
		breaksw
	endsw
	unset _conda_args
	unset _conda_cmd
else
setenv CONDA_EXE "@EXE@"
setenv _CONDA_ROOT "@ROOT@"
setenv _CONDA_EXE "@EXE@"
setenv CONDA_PYTHON_EXE "@PYTHON@"
	alias conda 'set _conda_args = (\!*) ; source "@ROOT@/etc/profile.d/conda.csh"'
	if ( ! $?CONDA_SHLVL ) then
		setenv CONDA_SHLVL 0
		setenv PATH "@ROOT@/condabin:${PATH}"
	endif
endif
