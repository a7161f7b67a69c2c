# embed.awk - text files as C strings: data/shell/conda.sh becomes text_sh.
FNR == 1 {
	if (NR > 1)
		print "\t\"\";"
	name = FILENAME
	sub(/.*\./, "", name)
	printf "static const char text_%s[] =\n", name
}
{
	gsub(/\\/, "\\\\&")
	gsub(/"/, "\\\"")
	gsub(/\t/, "\\t")
	printf "\t\"%s\\n\"\n", $0
}
END {
	print "\t\"\";"
}
