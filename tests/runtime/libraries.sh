# libraries.sh - a program that is not static, in a small root: its libraries go there too.
# shellcheck shell=sh
# bring_libraries PROGRAM ROOT
bring_libraries()
{
	for library in $(ldd "$1" 2>/dev/null | grep -o '/[^ ]*'); do
		[ -e "$2$library" ] || install -D -m 755 "$library" "$2$library"
	done
}
