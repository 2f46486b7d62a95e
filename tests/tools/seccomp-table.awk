# Make pkg/box/seccomp_table.c from a table of system calls, one a line, tab separated:
# name, rule ("ALLOW", "ALLOW if CAP_X", "ALLOW on amd64,x32,x86"; alternatives joined by "; ").
#   awk -f tests/tools/seccomp-table.awk seccomp.tsv > pkg/box/seccomp_table.c
# What depends on arguments is code, by name, in pkg/box/seccomp.c.
BEGIN {
	FS = "\t"
	print "/* seccomp_table.c - who may call what; made by tests/tools/seccomp-table.awk, not by hand."
	print " *"
	print " * A call is allowed when its `caps` are 0 or the container has one of them, on the ABIs named."
	print " */"
	print "#include \"seccomp.h\"\n"
	print "#include <linux/capability.h>\n"
	print "#define C(cap) (UINT64_C(1) << CAP_##cap)\n"
	print "/* clang-format off */\nconst struct sc_rule sc_rules[] = {"
	split("socket personality clone clone3", special, " ")
	for (i in special)
		check[special[i]] = "SC_CHECK_" toupper(special[i])
}
FNR == 1 || $2 == "-" { next }
!($1 in check) && $2 ~ / on / && $2 !~ /amd64|x86|arm/ { next }
{
	caps = ""
	always = 0
	abis = "SC_ANY"
	n = split($2, alt, "; ")
	for (i = 1; i <= n; i++) {
		if (match(alt[i], /^ALLOW if CAP_[A-Z_]+$/))
			caps = caps (caps ? " | " : "") "C(" substr(alt[i], 14) ")"
		else if (match(alt[i], / on [a-z0-9,]+$/)) {
			where = substr(alt[i], RSTART + 4)
			if (where !~ /amd64|x86|arm/)
				continue
			always = 1
			abis = where ~ /arm/ ? "SC_ARM" : where ~ /x86/ ? "SC_X86" : "SC_X86_64"
		} else
			always = 1
	}
	if ($1 in check)
		caps = $1 ~ /^clone/ ? "C(SYS_ADMIN)" : "0"
	else if (always || caps == "")
		caps = "0"
	printf "\t{ \"%s\", %s, %s, %s },\n", $1, caps, abis, ($1 in check) ? check[$1] : "SC_PLAIN"
}
END {
	print "};"
	print "const size_t sc_n_rules = sizeof(sc_rules) / sizeof(sc_rules[0]);"
}
