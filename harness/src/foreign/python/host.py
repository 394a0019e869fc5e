"""The fork server: imports a rotation function once, and forks for each invocation.

Lines to and from an invocation are those of harness/FOREIGN.md; here each has the invocation's number
before it. The function reaches stand-ins only: clock and entropy are the world's, sockets, processes and
files to be written are refused.
"""

import gc
import importlib.abc
import importlib.util
import json
import os
import signal
import sys

FOLDER = sys.argv[1]
SOURCES = json.loads(sys.argv[2])
LIMIT = float(sys.argv[3])
SETTINGS = json.loads(sys.argv[4])
MODULE, HANDLER = "lambda_function", "lambda_handler"


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds stand-ins before anything else does."""

    def find_spec(self, name, path=None, target=None):
        if name not in SOURCES:
            return None
        package = any(other.startswith(name + ".") for other in SOURCES)
        return importlib.util.spec_from_loader(name, self, origin="tumbler", is_package=package)

    def get_source(self, name):
        return SOURCES[name]

    def is_package(self, name):
        return any(other.startswith(name + ".") for other in SOURCES)


class Missing(importlib.abc.MetaPathFinder):
    """Asked when nobody found a module."""

    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top in sys.builtin_module_names or top in sys.stdlib_module_names:
            return None
        raise ModuleNotFoundError(
            f"no stand-in for the module `{name}`: put it beside lambda_function.py if it is pure Python and "
            f"reaches nothing outside; there are stand-ins for {', '.join(TOP)}",
            name=name,
        )


TOP = sorted({name.split(".")[0] for name in SOURCES if not name.startswith("tumbler")})


def read_line(fd, rest):
    """One line from a pipe, and what came after it; None at its end."""
    while b"\n" not in rest:
        part = os.read(fd, 65536)
        if not part:
            return None, b""
        rest += part
    line, rest = rest.split(b"\n", 1)
    return line, rest


def write(fd, line):
    while line:
        line = line[os.write(fd, line):]


def main():
    out = os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    sys.path[:] = [FOLDER] + [path for path in sys.path if path and path != FOLDER]
    sys.meta_path.insert(0, StandIns())
    sys.meta_path.append(Missing())
    import tumbler_guest as guest

    guest.prepare(FOLDER, LIMIT, SETTINGS)
    # Here and not in each invocation, where a function may import them late.
    for name in SOURCES:
        importlib.import_module(name)
    function, broken = guest.load(MODULE, HANDLER)
    gc.collect()
    gc.freeze()
    serve(out, guest, function, broken)


def serve(out, guest, function, broken):
    """Hands each line to the invocation that it is for; what an invocation says goes out directly."""
    children, rest = {}, b""

    def reap(signum, frame):
        # A handler may run within itself, and late: even where the signal is blocked by then.
        for number, (pid, to) in list(children.items()):
            if children.get(number) != (pid, to):
                continue
            try:
                ended, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue
            if ended:
                children.pop(number, None)
                os.close(to)
                code = os.waitstatus_to_exitcode(status)
                if code:
                    why = f"the process ended by itself, with {code}"
                    write(out, number + b" " + json.dumps({"broke": {"why": why, "at": None}}).encode() + b"\n")

    signal.signal(signal.SIGCHLD, reap)
    while True:
        line, rest = read_line(0, rest)
        if line is None:
            break
        number, _, line = line.partition(b" ")
        signal.pthread_sigmask(signal.SIG_BLOCK, CHILD)
        if line == b"kill":
            child = children.pop(number, None)
            if child:
                end(child)
            write(out, number + b" killed\n")
        else:
            if line.startswith(b'{"invoke"'):
                # Each run counts from one: who had the number has said its last word, and may not be reaped yet.
                child = children.pop(number, None)
                if child:
                    wait(child)
                children[number] = begin(out, guest, function, broken, number)
            child = children.get(number)
            try:
                # Of one that died, `reap` has said so, and may have closed its pipe by now.
                if child:
                    write(child[1], line + b"\n")
            except OSError:
                pass
        signal.pthread_sigmask(signal.SIG_UNBLOCK, CHILD)
    signal.pthread_sigmask(signal.SIG_BLOCK, CHILD)
    for child in list(children.values()):
        end(child)


def begin(out, guest, function, broken, number):
    read, to = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, CHILD)
        os.close(to)
        os.close(0)
        guest.serve(read, out, number + b" ", function, broken)
        os._exit(0)
    os.close(read)
    return pid, to


def end(child):
    try:
        os.kill(child[0], signal.SIGKILL)
    except ProcessLookupError:
        pass
    wait(child)


def wait(child):
    """Until it is gone, whoever is told first."""
    pid, to = child
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        pass
    try:
        os.close(to)
    except OSError:
        pass


CHILD = {signal.SIGCHLD}
main()
