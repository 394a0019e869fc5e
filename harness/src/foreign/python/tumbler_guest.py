"""One invocation: the world's clock and entropy, calls and answers, and what is refused."""

import datetime
import importlib
import json
import logging
import os
import random
import select
import signal
import sys
import threading
import time
import traceback
import uuid


class Unsupported(BaseException):
    """The function asked for what the world does not have. No `except Exception` may swallow it."""


class WorldError(Exception):
    """An expected error of a service."""

    def __init__(self, kind, code, message):
        super().__init__(message)
        self.kind, self.code, self.message = kind, code, message


class State:
    folder = ""
    limit = 5.0
    armed = False
    # Whether it waits for the world's answer, however long that takes.
    waits = False
    now = 0
    source = random.Random(0)
    prefix = b""
    log = []
    # The world's lines, ours to it, the server's word that it is our turn, and ours to the server.
    world = out = turn = server = -1


MAIN = threading.get_ident()
LOG_MAX = 200
LINE_MAX = 2000
# How an invocation's process ends that has said its last word. A function's own exit is another.
SAID_ALL = 86
# Python 3.11 begins to specialize code that ran eight times.
WARM = 20
CPU_MAX = 60


def place():
    """File and line in the function that is being executed."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(State.folder):
            return f"{name[len(State.folder):]}:{frame.f_lineno}"
        frame = frame.f_back
    return None


def place_of(error):
    """File and line in the function where an error came from, the innermost."""
    if isinstance(error, SyntaxError) and error.filename and error.filename.startswith(State.folder):
        return f"{error.filename[len(State.folder):]}:{error.lineno}"
    found = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        name = frame.f_code.co_filename
        if name.startswith(State.folder):
            found = f"{name[len(State.folder):]}:{line}"
    return found


def call(op, **args):
    """Asks the world; returns its value or raises WorldError."""
    if threading.get_ident() != MAIN:
        raise Unsupported(f"`{op}` from a second thread: a rotation is told one call at a time")
    if State.world < 0:
        raise Unsupported(f"`{op}` while the module is imported: ask in the handler")
    log, State.log = State.log, []
    try:
        text = json.dumps({"call": {"op": op, "args": args, "at": place(), "log": log}})
    except TypeError as error:
        raise Unsupported(f"`{op}` with arguments that are no JSON: {error}") from None
    State.waits = True
    say(text)
    answer = hear()["answer"]
    watch_anew()
    State.waits = False
    State.now = int(answer["now"])
    if "error" in answer:
        error = answer["error"]
        if error["kind"] == "Unsupported":
            raise Unsupported(error["message"])
        raise WorldError(error["kind"], error["code"], error["message"])
    return answer["value"]


def say(text):
    write(State.out, State.prefix + text.encode() + b"\n")


def hear():
    """What is for this invocation. A line that is for another one is the server's."""
    line = read_line(State.world)
    while line is not None and not line.startswith(State.prefix):
        write(State.server, line + b"\n")
        line = read_line(State.turn)
    if line is None:
        os._exit(SAID_ALL)
    if line == State.prefix + b"kill":
        say("killed")
        os._exit(SAID_ALL)
    return json.loads(line[len(State.prefix):].decode())


def read_line(fd):
    """One line; None at the end. Whoever writes waits for an answer, so nothing comes after it."""
    line = os.read(fd, 65536)
    while not line.endswith(b"\n"):
        part = os.read(fd, 65536)
        if not part:
            return None
        line += part
    return line[:-1]


def write(fd, line):
    while line:
        line = line[os.write(fd, line):]


def urandom(count):
    """Bytes of the invocation's own stream."""
    return State.source.getrandbits(8 * count).to_bytes(count, "big") if count else b""


def sleep(seconds):
    call("sleep", millis=max(0, int(seconds * 1000)))


class Log:
    """Standard output and error of the function: its log."""

    encoding = "utf-8"

    def write(self, text):
        for line in text.splitlines():
            if line.strip() and len(State.log) < LOG_MAX:
                State.log.append(line[:LINE_MAX])
        return len(text)

    def flush(self):
        pass

    def isatty(self):
        return False


class Handler(logging.Handler):
    def emit(self, record):
        if len(State.log) < LOG_MAX:
            State.log.append(record.getMessage()[:LINE_MAX])


def prepare(folder, limit, settings):
    """Puts the world's clock, entropy and log in the place of the machine's."""
    State.folder, State.limit = os.path.join(os.path.realpath(folder), ""), limit
    os.environ.clear()
    os.environ.update(ENVIRONMENT | settings)
    for name in ("time", "monotonic", "perf_counter", "process_time"):
        setattr(time, name, lambda: State.now / 1e9)
        setattr(time, name + "_ns", lambda: State.now)
    for name in ("gmtime", "localtime", "ctime"):
        told = getattr(time, name)
        setattr(time, name, lambda at=None, told=told: told(State.now // 10**9 if at is None else at))
    form = time.strftime
    time.strftime = lambda text, at=None: form(text, time.gmtime() if at is None else at)
    time.sleep = sleep
    datetime.datetime, datetime.date = DateTime, Date
    os.urandom = random._urandom = urandom
    os.getpid = lambda: 1
    seed = random.Random.seed
    random.Random.seed = lambda self, a=None, version=2: seed(self, urandom(32) if a is None else a, version)
    for name in ("random", "seed", "choice", "choices", "randint", "randrange", "sample", "shuffle", "uniform"):
        assert hasattr(random, name)
    uuid.uuid1 = lambda node=None, clock_seq=None: uuid.uuid4()
    sys.stdout = sys.stderr = Log()
    logging.getLogger().handlers[:] = [Handler()]
    sys.dont_write_bytecode = True
    sys.addaudithook(watch)


ENVIRONMENT = {
    "SECRETS_MANAGER_ENDPOINT": "https://secretsmanager.eu-west-1.amazonaws.com",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_LAMBDA_FUNCTION_NAME": "rotation",
    "TZ": "UTC",
    "PATH": "",
}


class DateTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(State.now / 1e9, tz)

    @classmethod
    def utcnow(cls):
        return cls.utcfromtimestamp(State.now / 1e9)

    @classmethod
    def today(cls):
        return cls.now()


class Date(datetime.date):
    @classmethod
    def today(cls):
        return cls.fromtimestamp(State.now / 1e9)


REFUSED = {
    "socket.__new__": "opens a socket; there are stand-ins for boto3, pg, pgdb, psycopg2, psycopg and pymysql",
    "socket.getaddrinfo": "looks a host up; there is no network",
    "socket.gethostbyname": "looks a host up; there is no network",
    "subprocess.Popen": "starts a process",
    "os.system": "starts a process",
    "os.exec": "starts a process",
    "os.posix_spawn": "starts a process",
    "os.fork": "forks",
    "ctypes.dlopen": "loads a library of the machine",
}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def watch(event, args):
    if not State.armed:
        return
    if event in REFUSED:
        raise Unsupported(f"the function {REFUSED[event]} ({event})")
    if event == "open" and isinstance(args[2], int) and args[2] & WRITES and args[0] != os.devnull:
        raise Unsupported("the function writes a file: the next invocation would not find it")


def watched(on):
    """So long of its own time, or of everybody's where the machine is busy."""
    signal.setitimer(signal.ITIMER_VIRTUAL, State.limit if on else 0)
    signal.setitimer(signal.ITIMER_REAL, 4 * State.limit if on else 0)


def watch_anew():
    """Another such time begins. The one that is over may have run out while nothing was done but wait."""
    signal.setitimer(signal.ITIMER_VIRTUAL, State.limit)
    signal.setitimer(signal.ITIMER_REAL, 4 * State.limit)


def hung(signum, frame):
    if State.waits:
        return
    raise Unsupported(f"the function did not ask, return or raise for {State.limit:g} s")


def load(module, handler):
    """Imports the function once; what goes wrong is told by each invocation."""
    signal.signal(signal.SIGALRM, hung)
    signal.signal(signal.SIGVTALRM, hung)
    watched(True)
    State.armed = True
    try:
        found = __import__(module)
        function = getattr(found, handler, None)
        if not callable(function):
            return None, {"why": f"{module}.py has no function `{handler}(event, context)`", "at": f"{module}.py:1"}
        return function, None
    except Unsupported as error:
        return None, {"why": f"import of {module}.py: {error}", "at": place_of(error)}
    except BaseException as error:
        if isinstance(error, ModuleNotFoundError) and error.name == module:
            return None, {"why": f"there is no {module}.py in the folder", "at": None}
        kind = type(error).__name__
        return None, {"why": f"import of {module}.py raises {kind}: {error}", "at": place_of(error)}
    finally:
        State.armed = False
        watched(False)


class Context:
    function_name = "rotation"
    function_version = "$LATEST"
    memory_limit_in_mb = 128
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:rotation"
    log_group_name = log_stream_name = "rotation"

    def __init__(self, request, end):
        self.aws_request_id, self.end = request, end

    def get_remaining_time_in_millis(self):
        return max(0, (self.end - State.now) // 10**6)


def warm_up(exercise, answers):
    """Takes the way of an invocation a few times, before any is forked: the interpreter gets to know the code.

    It is not the function that is run here, but the stand-ins: their answers are made up.
    """
    # In packets: an answer is read as it was written. Linux alone has them; elsewhere it goes without.
    if not hasattr(os, "O_DIRECT") or not hasattr(os, "pipe2"):
        return
    world, feed = os.pipe2(os.O_DIRECT)
    null = os.open(os.devnull, os.O_WRONLY)
    told = {"step": "", "secret": "", "token": "", "now": "0", "life": "0", "entropy": "00", "protocol": 1}
    for _ in range(WARM):
        for value in answers:
            write(feed, json.dumps({"answer": {"now": "0", "value": value}}).encode() + b"\n")
        event = begin(b"", json.dumps({"invoke": told}).encode(), None)
        serve((world, null, -1, -1), exercise, *event)
    left, _, _ = select.select([world], [], [], 0)
    assert not left, "an answer was not asked for"
    signal.setitimer(signal.ITIMER_PROF, 0)
    State.armed, State.world, State.now, State.log = False, -1, 0, []
    for fd in (world, feed, null):
        os.close(fd)


def begin(prefix, line, broken):
    """What an invocation is told, before it is forked: a child that writes less copies less."""
    told = json.loads(line[len(prefix):].decode())["invoke"]
    if told["protocol"] != 1:
        broken = {"why": f"version {told['protocol']} of the protocol is unknown", "at": None}
    State.prefix, State.log, State.now = prefix, [], int(told["now"])
    State.source.seed(int(told["entropy"], 16))
    random.seed(State.source.getrandbits(256))
    event = {"Step": told["step"], "SecretId": told["secret"], "ClientRequestToken": told["token"]}
    return event, Context(str(uuid.uuid4()), State.now + int(told["life"])), broken


def serve(pipes, function, event, context, broken):
    """One invocation in a process of its own."""
    State.world, State.out, State.turn, State.server = pipes
    if broken:
        say(json.dumps({"broke": broken}))
        return
    # What hangs where Python cannot interrupt it does not outlive the run for long: this signal ends it.
    signal.setitimer(signal.ITIMER_PROF, CPU_MAX)
    State.armed = True
    watched(True)
    try:
        function(event, context)
        end = {"done": {"log": State.log}}
    except Unsupported as error:
        end = {"broke": {"why": str(error), "at": place_of(error)}}
    except BaseException as error:
        kind = type(error).__name__
        end = {"raised": {"kind": kind, "message": str(error)[:LINE_MAX], "at": place_of(error), "log": State.log}}
    watched(False)
    say(json.dumps(end))


def refuse_attribute(module):
    """What a stand-in answers to a name that it does not have."""

    def missing(name):
        if name.startswith("__"):
            raise AttributeError(name)
        if f"{module}.{name}" in sys.modules["__main__"].SOURCES:
            return importlib.import_module(f"{module}.{name}")
        raise Unsupported(
            f"the stand-in has no `{module}.{name}`: harness/FOREIGN.md lists what it has; say what you need, or "
            "speak the protocol directly"
        )

    return missing
