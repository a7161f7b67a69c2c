#!/bin/sh
# Section A of the acceptance list: what the predecessor promised and checked.
# shellcheck source=tests/image/lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
: >"$T/out"
: >"$T/err"
status=0

mb()
{
	echo "$(($1 / 1000000)).$(($1 / 100000 % 10))"
}

bytes=$("$root/tools/image" size "$IMAGE")
last=$("$root/tools/image" last "$IMAGE")
echo "# note: $IMAGE: $(mb "$bytes") MB compressed"
if [ -n "$last" ]; then
	echo "# note: last build $(mb "$last") MB, factor $(awk "BEGIN { printf \"%.3f\", $bytes / $last }")"
fi
if [ "$DISTRO" = alpine ]; then
	SIZE_BUDGET=$SIZE_BUDGET_ALPINE
	SIZE_OVER_BASE=$SIZE_OVER_BASE_ALPINE
fi
# The limit of the Miniconda family is a share of what the predecessor's recipe makes: miniconda.sh.
if [ "$RELEASE" = condense ]; then
	[ "$bytes" -le $((SIZE_BUDGET * 1000000)) ]
	result $? "1 compressed size within $SIZE_BUDGET MB"
fi
if [ "$RELEASE" != condense ]; then
	:
elif docker image inspect "$base" >/dev/null 2>&1; then
	over=$((bytes - $("$root/tools/image" size "$base")))
	echo "# note: $(mb "$over") MB over $base"
	[ "$over" -le $((SIZE_OVER_BASE * 1000000)) ]
	result $? "1 compressed size over the base within $SIZE_OVER_BASE MB"
else
	skip "1 compressed size over the base" "$base is not here"
fi

serve
use_mirror
list os.txt 'curl\n'
list pip.txt 'beautifulsoup4\n'
list conda.txt 'beautifulsoup4\n'

for user in default host; do
	"as_$user"
	run 'conda -V'
	is "2 conda -V is the release's version" "conda $conda_version"
	run 'python -V'
	is_like "3 python -V contains $PY_VER" "Python $PY_VER.*"
	run 'cat /etc/issue'
	tr '[:upper:]' '[:lower:]' <"$T/out" | grep -q "$DISTRO"
	result $? "4 /etc/issue names the distribution"
	run 'id -un'
	is "5 id -un is anaconda" anaconda
	run 'id -gn'
	is "6 id -gn is anaconda" anaconda
	run 'cd ~ && pwd'
	is "7 home is /home/anaconda" /home/anaconda
	run 'touch /main/something'
	ended "8 /main can be written" 0
	run 'conda config --show channel_priority'
	is_like "9 channel_priority is flexible" "channel_priority: flexible*"
	run 'conda config --show channels'
	is_like "10 the first channel is conda-forge" "channels:
  - conda-forge*"
	! grep -q defaults "$T/out"
	result $? "10 defaults is no channel"
	run 'conda config --show auto_update_conda'
	is_like "11 auto_update_conda is False" "auto_update_conda: False*"
	run 'echo $CONDA_DEFAULT_ENV'
	is "12 the active environment is base" base
	run "python -c \"import locale; locale.setlocale(locale.LC_ALL, 'en_US.UTF-8')\""
	ended "13 Python can set the locale en_US.UTF-8" 0
	run -e NEW_USER=dja 'id -un'
	is "14 NEW_USER: id -un is dja" dja
	run -e NEW_USER=dja 'cd ~ && pwd'
	is "15 NEW_USER: home is /home/dja" /home/dja
	run -e NEW_HOME=/home/.anaconda --workdir /home/anaconda 'pip --version && readlink ~'
	is_like "16 NEW_HOME: ~ is a link to it" "pip *
/home/.anaconda"
	run -e NEW_USER=dja --workdir /home/anaconda pwd
	is "17 NEW_USER: a workdir in the home is /home/dja" /home/dja
	run -e NEW_USER=dja -e NEW_HOME=/home/.anaconda --workdir /home/anaconda pwd
	is "18 both: a workdir in the home is /home/dja" /home/dja
	# shellcheck disable=SC2086 # from_loopback and from_mirror are words
	{
		run $from_loopback 'pip install -q --force-reinstall beautifulsoup4 &&
			python -c "import bs4; print(bs4.__file__)"'
		is "19 pip installs into the environment" "$packages/bs4/__init__.py"
		run $from_loopback -e NEW_USER=dja 'pip install -q --user --force-reinstall beautifulsoup4 &&
			python -c "import bs4; print(bs4.__file__)"'
		is "20 pip --user installs into the home" \
			"/home/dja/.local/lib/python$PY_VER/site-packages/bs4/__init__.py"
		run $from_loopback 'v=$(python -c "import platform; print(platform.python_version())")
			conda install -y -q python==$v beautifulsoup4 >/dev/null &&
			python -c "import bs4; print(bs4.__file__)"'
		is "21 conda installs into the environment" "$packages/bs4/__init__.py"
		run $from_mirror -v "$T/os.txt:$os_list:ro" 'curl --version'
		is_like "22 a list of OS packages is installed" "curl *"
		run $from_loopback -v "$T/pip.txt:/tmp/pip_requirements.txt:ro" \
			'python -c "import bs4; print(bs4.__file__)"'
		is "23 a list for pip is installed" "$packages/bs4/__init__.py"
		run $from_loopback -v "$T/conda.txt:/tmp/conda_requirements.txt:ro" \
			'conda list | grep -o "^beautifulsoup4 " && python -c "import bs4"'
		is "24 a list for conda is installed" "beautifulsoup4 "
	}
done
finish
