"""Runs scripts for normc, one after the other, in one warm interpreter.

Knows no plans: a request names a script and its inputs, the answer is a value or a failure. Requests and answers are
JSON objects, one a line, on the socket that is this process's stdin when it starts. Standard output and standard
error belong to the scripts.
"""
import sys

if sys.version_info < (3, 8):
    sys.exit("this is Python %d.%d, which is too old" % sys.version_info[:2])

# Before anything else is imported: the current directory is the plan's, and must not shadow the standard library.
sys.path[:] = [entry for entry in sys.path if entry]

import _thread
import builtins
import fcntl
import gc
import io
import json
import os
import resource
import signal

IDENTITY = ("NORMC_IDEMPOTENCY_KEY", "NORMC_RUN_ID", "NORMC_STEP")
LIFELINE, MAX_ANSWER, MEMORY = (int(argument) for argument in sys.argv[1:4])
BODY = sys.argv[4]
MAX_DEPTH = 126
TRACE_LIMIT = 16384
PLAIN = frozenset([str, int, float, bool, type(None)])
CALLS_BETWEEN_SIZES = 256
KEYBOARD = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGHUP)

encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
encode = encoder.encode
scan = json.JSONDecoder().scan_once
quote = json.encoder.encode_basestring


class Failed(Exception):
    """A failure whose kind is already known."""

    def __init__(self, kind, message, line=None, type_name=None, trace=None):
        super().__init__(message)
        self.fields = {"kind": kind, "message": message}
        if line is not None:
            self.fields["line"] = line
        if type_name is not None:
            self.fields["type"] = type_name
        if trace is not None:
            self.fields["trace"] = trace


class NormcError(RuntimeError):
    """A tool of the body could not do what the script asked: `kind` is normc's word for why."""

    def __init__(self, message, kind="bad_arguments", help=None):
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.help = help

    def __str__(self):
        return "%s: %s" % (self.kind, self.message)


class Ended(BaseException):
    """The call is over; what the script still does has no effect on what becomes of it."""


class LateSite:
    """Adds the site packages at the first import that needs them: starting with them is four times slower."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in getattr(sys, "stdlib_module_names", ()):
            return None
        sys.meta_path.remove(self)
        import site

        # An import hidden in a .pth file may fail; that is no reason to fail this one.
        try:
            site.main()
        except Exception as error:
            print("site packages:", error, file=sys.stderr)
        state.path[:] = [state.base] + [entry for entry in sys.path if entry != state.base]
        sys.path[:] = state.path
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target) if hasattr(finder, "find_spec") else None
            if spec is not None:
                return spec
        return None


class State:
    """What has to be put back before each call."""

    def __init__(self):
        self.base = os.getcwd()
        self.directory = os.open(self.base, os.O_RDONLY)
        self.path = [self.base] + sys.path
        self.pid = os.getpid()
        self.out = stream(1)
        self.err = stream(2)
        self.calls = 0
        self.identified = False

    def identify(self, variables):
        """Which call this is, for the script and the processes it starts. Nothing stays of the call before."""
        for name in IDENTITY:
            value = variables.get(name)
            if value is not None:
                os.environ[name] = value
            else:
                os.environ.pop(name, None)
        self.identified = bool(variables)

    def restore(self, script):
        """What one script changed must not change the next."""
        os.fchdir(self.directory)
        if sys.path != self.path:
            sys.path[:] = self.path
        if self.out.closed:
            self.out = stream(1)
        if self.err.closed:
            self.err = stream(2)
        sys.stdout = sys.__stdout__ = self.out
        sys.stderr = sys.__stderr__ = self.err
        sys.argv = [script]

    def flush(self):
        """All that was printed goes out before the answer: whoever reads the answer finds it."""
        printed = [self.out, self.err]
        if sys.stdout is not self.out or sys.stderr is not self.err:
            printed += [sys.stdout, sys.stderr]
        for stream in printed:
            try:
                stream.flush()
            except Exception:
                # A script may have closed it, or put anything in its place.
                pass


def stream(fd):
    raw = io.BufferedWriter(io.FileIO(fd, "w", closefd=False))
    return io.TextIOWrapper(raw, "utf-8", errors="backslashreplace", newline="\n", line_buffering=True)


class Channel:
    """The socket to normc."""

    def __init__(self):
        self.fd = os.dup(0)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        self.reader = open(self.fd, "rb", buffering=1 << 16, closefd=False)
        self.lock = _thread.allocate_lock()
        self.callbacks = 0
        self.call = None
        self.ended = False

    def begin(self, call):
        self.call, self.ended = call, False

    def finish(self):
        """From now on nothing of this call may use the socket. Waits for a thread that is just doing so."""
        with self.lock:
            self.call = None

    def read(self):
        """The next line; without one normc is gone, and so is everything this process has started."""
        line = self.reader.readline()
        if not line.endswith(b"\n"):
            end()
        return scan(line.decode(), 0)[0]

    def write(self, data):
        written = os.write(self.fd, data)
        if written < len(data):
            data = memoryview(data)[written:]
            while data:
                data = data[os.write(self.fd, data):]

    def call_back(self, call, tool, method, args, named):
        """Asks normc for something, for the call with that number. Threads of a script take turns."""
        data = request_of(tool, method, args, named)
        with self.lock:
            if os.getpid() != state.pid:
                raise NormcError("only the process of the script itself can use `body`", "not_allowed")
            if call != self.call:
                raise NormcError("the script that this `body` belongs to has ended", "not_allowed")
            if self.ended:
                raise Ended
            self.callbacks += 1
            self.write(b'{"cb":%d,' % self.callbacks + data)
            answer = self.read()
            self.ended = "end" in answer
        if self.ended:
            raise Ended
        error = answer.get("error")
        if error is not None:
            raise NormcError(error["message"], error["kind"], error.get("help"))
        return answer.get("value")


def request_of(tool, method, args, named):
    """What is asked, as the rest of a line."""
    name = "body.%s.%s" % (tool, method)
    request = {"tool": tool, "method": method, "args": args, "named": named}
    try:
        text = encode(request)
        data = text.encode()
    except UnicodeEncodeError:
        raise NormcError("`%s` got half of a surrogate pair, which is no character" % name)
    except RecursionError:
        raise NormcError("`%s` got a value nested deeper than %d" % (name, MAX_DEPTH))
    except (TypeError, ValueError, OverflowError) as error:
        raise NormcError("`%s` got a value that is no JSON: %s" % (name, error))
    if text.count("[") + text.count("{") > MAX_DEPTH - 2 and is_deep(request):
        raise NormcError("`%s` got a value nested too deep" % name)
    if len(data) > MAX_ANSWER:
        raise NormcError("`%s` got %d bytes, more than %d" % (name, len(data), MAX_ANSWER))
    return data[1:] + b"\n"


def end():
    """Ends this process and all that scripts have started and not awaited."""
    try:
        os.killpg(0, signal.SIGKILL)
    finally:
        os._exit(0)


def detach():
    """Gives this process a session of its own: what is typed at normc's terminal is for normc.

    It was started as the leader of a process group, so that no such signal could reach it until now; but a leader
    cannot begin a session. It goes back into normc's group for the moment, deaf to the keyboard.
    """
    if os.getpgrp() != os.getpid():
        # Something stands between: normc knows the group of that.
        return
    heard = [(number, signal.signal(number, signal.SIG_IGN)) for number in KEYBOARD]
    try:
        os.setpgid(0, os.getpgid(os.getppid()))
        os.setsid()
    except OSError:
        # It stays as it is, at worst without a session.
        if os.getpgrp() != os.getpid():
            os.setpgid(0, 0)
    for number, handler in heard:
        signal.signal(number, handler)


def watch(lifeline):
    """Ends this process group when normc ends, however it ends and whatever a script is doing.

    normc holds the other end of a pipe that nobody writes to. The kernel is asked for a kill signal when it closes;
    a thread waits for the same, for systems that cannot do that.
    """
    os.set_inheritable(lifeline, False)
    if hasattr(fcntl, "F_SETSIG") and hasattr(os, "O_ASYNC"):
        try:
            fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
            fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
        except OSError:
            pass
    _thread.start_new_thread(wait, (lifeline, os.getpid()))


def wait(lifeline, pid):
    try:
        os.read(lifeline, 1)
    except OSError:
        return
    if os.getpid() == pid:
        end()


def limit():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if MEMORY:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def compiled(request):
    """The code of a script, compiled once for each content."""
    if request.get("reset"):
        scripts.clear()
    key = request["script"]
    if "code" in request:
        scripts[key] = [request["code"], None]
    entry = scripts[key]
    if entry[1] is None:
        try:
            entry[1] = compile(entry[0], request["path"], "exec", dont_inherit=True)
        except SyntaxError as error:
            raise Failed("script_failed", str(error), error.lineno, type(error).__name__, trace_of(error, None))
    return entry[1]


def run(request):
    code = compiled(request)
    args = request["args"]
    if request["op"] == "call":
        namespace = {}
        exec(code, namespace)
        return call_main(namespace, args, request["function"])
    namespace = dict(args)
    exec(code, namespace)
    if "result" in namespace:
        return namespace["result"]
    if callable(namespace.get("main")):
        return call_main(namespace, args)
    raise Failed("script_gave_no_result", "")


def call_main(namespace, args, name="main"):
    if name not in namespace:
        raise Failed("no_such_function", "defines no function `%s`" % name)
    main = namespace[name]
    if not callable(main):
        raise Failed("no_such_function", "'%s' is not a callable function." % name)
    if "body" not in args and takes_body(main):
        args = dict(args, body=new_body())
    return main(**args)


def new_body():
    """What a script finds as `body`. Its classes are made when the first script asks for them."""
    if not shim:
        # Its frames are not the script's.
        exec(compile(BODY, "<body>", "exec", dont_inherit=True), shim)
    call = channel.call
    return shim["Body"](lambda tool, method, args, named: channel.call_back(call, tool, method, args, named),
                        state.base, NormcError)


def takes_body(main):
    code = getattr(main, "__code__", None)
    if code is not None and not hasattr(main, "__wrapped__") and not hasattr(main, "__self__"):
        named = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        return "body" in named or bool(code.co_flags & 0x08)
    import inspect

    try:
        parameters = inspect.signature(main).parameters
    except (TypeError, ValueError):
        return False
    return "body" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def is_plain(value):
    """Whether the value is made of JSON's own types alone, so that its text can be told from its JSON."""
    open_values = [value]
    while open_values:
        value = open_values.pop()
        kind = type(value)
        if kind in PLAIN:
            continue
        if kind is list:
            inner = value
        elif kind is dict:
            if not all(type(key) is str for key in value):
                return False
            inner = value.values()
        else:
            return False
        if not set(map(type, inner)) <= PLAIN:
            open_values.extend(inner)
    return True


def is_deep(value):
    """Whether the value is nested deeper than normc reads. It has been encoded, so it does not contain itself."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer)
                 if isinstance(inner, (list, tuple, dict))]
        if not level:
            return False
    return True


def answer_of(number, value):
    """The line that carries a value."""
    kind = type(value)
    try:
        if kind is str:
            text = quote(value)
        elif kind is int:
            text = int.__repr__(value)
        else:
            text = encode(value)
            if text.count("[") + text.count("{") > MAX_DEPTH and is_deep(value):
                raise Failed("result_not_serialisable", "is nested deeper than %d" % MAX_DEPTH)
        data = text.encode()
    except UnicodeEncodeError:
        raise Failed("result_not_serialisable", "holds half of a surrogate pair, which is no character")
    except RecursionError:
        raise Failed("result_not_serialisable", "is nested deeper than %d" % MAX_DEPTH)
    except ValueError as error:
        if "Circular" in str(error):
            raise Failed("result_not_serialisable", "contains itself")
        raise Failed("result_not_serialisable", "holds a NaN or an infinity, which JSON cannot say")
    except (TypeError, OverflowError) as error:
        if hasattr(value, "close") and hasattr(value, "cr_code"):
            value.close()
        raise Failed("result_not_serialisable", str(error))
    if len(data) > MAX_ANSWER:
        raise Failed("result_not_serialisable", "takes %d bytes, more than %d" % (len(data), MAX_ANSWER))
    parts = [b'{"id":%d,"ok":true,"value":' % number, data]
    if kind not in PLAIN and not is_plain(value):
        own = own_text(value, text)
        if own is not None:
            parts += [b',"text":', own]
    state.calls += 1
    if state.calls % CALLS_BETWEEN_SIZES == 0:
        parts.append(b',"size":%d' % resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    parts.append(b"}\n")
    return b"".join(parts)


def own_text(value, text):
    """Python's own text of a value where it is another than that of what normc reads."""
    try:
        own = str(value)
        if own == str(scan(text, 0)[0]) or len(own) > MAX_ANSWER:
            return None
        return encode(own).encode()
    except Exception:
        return None


def failure_of(request, error):
    """A failure as the fields of an answer; `error` is whatever came out of the script."""
    if isinstance(error, Failed):
        return error.fields
    name = type(error).__name__
    if isinstance(error, Ended):
        return {"kind": "script_failed", "message": "", "type": name}
    if isinstance(error, SystemExit):
        code = error.code
        if code is not None and not isinstance(code, int):
            print(code, file=sys.stderr)
            code = 1
        return {"kind": "script_exited", "message": str(0 if code is None else int(code)), "type": name,
                "line": line_of(request, error)}
    try:
        message = str(error)
    except BaseException:
        message = ""
    return {"kind": "script_failed", "message": message[:TRACE_LIMIT], "type": name,
            "line": line_of(request, error), "trace": trace_of(error, request)}


def line_of(request, error):
    """The innermost line of the script itself; where `main` could not be called, its first line."""
    line, frame = None, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == request["path"]:
            line = frame.tb_lineno
        frame = frame.tb_next
    if line is None and isinstance(error, TypeError):
        frame = error.__traceback__
        while frame is not None:
            main = frame.tb_frame.f_locals.get("main")
            if frame.tb_frame.f_code is call_main.__code__ and hasattr(main, "__code__"):
                line = main.__code__.co_firstlineno
            frame = frame.tb_next
    return line


def trace_of(error, request):
    """The traceback as Python prints it, from the script's first frame on, its end if it is long."""
    try:
        import linecache
        import traceback

        frame = error.__traceback__
        if request is not None:
            source = scripts[request["script"]][0]
            linecache.cache[request["path"]] = (len(source), None, source.splitlines(True), request["path"])
            while frame is not None and frame.tb_frame.f_code.co_filename != request["path"]:
                frame = frame.tb_next
        else:
            frame = None
        text = "".join(traceback.format_exception(type(error), error, frame))
        return text[-TRACE_LIMIT:]
    except Exception:
        return None


def handle(request):
    """The line that answers a request."""
    state.restore(request["path"])
    channel.begin(request["id"])
    try:
        try:
            if state.identified or "env" in request:
                state.identify(request.get("env", {}))
            value = run(request)
        finally:
            # A child that a script forked falls out of the script here; it must not answer in our place.
            if os.getpid() != state.pid:
                state.flush()
                os._exit(0)
        line = answer_of(request["id"], value)
    except BaseException as error:
        fields = failure_of(request, error)
        fields["id"], fields["ok"] = request["id"], False
        line = encode(fields).encode("utf-8", "replace") + b"\n"
        # The frames hold the script's values.
        error.__traceback__ = None
    channel.finish()
    state.flush()
    return line


def serve():
    hello = {"hello": 1, "python": "%d.%d.%d" % sys.version_info[:3]}
    channel.write(encode(hello).encode() + b"\n")
    while True:
        channel.write(handle(channel.read()))


# A descriptor that another child was just being given is none of ours; it would keep that child's pipe open.
os.closerange(3, LIFELINE)
os.closerange(LIFELINE + 1, 1024)
detach()
watch(LIFELINE)
limit()
scripts = {}
channel = Channel()
state = State()
sys.path[:] = state.path
sys.meta_path.append(LateSite())
shim = {}
builtins.exit = builtins.quit = sys.exit
builtins.NormcError = NormcError
if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)
gc.freeze()
serve()
