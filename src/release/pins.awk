# pins.awk - data/releases/miniconda.tsv (name, sha256, size, date) as rows of a C table: the part
# of the name between product and system, the machine, tenths of MiB, the date as a number.
BEGIN {
	FS = "\t"
	print "/* made from data/releases/miniconda.tsv by pins.awk */"
	print "static const struct pin pins[] = {"
}
/^#/ { next }
{
	name = $1
	if (sub(/^Miniconda3-/, "", name) != 1 || sub(/\.sh$/, "", name) != 1 ||
	    split(name, half, "-Linux-") != 2 || length($2) != 64) {
		print "#error line " FNR " is no pin"
		next
	}
	hex = ""
	for (i = 1; i < 64; i += 2)
		hex = hex "0x" substr($2, i, 2) ","
	split($3, size, " ")
	gsub(/-/, "", $4)
	printf "\t{\"%s\", \"%s\", %d, %d, {%s}},\n", half[1], half[2], size[1] * 10 + 0.5, $4, hex
}
END {
	print "};"
}
