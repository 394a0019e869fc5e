"""The fork server: imports a rotation function once, and forks for each invocation.

Lines to and from an invocation are those of harness/FOREIGN.md; here each has the invocation's number
before it. Of all processes one listens to the world, and that is the one that was spoken to last: an
invocation hears its answers itself, and hands a line that is for another one to the server. The function reaches stand-ins only: clock and entropy are the world's, sockets, processes and
files to be written are refused.
"""

import gc
import importlib
import json
import marshal
import os
import signal
import sys
from importlib.machinery import ModuleSpec

# What the standard library would do in each child (draw a new seed, renew locks that nobody holds) costs
# more than the fork itself. Random numbers are the world's, and there is one thread.
os.register_at_fork = lambda **hooks: None

FOLDER = sys.argv[1]
SOURCES = json.loads(sys.argv[2])
LIMIT = float(sys.argv[3])
SETTINGS = json.loads(sys.argv[4])
MODULE, HANDLER = "lambda_function", "lambda_handler"


class StandIns:
    """Finds stand-ins before anything else does, and loads them.

    Without a base class: the one that is made for it brings nine libraries with it, and each fork would copy
    what describes their places.
    """

    def find_spec(self, name, path=None, target=None):
        if name not in SOURCES:
            return None
        package = any(other.startswith(name + ".") for other in SOURCES)
        return ModuleSpec(name, self, origin="tumbler", is_package=package)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(marshal.loads(CODES[module.__name__]), module.__dict__)


class Missing:
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


# Of each stand-in.
CODES = {}
TOP = sorted({name.split(".")[0] for name in SOURCES if not name.startswith("tumbler")})


def main():
    source, out = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    sys.path[:] = [FOLDER] + [path for path in sys.path if path and path != FOLDER]
    sys.meta_path.insert(0, StandIns())
    sys.meta_path.append(Missing())
    gather()
    import tumbler_guest as guest

    guest.prepare(FOLDER, LIMIT, SETTINGS)
    # Here and not in each invocation, where a function may import them late.
    for name in SOURCES:
        importlib.import_module(name)
    function, broken = guest.load(MODULE, HANDLER)
    guest.warm_up(exercise, ANSWERS)
    # An invocation is short: its garbage goes with it, and what is here already stays unwritten, and so shared.
    gc.collect()
    gc.freeze()
    gc.disable()
    Server(source, out, guest, function, broken).serve()


def gather():
    """Makes what every invocation will use stand close together.

    A forked process copies each page that it writes, if only to count a reference, and that is most of what an
    invocation costs. So all that is seldom used comes first; then every gap that it left is taken; then come the
    stand-ins and the function, as neighbours.
    """
    # The machine's own way to an identifier is not the world's.
    sys.modules["_uuid"] = None
    import collections, datetime, logging, random, select, threading, time, traceback, uuid  # noqa: E401, F401

    for name, text in SOURCES.items():
        CODES[name] = marshal.dumps(compile(text, f"<{name}>", "exec", dont_inherit=True))
    gc.collect()
    for size, free in gaps():
        if size == 16:
            TAKEN.extend([object() for _ in range(free)])
        elif size == 32:
            TAKEN.extend([float(each) for each in range(free)])
        else:
            TAKEN.extend([bytes(size - sys.getsizeof(b"")) for _ in range(free)])


TAKEN = []


def gaps():
    """Free places by size, as the interpreter's allocator tells them to standard error: nothing, if it does not."""
    ear, mouth = os.pipe()
    kept = os.dup(2)
    os.dup2(mouth, 2)
    getattr(sys, "_debugmallocstats", lambda: None)()
    os.dup2(kept, 2)
    os.close(mouth)
    os.close(kept)
    told = b""
    while part := os.read(ear, 65536):
        told += part
    os.close(ear)
    # class, size, pools, blocks in use, blocks free
    rows = [line.split() for line in told.decode().splitlines()]
    return [(int(row[1]), int(row[4])) for row in rows if len(row) == 5 and all(each.isdigit() for each in row)]


def exercise(event, context):
    """The calls that most functions make."""
    import boto3
    import psycopg2
    import pymysql

    client = boto3.client("secretsmanager")
    client.describe_secret(SecretId="")
    client.get_secret_value(SecretId="", VersionStage="")
    client.put_secret_value(SecretId="", ClientRequestToken="", SecretString="", VersionStages=[])
    for driver in (psycopg2, pymysql):
        connection = driver.connect(host="", port=1, user="", password="")
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s", ("x",))
            cursor.fetchall()
        connection.commit()
        connection.close()


# One for each call of `exercise`.
ROWS = {"columns": ["x"], "rows": [["x"]], "rowcount": 1}
ANSWERS = [{}, {"SecretString": "{}"}, {}] + 2 * [{"connection": 1, "version": "", "tls": True}, ROWS, None, None]


class Child:
    """An invocation. `to` wakes it when its turn comes again; what it says to the server comes through `ear`."""

    def __init__(self, pid, to, ear):
        self.pid, self.to, self.ear = pid, to, ear

    def end(self):
        """How it ended, once it has."""
        os.close(self.to)
        os.close(self.ear)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        self.end()


class Server:
    def __init__(self, source, out, guest, function, broken):
        self.source, self.out, self.guest, self.function, self.broken = source, out, guest, function, broken
        self.children = {}

    def serve(self):
        """Sees to each line, and waits while an invocation listens in its place."""
        line = self.guest.read_line(self.source)
        while line is not None:
            number, _, told = line.partition(b" ")
            if told == b"kill":
                if number in self.children:
                    self.children.pop(number).kill()
                self.say(number, b"killed")
            elif told.startswith(b'{"invoke"'):
                # Each run counts from one. Whoever waits since another run waits for nothing.
                if number in self.children:
                    self.children.pop(number).kill()
                self.children[number] = self.begin(number, line)
                line = self.follow(number)
                continue
            elif number in self.children:
                try:
                    self.guest.write(self.children[number].to, line + b"\n")
                except BrokenPipeError:
                    pass
                line = self.follow(number)
                continue
            line = self.guest.read_line(self.source)
        for child in self.children.values():
            child.kill()

    def follow(self, number):
        """Until an invocation has ended, or has heard a line that is for somebody else: the next line."""
        child = self.children[number]
        line = self.guest.read_line(child.ear)
        if line is not None:
            return line
        code = self.children.pop(number).end()
        if code != self.guest.SAID_ALL:
            why = f"the function's process ended by itself, with {code}"
            self.say(number, json.dumps({"broke": {"why": why, "at": None}}).encode())
        return self.guest.read_line(self.source)

    def begin(self, number, line):
        told = self.guest.begin(number + b" ", line, self.broken)
        turn, to = os.pipe()
        ear, server = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(to)
            os.close(ear)
            self.guest.serve((self.source, self.out, turn, server), self.function, *told)
            self.guest.EXIT(self.guest.SAID_ALL)
        os.close(turn)
        os.close(server)
        return Child(pid, to, ear)

    def say(self, number, text):
        self.guest.write(self.out, number + b" " + text + b"\n")


main()
