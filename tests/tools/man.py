#!/usr/bin/env python3
"""man.py CTRCOMPOSE - docs/man/ctrcompose.1.scd on standard output: docs/man/head.scd, then what
--help says of each command, then docs/man/tail.scd. `make docs` writes it; a test compares.
man.py CTRCOMPOSE DIR - a page for each command, DIR/ctrcompose-COMMAND.1.scd, for `make man`."""
import os
import re
import subprocess
import sys

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "man")


def text(*words):
    return subprocess.run([sys.argv[1], *words, "--help"], capture_output=True, text=True, check=True).stdout


def escape(s):
    return re.sub(r"([\\*_<#\[\]~`'])", r"\\\1", s)


def section(page, name):
    """The lines below 'Name:' up to the next empty line."""
    found = re.search(rf"^{name}:\n((?:  .*\n?)+)", page, re.M)
    return found.group(1).splitlines() if found else []


def options(page):
    for line in section(page, "Options"):
        flags, _, what = re.sub(r"^ +", "", line).partition("  ")
        yield flags, what.strip()


def command(*words):
    page = text(*words)
    usage = re.search(r"^Usage: +ctrcompose (.*)$", page, re.M).group(1)
    summary = page.split("\n\n")[1].strip()
    print(f"## {escape(usage)}\n\n{escape(summary)}.\n")
    for flags, what in options(page):
        print(f"*{escape(flags)}*\n\t{escape(what)}.\n")
    for line in section(page, "Commands"):
        command(*words, line.split()[0])


def copy(name):
    with open(os.path.join(here, name), encoding="utf-8") as f:
        print(f.read())


def pages(folder, *words):
    page = text(*words)
    usage = re.search(r"^Usage: +ctrcompose (.*)$", page, re.M).group(1)
    name = "-".join(("ctrcompose", *words))
    summary = page.split("\n\n")[1].strip()
    with open(os.path.join(folder, name + ".1.scd"), "w", encoding="utf-8") as out:
        print(f"{name}(1)\n\n# NAME\n\n{escape(name)} - {escape(summary[0].lower() + summary[1:])}\n", file=out)
        print(f"# SYNOPSIS\n\n*ctrcompose* {escape(usage)}\n\n# DESCRIPTION\n\n{escape(summary)}.\n", file=out)
        if section(page, "Commands"):
            print("# COMMANDS\n", file=out)
        for line in section(page, "Commands"):
            print(f"*{escape('-'.join((name, line.split()[0])))}*(1)\n", file=out)
            pages(folder, *words, line.split()[0])
        print("# OPTIONS\n", file=out)
        for flags, what in options(page):
            print(f"*{escape(flags)}*\n\t{escape(what)}.\n", file=out)
        print("*--help*\n\tShow this.\n", file=out)
        print("# SEE ALSO\n\n*ctrcompose*(1): global options, environment, files, exit status.", file=out)


if len(sys.argv) > 2:
    for entry in section(text(), "Commands"):
        pages(sys.argv[2], entry.split()[0])
    sys.exit(0)
copy("head.scd")
top = text()
print("# GLOBAL OPTIONS\n")
for option, meaning in options(top):
    print(f"*{escape(option)}*\n\t{escape(meaning)}.\n")
print("# COMMANDS\n")
for entry in section(top, "Commands"):
    command(entry.split()[0])
copy("tail.scd")
