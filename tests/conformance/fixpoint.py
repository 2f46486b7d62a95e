#!/usr/bin/env python3
"""fixpoint.py CORPUS COMMAND: what `config` prints of a project is the same project.

For every case of the corpus (see docs/CONFORMANCE.md) that COMMAND accepts, its output, in YAML and in
JSON, is loaded again: it must be accepted, and print what it was made from. The last line is
"N passed, N failed".

Compose leaves models and empty names out of its JSON (YAML has them): such a case is tried as YAML only."""
import concurrent.futures
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


NOT_IN_JSON = re.compile(rb'^models:|^ +(name|dockerfile): ""$', re.MULTILINE)


class Case:
    def __init__(self, folder, command):
        self.folder = folder
        self.command = command
        self.env = {"HOME": "/home/user", "USER": "user", "PATH": "/usr/bin:/bin"}
        self.env.update(line.split("=", 1) for line in read(folder + "/env").split("\n") if "=" in line)

    def run(self, args, where, env):
        done = subprocess.run([self.command] + args, cwd=where, env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=10)
        return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")

    def problem(self, base):
        """What is wrong, or None; False where the case isn't one for this test."""
        root = os.path.join(base, "project")
        shutil.copytree(self.folder + "/in", root)
        args = shlex.split(read(self.folder + "/cmd"))
        if "config" not in args or any(a.startswith("--no-") for a in args):
            return False
        where = os.path.normpath(os.path.join(root, read(self.folder + "/cwd").strip() or "."))
        os.makedirs(where, exist_ok=True)
        if "--format" in args:
            i = args.index("--format")
            args = args[:i] + args[i + 2:]
        for form in "yaml", "json":
            status, first, _ = self.run(args + ["--format", form], where, dict(self.env, PWD=where))
            if status != 0:
                return False
            printed = os.path.join(base, "printed." + form)
            with open(printed, "wb") as file:
                file.write(first)
            # Nothing of the environment may matter any more, nor which folder it is read in.
            status, second, said = self.run(["-f", printed, "--profile", "*", "config", "--format", form], base,
                                            {"HOME": "/home/user", "PATH": "/usr/bin:/bin", "PWD": base})
            if status != 0:
                return form + " refused: " + said.strip().split("\n")[0]
            if first != second:
                for a, b in zip(first.split(b"\n"), second.split(b"\n")):
                    if a != b:
                        return "%s differs: %r became %r" % (form, a, b)
                return form + " differs in length"
            if NOT_IN_JSON.search(first):
                break
        return None


def one(case):
    base = os.path.realpath(tempfile.mkdtemp(prefix="fixpoint"))
    try:
        return case.problem(base)
    except subprocess.TimeoutExpired:
        return "no answer in 10 s"
    finally:
        shutil.rmtree(base, ignore_errors=True)


def main():
    corpus, command = sys.argv[1], os.path.abspath(sys.argv[2])
    cases = os.path.join(corpus, "cases")
    names = sorted(os.listdir(cases))
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, why in zip(names, pool.map(one, (Case(os.path.join(cases, n), command) for n in names))):
            if why:
                print("FAIL %s %s" % (name, why))
                failed += 1
            elif why is None:
                passed += 1
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0


sys.exit(main())
