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
    """The function asked for what the world does not have. No `except` may swallow it: the first one is remembered,
    and ends the invocation whatever the function does with it."""

    def __init__(self, why):
        super().__init__(why)
        if State.armed and State.refused is None:
            State.refused = {"why": why, "at": place()}


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
    logged = 0
    refused = None
    # The world's lines, ours to it, the server's word that it is our turn, and ours to the server.
    world = out = turn = server = -1


# One of it: a field of a class, when it changes, makes the interpreter forget what it knew of the class.
State = State()


MAIN = threading.get_ident()
EXIT = os._exit
# Of the log, between two calls; and of one line, the rest of which is another.
LOG_MAX = 1 << 20
LINE_MAX = 1 << 16
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
    log, State.log, State.logged = State.log, [], 0
    try:
        text = written_out({"call": {"op": op, "args": args, "at": place(), "log": log}})
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


def encoder():
    """What `json.dumps` would make anew for each text."""
    make, plain = json.encoder.c_make_encoder, json.JSONEncoder()
    if make is None:
        return json.dumps
    parts = make(None, plain.default, json.encoder.encode_basestring_ascii, None, ": ", ", ", False, False, True)
    return lambda told: "".join(parts(told, 0))


written_out = encoder()
READ = json.JSONDecoder().raw_decode


def say(text):
    write(State.out, State.prefix + text.encode() + b"\n")


def hear():
    """What is for this invocation. A line that is for another one is the server's."""
    line = read_line(State.world)
    while line is not None and not line.startswith(State.prefix):
        write(State.server, line + b"\n")
        line = read_line(State.turn)
    if line is None:
        EXIT(SAID_ALL)
    if line == State.prefix + b"kill":
        say("killed")
        EXIT(SAID_ALL)
    return READ(line[len(State.prefix):].decode())[0]


def read_line(fd):
    """One line; None at the end. Whoever writes waits for an answer, so nothing comes after it."""
    line = os.read(fd, 4096)
    while not line.endswith(b"\n"):
        part = os.read(fd, 65536)
        if not part:
            return None
        line += part
    return line[:-1]


def write(fd, line, to=os.write):
    while line:
        line = line[to(fd, line):]


def urandom(count):
    """Bytes of the invocation's own stream."""
    return State.source.getrandbits(8 * count).to_bytes(count, "big") if count else b""


def sleep(seconds):
    call("sleep", millis=max(0, int(seconds * 1000)))


def note(text):
    """Adds to the log. A folder's name is the machine's, and not of the function."""
    text = text.encode("utf-8", "replace").decode()
    for line in text.replace(State.folder, "").splitlines():
        if State.logged > LOG_MAX:
            return
        State.logged += len(line)
        for start in range(0, len(line) if line.strip() else 0, LINE_MAX):
            State.log.append(line[start:start + LINE_MAX])
        if State.logged > LOG_MAX:
            State.log.append("(the log is cut here: it is longer than a million characters between two calls)")


class Log:
    """Standard output and error of the function: its log."""

    encoding, errors, newlines, closed, name, mode = "utf-8", "strict", None, False, "<stdout>", "w"

    def write(self, text):
        note(text)
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        pass

    def isatty(self):
        return False

    def writable(self):
        return True

    def readable(self):
        return False

    def reconfigure(self, **settings):
        pass

    def fileno(self):
        return 1

    @property
    def buffer(self):
        return Bytes()


class Bytes(Log):
    def write(self, text):
        note(bytes(text).decode("utf-8", "replace"))
        return len(text)


class Handler(logging.Handler):
    """A Lambda's: what a formatter makes of a record, with the traceback that it carries."""

    def __init__(self):
        super().__init__()
        self.stream = sys.stdout

    def emit(self, record):
        note(self.format(record))


def written(fd, text, to=os.write):
    """`os.write`, of which the log's descriptors are ours."""
    if fd in (1, 2):
        note(bytes(text).decode("utf-8", "replace"))
        return len(text)
    return to(fd, text)


def ended(code):
    raise Unsupported(f"the function ends its process (os._exit({code}))")


def prepare(folder, limit, settings):
    """Puts the world's clock, entropy and log in the place of the machine's."""
    State.folder, State.limit = os.path.join(os.path.realpath(folder), ""), limit
    os.environ.clear()
    os.environ.update(ENVIRONMENT | {"LAMBDA_TASK_ROOT": State.folder.rstrip(os.sep)} | settings)
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
    uuid.getnode = lambda: 0x02_00_00_00_00_01
    uuid.uuid1 = lambda node=None, clock_seq=None: uuid.uuid4()
    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = Log()
    os.write, os._exit = written, ended
    logging.getLogger().handlers[:] = [Handler()]
    sys.dont_write_bytecode = True
    sys.addaudithook(watch)


ENVIRONMENT = {
    "SECRETS_MANAGER_ENDPOINT": "https://secretsmanager.eu-west-1.amazonaws.com",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_LAMBDA_FUNCTION_NAME": "rotation",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
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
    **dict.fromkeys(
        ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate"),
        "changes files; the next invocation would not find them so",
    ),
    **dict.fromkeys(
        ("os.chmod", "os.chown", "os.utime", "os.setxattr", "os.removexattr", "os.lockf"),
        "changes files; the next invocation would not find them so",
    ),
    **dict.fromkeys(("os.kill", "os.killpg", "signal.pthread_kill"), "sends a signal"),
    **dict.fromkeys(("os.forkpty", "pty.spawn", "os.startfile"), "starts a process"),
}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def watch(event, args):
    if not State.armed:
        return
    if event in REFUSED:
        if event == "socket.__new__" and "asyncio" in sys.modules and called("asyncio"):
            raise Unsupported("the function runs an asyncio loop, which needs sockets: call the handler's steps directly")
        raise Unsupported(f"the function {REFUSED[event]} ({event})")
    if event == "sqlite3.connect" and args[0] != ":memory:":
        raise Unsupported("the function writes a file: the next invocation would not find it")
    if event == "open" and isinstance(args[2], int) and args[2] & WRITES and args[0] != os.devnull:
        raise Unsupported("the function writes a file: the next invocation would not find it")


def called(module):
    """Whether a function of this package is on the stack."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").split(".")[0] == module:
            return True
        frame = frame.f_back
    return False


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
    if signum == signal.SIGVTALRM:
        raise Unsupported(f"the function did not ask, return or raise for {State.limit:g} s of its own time")
    raise Unsupported(f"the function waited for {4 * State.limit:g} s, and not for the world")


def load(module, handler):
    """Imports the function once; what goes wrong is told by each invocation."""
    signal.signal(signal.SIGALRM, hung)
    signal.signal(signal.SIGVTALRM, hung)
    watched(True)
    State.armed = True
    try:
        found = __import__(module)
        function = getattr(found, handler, None)
        if State.refused is not None:
            refused, State.refused = State.refused, None
            return None, {"why": f"import of {module}.py: {refused['why']}", "at": refused["at"]}
        if not callable(function):
            return None, {"why": f"{module}.py has no function `{handler}(event, context)`", "at": f"{module}.py:1"}
        return function, None
    except BaseException as error:
        refused, State.refused = State.refused, None
        if refused is not None:
            return None, {"why": f"import of {module}.py: {refused['why']}", "at": refused["at"]}
        if isinstance(error, ModuleNotFoundError) and error.name == module:
            return None, {"why": f"there is no {module}.py in the folder", "at": None}
        kind = type(error).__name__
        return None, {"why": f"import of {module}.py raises {kind}: {error}", "at": place_of(error)}
    finally:
        State.armed = False
        watched(False)


class Identity:
    cognito_identity_id = cognito_identity_pool_id = None


class Context:
    identity, client_context = Identity(), None
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
        result = function(event, context)
        end = marshalled(result)
    except BaseException as error:
        end = raised(error)
    State.armed = False
    watched(False)
    if State.refused is not None:
        end = {"broke": State.refused}
    say(written_out(end))


def marshalled(result):
    """What the service does with what a handler returns: it must become JSON."""
    if result is None:
        return {"done": {"log": State.log}}
    try:
        json.dumps(result, default=float if type(result).__name__ == "Decimal" else None)
    except (TypeError, ValueError, OverflowError) as error:
        if hasattr(result, "close"):
            result.close()
        why = f"Unable to marshal response: {error}"
        return {"raised": {"kind": "Runtime.MarshalError", "message": why, "at": None, "log": State.log}}
    return {"done": {"log": State.log}}


def raised(error):
    """The log has what the service would write there: the exception, and what it came from."""
    seen, cause = set(), error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if cause is not error:
            note(f"{type(cause).__name__}: {text_of(cause)}")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    if isinstance(error, ModuleNotFoundError):
        # Nobody caught it: the service would say the same each time.
        return {"broke": {"why": text_of(error), "at": place_of(error)}}
    if isinstance(error, MemoryError):
        return {"broke": {"why": "the function takes more memory than there is", "at": place_of(error)}}
    kind, message = type(error).__name__, text_of(error)[:LINE_MAX]
    return {"raised": {"kind": kind, "message": message, "at": place_of(error), "log": State.log}}


def text_of(error):
    """JSON has no halves of letters."""
    try:
        return str(error).encode("utf-8", "replace").decode()
    except Exception as other:
        return f"(its text raises {type(other).__name__})"


def refuse_missing(what, names):
    """What an object of a stand-in answers to a name that the real one has and it has not; any other is nobody's."""
    known = frozenset(names.split())

    def missing(self, name):
        if name in known:
            raise Unsupported(f"the stand-in's {what} has no `{name}`: harness/FOREIGN.md lists what there is")
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    return missing


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
